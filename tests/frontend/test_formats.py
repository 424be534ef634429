"""Numbers and times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from frontend import formats


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (999, "999"),
        (999_960, "1.00 M"),
        (23_454_912, "23.5 M"),
        (134.4e9, "134 G"),
        (4100, "4.10 k"),
    ],
)
def test_counts_have_three_digits(value: float | None, text: str) -> None:
    assert formats.count(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.4, "0 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (1000, "17 min"),
        (3590, "1 h"),
        (7500, "2 h 5 min"),
        (7200, "2 h"),
        (200_000, "2 d 8 h"),
    ],
)
def test_durations_have_two_units(seconds: float | None, text: str) -> None:
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(3, "just now"), (50, "1 min ago"), (7300, "2 h ago"), (90_000, "1 d ago")]
)
def test_ages_have_one_unit(seconds: float, text: str) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert formats.ago(now - timedelta(seconds=seconds), now) == text


def test_accuracy_is_a_percentage_and_bytes_are_binary() -> None:
    assert formats.percent(0.3741) == "37.4"
    assert formats.size(90 * 2**20) == "90.0 MiB"
    assert formats.size(512) == "512 B"


@pytest.mark.parametrize(
    ("value", "text"), [(2.1e5, "2.1e5"), (0.0250339, "0.025"), (1e-7, "1e-7"), (8388, "8.4e3"), (5, "5")]
)
def test_scientific_numbers_are_short(value: float, text: str) -> None:
    assert formats.scientific(value) == text


def test_a_long_name_keeps_its_end() -> None:
    assert formats.name_parts("short") == ("short", "")
    one, other = (
        formats.name_parts(f"shapes faster_rcnn resnet18 scratch: {end}") for end in ("baseline", "chosen")
    )
    assert one[1] != other[1]
    assert "".join(one) == "shapes faster_rcnn resnet18 scratch: baseline"


def test_what_is_left_says_where_more_comes_on_top() -> None:
    assert formats.time_left(90) == "1 min 30 s left"
    assert formats.time_left(90, False) == "over 1 min 30 s left"
