"""Numbers, times and names as people write them; the filters of the templates."""

from __future__ import annotations

import re
from datetime import UTC, datetime

DASH = "–"


def count(value: float | None) -> str:
    """Write a large count with three digits and its unit prefix: 23.5 M, 134 G."""
    if value is None:
        return DASH
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 0.9995 * size:
            return f"{_three(value / size)} {prefix}"
    return f"{value:g}"


def _three(value: float) -> str:
    digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:.{digits}f}"


def scientific(value: float, digits: int = 2) -> str:
    """Write a positive number with a few digits, very large and small ones as 2.1e5."""
    text = f"{value:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else text


def integer(value: int | None) -> str:
    """Write a whole number with its thousands parted."""
    return DASH if value is None else f"{value:,}"


LONG_NAME, END_OF_NAME = 28, 16
"""Characters: of a name, and of what stays of its end where it is cut."""


def name_parts(name: str) -> tuple[str, str]:
    """Return a long name in two parts, the end by itself: names of runs often differ there alone."""
    if len(name) <= LONG_NAME:
        return name, ""
    at = name.find(" ", len(name) - END_OF_NAME)
    at = at if 0 < at < len(name) - END_OF_NAME // 2 else len(name) - END_OF_NAME
    return name[:at], name[at:]


def counted(number: int, one: str, several: str = "") -> str:
    """Write a number with its noun: 1 run, 2 runs, 3 categories."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def percent(value: float | None) -> str:
    """Write an accuracy in 0…1 as a percentage with one digit, as detection papers do."""
    return DASH if value is None else f"{100 * value:.1f}"


def change(ratio: float, digits: int = 1) -> str:
    """Write a ratio of after to before as a change in percent, with its sign: −27.0 %."""
    return f"{signed(100 * (ratio - 1), digits)} %"


def signed(value: float, digits: int = 1) -> str:
    """Write a difference with its sign, and without one where it rounds to zero."""
    text = f"{value:+.{digits}f}"
    return text.replace("-", "−") if float(text) else text[1:]


def milliseconds(seconds: float) -> str:
    """Write a short time with three digits: 12.3 ms."""
    return f"{_three(1000 * seconds)} ms"


def share(value: float) -> str:
    """Write a share in 0…1 as a percentage with two digits: 12 %, 3.4 %; less than a tenth of one as such."""
    percentage = 100 * value
    if 0 < percentage < 0.1:
        return "< 0.1 %"
    return f"{percentage:.{0 if percentage >= 9.95 else 1}f} %"


def duration(seconds: float | None) -> str:
    """Write a span of time with its two largest units, or one where the second tells nothing: 2 h 5 min, 40 min."""
    if seconds is None:
        return DASH
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return _two_units(whole, (60, "min"), (1, "s"))
    if whole < 48 * 3600:
        return _two_units(round(whole / 60) * 60, (3600, "h"), (60, "min"))
    return _two_units(round(whole / 3600) * 3600, (86400, "d"), (3600, "h"))


def time_left(seconds: float, whole: bool = True) -> str:
    """Write how long a run still takes; not `whole`, where more comes on top that nobody can tell yet."""
    return f"{'' if whole else 'over '}{duration(seconds)} left"


def _two_units(seconds: int, large: tuple[int, str], small: tuple[int, str]) -> str:
    number, rest = divmod(seconds, large[0])
    parts = [f"{count} {unit}" for count, unit in ((number, large[1]), (rest // small[0], small[1])) if count]
    return " ".join(parts)


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """Write how long ago a time was, in its largest unit."""
    if moment is None:
        return DASH
    seconds = max(0.0, ((now or datetime.now(UTC)) - moment).total_seconds())
    if seconds < 45:
        return "just now"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size or unit == "min":
            return f"{max(1, int(seconds // size))} {unit} ago"
    raise AssertionError("unreachable")


def moment(value: datetime | None) -> str:
    """Write a point in time in UTC to the minute."""
    return DASH if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def size(value: int | None) -> str:
    """Write a number of bytes in binary units."""
    if value is None:
        return DASH
    for unit, scale in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if value >= scale:
            return f"{_three(value / scale)} {unit}"
    return f"{value} B"


def slug(text: str) -> str:
    """Return what an element may be called after any text: letters, digits and hyphens."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")


def kind_words(kind: str, long: bool = False) -> str:
    """Name what a dataset was registered from; `long` explains it."""
    short_words, words = {
        "coco": ("COCO", "COCO annotation files of your own"),
        "voc": ("Pascal VOC", "Pascal VOC, converted to COCO's format when it was registered"),
        "folders": ("class folders", "A folder of images for each class, for classifiers"),
        "shapes": ("generated", "Drawn by this server from a seed"),
    }.get(kind, (kind, kind))
    return words if long else short_words


def init_label(kind: str) -> str:
    """Return what stands on a run's badge: S for scratch, I for everything pre-trained, ? where nobody said."""
    return {"scratch": "S", "unknown": "?"}.get(kind, "I")


def init_words(kind: str) -> str:
    """Explain a run's initialisation."""
    return {
        "imagenet": "fine-tuned from ImageNet weights",
        "scratch": "trained from scratch",
        "run": "started from another run's weights",
        "file": "started from a file of weights",
        "unknown": "nobody said from which weights it started",
    }.get(kind, kind)
