"""Our residual networks against torchvision's: the same keys, the same numbers."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d

from backend.architectures.plan import backbone_plan
from worker.training.backbones import Classifier, ResNet, he_initialise
from worker.training.norms import group_norm


def randomised(network: nn.Module) -> nn.Module:
    """Give the norms statistics that are not those of a fresh network."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_takes_torchvisions_state_dict_and_gives_its_outputs(backbone: str) -> None:
    torch.manual_seed(0)
    theirs = randomised(torchvision.models.get_model(backbone, weights=None, num_classes=11))
    ours = Classifier(backbone_plan(backbone), "batch", 11).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = torch.rand(2, 3, 65, 96)
    with torch.no_grad():
        assert torch.equal(ours.logits(x), theirs(x))


def test_classifier_normalises_as_imagenet_weights_expect() -> None:
    model = Classifier(backbone_plan("resnet18", widths={"layer4": 8}), "batch", 3).eval()
    images = [torch.rand(3, 64, 64) for _ in range(2)]
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normalised = (torch.stack(images) - mean[:, None, None]) / deviation[:, None, None]
    with torch.no_grad():
        torch.testing.assert_close(model(images), model.logits(normalised))
        model.train()
        loss = model(images, [{"label": torch.tensor(1)}, {"label": torch.tensor(2)}])
    assert list(loss) == ["loss_classifier"]


def test_stride_in_1x1_is_another_function_with_the_same_keys() -> None:
    torch.manual_seed(0)
    plain = ResNet(backbone_plan("resnet50"), "batch").eval()
    caffe = ResNet(backbone_plan("resnet50", stride_in_1x1=True), "batch").eval()
    caffe.load_state_dict(plain.state_dict())
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        outputs: list[Tensor] = [plain(x), caffe(x)]
    assert outputs[0].shape == outputs[1].shape
    assert not torch.allclose(outputs[0], outputs[1])
    for stage in ("layer2", "layer3", "layer4"):
        first = caffe.get_submodule(f"{stage}.0")
        assert (first.conv1.stride, first.conv2.stride) == ((2, 2), (1, 1))


@pytest.mark.parametrize(("norm", "kind"), [("frozen_batch", FrozenBatchNorm2d), ("group", nn.GroupNorm)])
def test_norms_keep_the_modules_names(norm: str, kind: type[nn.Module]) -> None:
    network = ResNet(backbone_plan("resnet18"), norm)
    names = [name for name, module in network.named_modules() if isinstance(module, kind)]
    assert names[:3] == ["bn1", "layer1.0.bn1", "layer1.0.bn2"]
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize(("channels", "groups"), [(64, 32), (48, 24), (7, 7), (37, 1), (8, 8), (33, 11)])
def test_group_norm_takes_the_most_groups_that_divide(channels: int, groups: int) -> None:
    assert group_norm(channels).num_groups == groups


def test_one_relu_in_place_per_block() -> None:
    network = ResNet(backbone_plan("resnet50"), "batch")
    relus = {name: m for name, m in network.named_modules() if isinstance(m, nn.ReLU)}
    assert len(relus) == 1 + 16
    assert all(relu.inplace for relu in relus.values())


def test_he_initialisation_is_torchvisions() -> None:
    torch.manual_seed(0)
    network = ResNet(backbone_plan("resnet18"), "batch")
    he_initialise(network)
    convolution = network.get_submodule("layer3.1.conv2")
    assert convolution.weight.std().item() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.02)
    last_norm = network.get_submodule("layer3.1.bn2")
    assert torch.equal(last_norm.weight, torch.ones(256))
