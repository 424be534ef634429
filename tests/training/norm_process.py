"""One of two processes that share a batch: `norm_process.py RANK STORE INPUT OUTPUT`, started by test_norms.py."""

from __future__ import annotations

import sys

import torch
from torch import distributed, nn

from worker.training.norms import SynchronisedBatchNorm


def main(rank: int, store: str, given: str, output: str) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    work = torch.load(given, weights_only=True)
    network = nn.Sequential(
        nn.Conv2d(3, 5, 3), SynchronisedBatchNorm(5), nn.ReLU(), nn.Conv2d(5, 4, 3), SynchronisedBatchNorm(4)
    ).double()
    network.load_state_dict(work["state"])
    images, weights = (work[name].split(work["shares"])[rank] for name in ("images", "weights"))
    images.requires_grad_(True)
    maps = network(images)
    (maps * weights).sum().backward()
    alone = None
    if rank == 1:
        # The other process takes no part: a norm that waited for it would never return.
        alone = network.eval()(images.detach())
    found = {
        "maps": maps.detach(),
        "alone": alone,
        "images": images.grad,
        "gradients": {name: parameter.grad for name, parameter in network.named_parameters()},
        "state": network.state_dict(),
    }
    torch.save(found, output)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
