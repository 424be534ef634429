"""Running out of memory, of the GPU or of the machine, told in one sentence with the mend."""

from __future__ import annotations

import torch

MEND = "lower training.batch_size or training.image_size"
OF_THE_MACHINE = ("can't allocate memory", "not enough memory", "Cannot allocate memory")
"""What torch says when the machine gives it no memory: a plain RuntimeError on a CPU."""


def out_of_memory(error: BaseException) -> str | None:
    """Return the sentence if this error says that memory ran out, else None."""
    if isinstance(error, torch.OutOfMemoryError):
        return f"the GPU ran out of memory; {MEND}"
    said = str(error)
    if isinstance(error, MemoryError) or any(words in said for words in OF_THE_MACHINE):
        return f"the machine ran out of memory; {MEND}, or give it more"
    return None
