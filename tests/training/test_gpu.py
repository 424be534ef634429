"""What is asked of a GPU: utilisation from nvidia-smi, and nothing at all on a CPU."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from worker.training.gpu import utilisation

CARD = "5a1e0c6f-0000-1111-2222-333344445555"


def smi(folder: Path, body: str) -> str:
    """Write a program that answers in place of nvidia-smi."""
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_utilisation_is_asked_of_the_card_by_its_uuid(tmp_path: Path) -> None:
    command = smi(tmp_path, f'[ "$1" = "--id=GPU-{CARD}" ] && echo 87')
    assert utilisation(command, CARD) == pytest.approx(0.87)


def test_what_is_not_told_is_an_error_and_never_a_number(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        utilisation(smi(tmp_path, "echo '[N/A]'"), CARD)
    with pytest.raises(subprocess.CalledProcessError):
        utilisation(smi(tmp_path, "exit 6"), CARD)


def test_on_a_cpu_no_figure_of_a_gpu_is_recorded(
    make_loop: Callable[..., tuple[Any, Any]], specification: Callable[..., Any]
) -> None:
    loop, recorded = make_loop(specification(), "cpu")
    loop.run()
    names = {name for point in recorded.losses().values() for name in point}
    assert "loss" in names
    assert not any(name.startswith("gpu") for name in names)
