"""Paths that a client or a file names: always relative, never climbing out of their folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from backend.errors import InvalidInput

LONGEST_PART, LONGEST_PATH = 255, 1024
"""Bytes of one name, and of a path: file systems refuse longer ones, and so does looking whether they exist."""


def is_too_long(text: str) -> bool:
    """Whether no file system would take the path."""
    sizes = [len(part.encode("utf-8", "replace")) for part in text.split("/")]
    return max(sizes) > LONGEST_PART or sum(sizes) + len(sizes) > LONGEST_PATH


def climbing_problem(text: str, folder: str) -> str | None:
    """Return why `text` is no path inside a folder (which is called `folder`), and the mend; None where it is one.

    The rule is about the words alone: a link that the operator put into the folder may lead elsewhere.
    """
    if not text.strip() or "\0" in text:
        return f"{text!r}, which names nothing; name a path inside {folder}"
    if is_too_long(text):
        return f"{text[:40]!r} …, which is longer than any file system takes; name a path inside {folder}"
    posix, windows = PurePosixPath(text), PureWindowsPath(text)
    if posix.is_absolute() or windows.drive or windows.root:
        return f"{text!r}, which is absolute; name a path relative to {folder}"
    if ".." in windows.parts:
        return f"{text!r}, which climbs out of {folder}; name a path inside it"
    return None


def inside(root: Path, text: str, what: str) -> Path:
    """Return `root`/`text`; raise `InvalidInput` naming `what` when `text` is absolute or climbs out of `root`."""
    if problem := climbing_problem(text, "the data root"):
        raise InvalidInput(f"{what} is {problem}")
    return root / text


def short(path: Path) -> str:
    """Return the last two parts of a path: enough to know the file, without telling where the server keeps it."""
    return "/".join(path.parts[-2:]) if path.is_absolute() else str(path)
