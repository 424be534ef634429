"""The images are set up by the Makefile's own targets, from the same locks as any machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

TARGETS = {"server": ("packages-server", "setup-server"), "worker": ("packages-runtime", "setup")}
LOCKS = {"server": "requirements/server.lock", "worker": "requirements/runtime.lock"}


def instructions(root: Path) -> dict[str, list[str]]:
    """Return the Dockerfile's instructions by stage, each on one line."""
    text = re.sub(r"\\\n\s*", "", (root / "Dockerfile").read_text())
    stages: dict[str, list[str]] = {}
    for line in text.splitlines():
        if match := re.fullmatch(r"FROM (\S+) AS (\w+)", line):
            stages[match[2]] = []
            current = stages[match[2]]
        elif line and not line.startswith("#"):
            current.append(line)
    return stages


def commands(stage: list[str]) -> list[str]:
    """Return what a stage runs, without the build's mounts."""
    return [re.sub(r"^RUN (--\S+ )*", "", line) for line in stage if line.startswith("RUN")]


@pytest.fixture
def stages(root: Path) -> dict[str, list[str]]:
    return instructions(root)


@pytest.mark.parametrize("stage", TARGETS)
def test_a_stage_runs_make_and_nothing_else(stages: dict[str, list[str]], stage: str) -> None:
    assert commands(stages[stage]) == [f"make {target}" for target in TARGETS[stage]]


def test_the_base_installs_no_python_package(stages: dict[str, list[str]]) -> None:
    assert not [command for command in commands(stages["base"]) if re.search(r"\b(pip|uv)\b", command)]


@pytest.mark.parametrize("stage", TARGETS)
def test_an_image_runs_as_an_ordinary_user(stages: dict[str, list[str]], stage: str) -> None:
    assert stages[stage][-1].startswith("CMD")
    users = [line for line in stages[stage] if line.startswith("USER")]
    assert users == ["USER eigenscope"]


@pytest.mark.parametrize("stage", TARGETS)
def test_the_first_layer_has_all_that_its_target_needs(
    root: Path, stages: dict[str, list[str]], stage: str, tmp_path: Path
) -> None:
    for line in stages["base"]:
        if line.startswith("COPY"):
            *sources, target = line.removeprefix("COPY ").split()
            for source in sources:
                copied(root / source, tmp_path / target)
    plan = subprocess.run(
        ["make", "--dry-run", TARGETS[stage][0]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert re.findall(r"-r (\S+)", plan) == [LOCKS[stage]]


@pytest.mark.parametrize(
    ("target", "stage"), [("setup-server", "server"), ("setup", "worker"), ("demo", "worker")]
)
def test_the_makefile_takes_the_same_lock(root: Path, target: str, stage: str, tmp_path: Path) -> None:
    for source in ("Makefile", "pyproject.toml", "requirements"):
        copied(root / source, tmp_path)
    plan = subprocess.run(
        ["make", "--dry-run", target], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert re.findall(r"-r (\S+)", plan) == [LOCKS[stage]]


def test_the_build_context_holds_the_sources_and_no_secret(root: Path) -> None:
    lines = [line for line in (root / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    kept = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert lines[0] == "*"
    assert all((root / name).exists() for name in kept)
    assert kept >= {
        "Makefile",
        "pyproject.toml",
        "requirements",
        "backend",
        "frontend",
        "worker",
        "migrations",
    }
    assert not kept & {".env", ".git", ".venv", "var", "data", "tests"}


def copied(source: Path, folder: Path) -> None:
    """Copy a file into a folder, or a folder beside its namesake, as both uses here have it."""
    if source.is_dir():
        shutil.copytree(source, folder if folder.name == source.name else folder / source.name)
    else:
        shutil.copy(source, folder)
