"""A dataset's image as a browser shows it: a JPEG of bounded size."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import PIL.Image

from backend.errors import InvalidInput, NotFound

QUALITY = 85
BITS_PROBLEM = "has more than 8 bits a channel; convert it to 8 bits"


@dataclass(frozen=True)
class Picture:
    """An image file, to be shown with its longer side at most `size` pixels."""

    file: Path
    size: int

    def etag(self) -> str:
        """Return a validator that changes with the file. Raises `NotFound` where the file is gone."""
        try:
            found = self.file.stat()
        except OSError:
            raise self._gone() from None
        words = f"{found.st_mtime_ns} {found.st_size} {self.size} {QUALITY}"
        return f'"{hashlib.sha256(words.encode()).hexdigest()[:32]}"'

    def jpeg(self) -> bytes:
        """Return the image, never enlarged and never turned: boxes count pixels as they are stored.

        Raises `NotFound` for a file that is gone and `InvalidInput` for one that is no image.
        """
        try:
            with PIL.Image.open(self.file) as image:
                if image.mode.startswith(("I", "F")):
                    raise InvalidInput(f"image {self.file.name} {BITS_PROBLEM}")
                # A JPEG is decoded at a half, a quarter or an eighth where that is still large enough.
                image.draft("RGB", (self.size, self.size))
                shown = image.convert("RGB")
        except FileNotFoundError:
            raise self._gone() from None
        except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError):
            raise InvalidInput(f"image {self.file.name} cannot be read; restore the file") from None
        shown.thumbnail((self.size, self.size), PIL.Image.Resampling.LANCZOS)
        written = io.BytesIO()
        shown.save(written, "JPEG", quality=QUALITY)
        return written.getvalue()

    def _gone(self) -> NotFound:
        return NotFound(f"image {self.file.name} is missing in the dataset's folder; restore the file")
