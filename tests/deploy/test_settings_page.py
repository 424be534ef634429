"""docs/settings.md says what the code does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from backend.settings import Settings


def test_the_page_is_what_the_settings_give(root: Path) -> None:
    written = subprocess.run(
        [sys.executable, root / "docs" / "settings_table.py"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert (root / "docs" / "settings.md").read_text() == written, "run `make docs`"
    assert all(f"`EIGENSCOPE_{name.upper()}`" in written for name in Settings.model_fields)
