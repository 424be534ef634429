"""Files that `torch.save` writes: a zip archive of one pickle and of the tensors' bytes."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.errors import InvalidInput
from backend.weights import pickles
from backend.weights.contents import BYTES, TensorEntry

PICKLE = "data.pkl"
PICKLE_BYTES = 64 * 2**20
MEMBERS = 200_000
UNPACKED_TIMES = 4
"""How many times its own size a file may unpack to; torch itself compresses nothing."""
OLD_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How files of torch before 1.6 begin: the magic number, pickled."""
WRAPPERS = ("model", "state_dict")
"""Under what a checkpoint keeps its state dict: torchvision's references, Detectron2 and we; Lightning."""
SAVE_ANEW = "save the model's state_dict() anew with torch.save"

Broken = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    OSError,
    OverflowError,
    zlib.error,
)
"""What Python's zipfile raises for archives that are damaged, encrypted or packed in an unknown way."""


def read(path: Path, name: str) -> Any:
    """Return what the archive's pickle describes, or the state dict that it keeps beside other things.

       `name` is what messages call the file.
    Nothing of the file is run. Raises `InvalidInput` for whatever is no such archive.
    """
    try:
        with path.open("rb") as file:
            old = file.read(len(OLD_MAGIC)) == OLD_MAGIC
        if old:
            raise InvalidInput(f"{name} is in the format of torch before 1.6, which is not read; {SAVE_ANEW}")
        with zipfile.ZipFile(path) as archive:
            _demand_no_bomb(archive, path.stat().st_size, name)
            return _value(archive, name)
    except Broken as error:
        raise unreadable(name, str(error) or type(error).__name__) from None


def unreadable(name: str, reason: str) -> InvalidInput:
    """Return the error that says why nothing can be read from a file, and the mend."""
    line = reason.splitlines()[0][:200] if reason.strip() else "no reason given"
    return InvalidInput(f"{name} holds no weights that can be read safely ({line}); {SAVE_ANEW}")


def _demand_no_bomb(archive: zipfile.ZipFile, size: int, name: str) -> None:
    members = archive.infolist()
    if len(members) > MEMBERS:
        raise unreadable(name, f"its archive has more than {MEMBERS:,} members")
    if sum(member.file_size for member in members) > UNPACKED_TIMES * size:
        raise unreadable(name, f"its archive unpacks to more than {UNPACKED_TIMES} times its size")


def _value(archive: zipfile.ZipFile, name: str) -> Any:
    members = archive.infolist()
    found = [member for member in members if member.filename.rpartition("/")[2] == PICKLE]
    if len(found) != 1:
        raise unreadable(name, f"its archive has {len(found)} members {PICKLE} instead of one")
    folder = found[0].filename.removesuffix(PICKLE)
    sizes = {member.filename: member.file_size for member in members}
    if f"{folder}byteorder" in sizes and _bounded(archive, f"{folder}byteorder", 16) != b"little":
        raise unreadable(name, "its numbers are stored big end first")
    value = _unwrapped(pickles.read(_bounded(archive, found[0].filename, PICKLE_BYTES)))
    if not isinstance(value, dict):
        return value
    return {key: _located(inner, f"{folder}data/", sizes, name) for key, inner in value.items()}


def _unwrapped(value: Any) -> Any:
    for wrapper in WRAPPERS:
        if isinstance(value, dict) and isinstance(value.get(wrapper), dict):
            return value[wrapper]
    return value


def _bounded(archive: zipfile.ZipFile, member: str, limit: int) -> bytes:
    with archive.open(member) as opened:
        content = opened.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"{member.rpartition('/')[2]} is larger than {limit:,} bytes")
    return content


def _located(value: Any, folder: str, sizes: dict[str, int], name: str) -> Any:
    """Name the member of the archive that holds a tensor's numbers."""
    if not isinstance(value, TensorEntry):
        return value
    member = folder + value.storage
    if value.elements * BYTES[value.dtype] > sizes.get(member, -1):
        raise unreadable(name, f"the numbers of a tensor of shape {value.shape} are not all there")
    return replace(value, storage=member)
