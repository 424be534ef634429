"""What a newcomer does: clone, then `make demo`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

OF_THE_CALLER = ("VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
SECONDS = 900


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 60)
def test_a_clean_clone_runs_the_demonstration(root: Path, tmp_path: Path) -> None:
    if not (root / ".git").exists():
        pytest.skip(f"{root} is no git repository, so there is nothing to clone")
    clone = tmp_path / "eigenscope"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", root, clone], check=True, timeout=60)
    report = demonstration(clone)
    assert [run["status"] for run in report["runs"]] == ["succeeded"] * 3
    assert all(run["snapshots"] > 3 and run["layers"] > 10 for run in report["runs"])
    # A notebook beside the clone sees a folder of the package's own name there.
    beside = [clone / ".venv" / "bin" / "python", "-c", "from eigenscope import Client"]
    subprocess.run(beside, cwd=tmp_path, env=own_environment(), check=True, timeout=60)


def demonstration(clone: Path) -> dict[str, Any]:
    """Run `make demo` with the caller's package cache but none of its settings; return its report."""
    log = clone.parent / "make.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            ["make", "demo", "ARGS=--exit --json"],
            cwd=clone,
            env=own_environment() | {"EIGENSCOPE_PORT": str(free_port())},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )
        try:
            out, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate(timeout=30)
            pytest.fail(f"make demo took more than {SECONDS} s; it said last:\n{log.read_text()[-3000:]}")
    assert process.returncode == 0, f"{out[-2000:]}\n{log.read_text()[-4000:]}"
    return last_json(out)


def own_environment() -> dict[str, str]:
    return {
        key: value
        for key, value in os.environ.items()
        if key not in OF_THE_CALLER and not key.startswith("EIGENSCOPE_")
    }


def last_json(text: str) -> dict[str, Any]:
    """Return the object that a text ends with."""
    start = 0 if text.startswith("{") else text.rindex("\n{") + 1
    return dict(json.loads(text[start:]))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
