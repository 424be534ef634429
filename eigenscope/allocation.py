"""How the C library hands out memory, which decides what large answers cost."""

from __future__ import annotations

import ctypes
import platform

# Of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
BLOCK = 32 * 2**20
"""The largest that may be set."""
KEPT = 128 * 2**20


def keep_memory() -> None:
    """Let freed blocks of megabytes be used again instead of being given back; nothing on other libraries than glibc.

    glibc maps each block above 128 kB anew, and the kernel hands its pages over one by one, zeroed: a third
    of the time of an answer with a layer's spectra went into that. At most `KEPT` free bytes stay with the process.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    library = ctypes.CDLL(None)
    for option, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, BLOCK), (_TRIM_THRESHOLD, KEPT)):
        library.mallopt(option, value)
