"""A plan as Python that needs torchvision only."""

from __future__ import annotations

from pprint import pformat

from backend.widths.groups import HEADS
from backend.widths.schemas import Plan

TEMPLATE = '''"""torchvision's {backbone} with the widths of an Eigenscope plan.

Plan {plan_id}, from run {run_id} at iteration {iteration}, criterion {criterion}: {kept:.1f} % of the backbone's
parameters, {macs:.1f} % of the network's MACs.
"""

from torch import nn
from torchvision.models import {backbone}

WIDTHS = {widths}


def narrowed(convolution, inputs, outputs):
    """Return a convolution like the given one, of other widths."""
    return nn.Conv2d(
        inputs,
        outputs,
        convolution.kernel_size,
        convolution.stride,
        convolution.padding,
        bias=convolution.bias is not None,
    )


def body(num_classes=1000, norm_layer=nn.BatchNorm2d):
    """Return the network with random weights; `norm_layer` makes a norm from a number of channels."""
    model = {backbone}(weights=None, num_classes=num_classes)
    channels = WIDTHS["stem"]
    model.conv1, model.bn1 = narrowed(model.conv1, 3, channels), norm_layer(channels)
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        for index, block in enumerate(getattr(model, stage)):
            entering = channels
            for number in range(1, {depth} + 1):
                last = number == {depth}
                outputs = WIDTHS[stage] if last else WIDTHS[f"{{stage}}.{{index}}.conv{{number}}"]
                convolution = getattr(block, f"conv{{number}}")
                setattr(block, f"conv{{number}}", narrowed(convolution, channels, outputs))
                setattr(block, f"bn{{number}}", norm_layer(outputs))
                channels = outputs
            stride = max(getattr(block, f"conv{{number}}").stride[0] for number in range(1, {depth} + 1))
            if stride == 1 and entering == channels:
                block.downsample = None
            else:
                shortcut = nn.Conv2d(entering, channels, 1, stride, bias=False)
                block.downsample = nn.Sequential(shortcut, norm_layer(channels))
    model.fc = nn.Linear(channels, num_classes)
    return model
'''


def snippet(plan_id: int, plan: Plan) -> str:
    """Return the source of a module whose `body()` is torchvision's residual network with the plan's widths.

    The stride is where torchvision has it, in the 3x3 convolution. A detector's neck and heads are not part of it.
    """
    source, totals = plan.source, plan.totals
    widths = {group: width for group, width in plan.widths.items() if group not in HEADS}
    return TEMPLATE.format(
        plan_id=plan_id,
        run_id=source.run_id,
        iteration=source.iteration,
        criterion=source.criterion
        if source.threshold is None
        else f"{source.criterion} at {source.threshold:g}",
        kept=100 * totals.backbone_parameters_ratio,
        macs=100 * totals.macs_ratio,
        backbone=source.backbone,
        widths=pformat(widths, sort_dicts=False, width=100),
        depth=3 if source.backbone in ("resnet50", "resnet101") else 2,
    )
