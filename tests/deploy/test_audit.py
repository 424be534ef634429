"""`make audit` looks every locked version up."""

from __future__ import annotations

import subprocess
from pathlib import Path


def test_the_audit_asks_about_the_lock_that_holds_all(root: Path) -> None:
    plan = subprocess.run(
        ["make", "--dry-run", "audit"], cwd=root, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert "pip-audit --strict" in plan, "what cannot be looked up must not count as sound"
    assert "-r requirements/dev.lock" in plan
    held = pins(root / "requirements" / "dev.lock")
    for lock in (root / "requirements").glob("*.lock"):
        assert pins(lock) <= held, f"{lock.name} holds what dev.lock does not"


def pins(lock: Path) -> set[str]:
    """Return the pinned versions of a lock, on whatever platform."""
    return {line.partition(" ;")[0] for line in lock.read_text().splitlines()}
