"""Setting up: done once, repaired where it was cut off, refused in one sentence where Python is too old."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "tiny"
version = "0"
[tool.setuptools]
py-modules = []
"""


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    """Return a project with our Makefile and a lock of two small packages out of ours."""
    shutil.copy(root / "Makefile", tmp_path)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    lines = (root / "requirements" / "server.lock").read_text().splitlines()
    small = [line for line in lines if line.startswith(("setuptools==", "six=="))]
    assert len(small) == 2
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "server.lock").write_text("\n".join(small))
    return tmp_path


def make(project: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {} if path is None else {"env": {"PATH": path}}
    return subprocess.run(
        [shutil.which("make") or "make", *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=240,
        **environment,
    )


def set_up(project: Path) -> str:
    done = make(project, "setup-server", f"PYTHON={sys.executable}")
    assert done.returncode == 0, done.stderr
    subprocess.run(
        [project / ".venv" / "bin" / "python", "-c", "import six; six.PY3"], check=True, timeout=60
    )
    return done.stdout


@pytest.mark.slow
def test_a_set_up_is_done_once_and_repaired_where_it_broke(project: Path) -> None:
    set_up(project)
    assert "Nothing to be done" in set_up(project)

    (module,) = project.glob(".venv/lib/python3*/site-packages/six.py")
    module.unlink()
    (project / ".venv" / "packages-server").unlink()
    (project / ".venv" / "unfinished").touch()
    set_up(project)
    assert "Nothing to be done" in set_up(project)

    python = project / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nonexistent/python3")
    set_up(project)
    assert "Nothing to be done" in set_up(project)


def test_an_old_python_is_refused_in_one_sentence(project: Path) -> None:
    tools = project / "tools"
    tools.mkdir()
    for name in ("sh", "rm"):
        (tools / name).symlink_to(shutil.which(name) or name)
    old = tools / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" || exit 1\n')
    old.chmod(0o755)
    refused = make(project, "setup-server", path=str(tools))
    assert refused.returncode != 0
    assert refused.stderr.startswith("Eigenscope needs Python 3.11 or newer and found Python 3.9.2;")
    assert "Traceback" not in refused.stderr
    assert not (project / ".venv").exists()
