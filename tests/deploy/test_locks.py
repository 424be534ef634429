"""The locks hold exact versions of what pyproject.toml asks for, and no address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

LOCKS = ("server", "runtime", "bench", "dev")


def pins(root: Path, name: str) -> dict[str, set[str]]:
    """Return the versions of each package in a lock: more than one where they differ by platform."""
    found: dict[str, set[str]] = {}
    for line in (root / "requirements" / f"{name}.lock").read_text().splitlines():
        match = re.fullmatch(r"([a-z0-9-]+)(?:\[[a-z,]+\])?==([0-9][\w.]*)(?: ; .+)?", line)
        assert match, f"requirements/{name}.lock holds more than a pinned version: {line}"
        found.setdefault(match[1], set()).add(match[2])
    return found


def asked(root: Path, *extras: str) -> list[Requirement]:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    lines = [
        *project["dependencies"],
        *(line for extra in extras for line in project["optional-dependencies"][extra]),
    ]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize(
    ("name", "extras"),
    [
        ("server", ()),
        ("runtime", ("worker",)),
        ("bench", ("worker", "bench")),
        ("dev", ("worker", "bench", "images", "dev")),
    ],
)
def test_a_lock_satisfies_the_project(root: Path, name: str, extras: tuple[str, ...]) -> None:
    locked = pins(root, name)
    for requirement in asked(root, *extras):
        versions = locked.get(requirement.name.lower(), set())
        assert versions, f"{requirement.name} is not in requirements/{name}.lock; run `make lock`"
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_the_smaller_locks_are_parts_of_the_larger(root: Path) -> None:
    server, runtime, bench, dev = (pins(root, name) for name in LOCKS)
    assert server.items() <= runtime.items() <= bench.items() <= dev.items()


def test_only_the_benchmark_needs_what_it_is_measured_against(root: Path) -> None:
    assert "delve" in pins(root, "bench")
    assert not {"delve", "pandas", "matplotlib"} & (
        pins(root, "runtime").keys() | pins(root, "server").keys()
    )


def test_the_server_needs_no_torch(root: Path) -> None:
    assert not [
        name for name in pins(root, "server") if name.startswith(("torch", "nvidia", "triton", "cuda"))
    ]


def test_torch_and_torchvision_are_a_pair(root: Path) -> None:
    locked = pins(root, "runtime")
    assert (locked["torch"], locked["torchvision"]) == ({"2.15.0"}, {"0.29.2"})
