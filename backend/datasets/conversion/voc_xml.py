"""One annotation file of Pascal VOC, read from untrusted XML."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from backend.errors import InvalidInput

LARGEST_FILE = 16 * 2**20


class VocObject(NamedTuple):
    """An object: its class, its corners as written (1-based pixels, both included) and whether it is difficult."""

    name: str
    corners: tuple[float, float, float, float]
    difficult: bool

    @property
    def bbox(self) -> tuple[float, float, float, float]:
        """Left, top, width and height, counted from 0: pixels 1 to 10 are 10 wide and begin at 0."""
        left, top, right, bottom = self.corners
        return left - 1, top - 1, right - left + 1, bottom - top + 1


class VocImage(NamedTuple):
    """An image's size in pixels and its objects."""

    width: int
    height: int
    objects: tuple[VocObject, ...]


def read_voc(path: Path) -> VocImage:
    """Read an annotation file. Raises `InvalidInput` with what is wrong as the predicate of a sentence."""
    root = _parsed(path)
    width, height = (_number(root, f"size/{side}") for side in ("width", "height"))
    if not width.is_integer() or not height.is_integer() or width < 1 or height < 1:
        raise InvalidInput(f"has the size {width:g} x {height:g}; write whole pixels")
    return VocImage(int(width), int(height), tuple(_object(one) for one in root.findall("object")))


def _parsed(path: Path) -> ElementTree.Element:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InvalidInput(
                f"is larger than {LARGEST_FILE // 2**20} MB; name an annotation file of one image"
            )
        text = path.read_text(encoding="utf-8-sig")
        # Without a document type there are no entities: none to expand a billion times, none to read a file with.
        if "<!doctype" in text.lower():
            raise InvalidInput("declares a document type, which is not read; remove the DOCTYPE")
        return ElementTree.fromstring(text)  # noqa: S314 - see above
    except FileNotFoundError:
        raise InvalidInput("does not exist; add it or remove the image from the list") from None
    except OSError as error:
        raise InvalidInput(f"cannot be read ({error.strerror}); make it readable") from None
    except UnicodeDecodeError:
        raise InvalidInput("is not UTF-8; save it as UTF-8") from None
    except (ElementTree.ParseError, ValueError) as error:
        raise InvalidInput(f"is not XML ({error}); write it anew") from None


def _object(element: ElementTree.Element) -> VocObject:
    name = " ".join((element.findtext("name") or "").split())
    if not name:
        raise InvalidInput("has an object without a name; name its class")
    left, top, right, bottom = (
        _number(element, f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")
    )
    difficult = (element.findtext("difficult") or "0").strip()
    if difficult not in ("0", "1"):
        raise InvalidInput(f"has an object with difficult {difficult!r}; write 0 or 1")
    return VocObject(name, (left, top, right, bottom), difficult == "1")


def _number(element: ElementTree.Element, path: str) -> float:
    text = element.findtext(path)
    try:
        return float(text or "")
    except ValueError:
        raise InvalidInput(f"has {text!r} as its {path}; write a number") from None
