"""The command line: results on stdout, words and progress on stderr, exit status 0 only on success."""

from __future__ import annotations

from eigenscope.cli.entry import main

__all__ = ["main"]
