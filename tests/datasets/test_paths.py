"""No text that a client sends names anything outside the folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.datasets.paths import climbing_problem, inside
from backend.errors import InvalidInput

ROOT = Path("/srv/data")
PARTS = st.sampled_from(["..", ".", "a", "b.json", "", " ", "...", "C:", "~", "%2e%2e", "\0", "é"])
SEPARATORS = st.sampled_from(["/", "\\", "//"])
PATHS = st.one_of(
    st.text(max_size=40),
    st.builds(
        lambda lead, separator, parts: lead + separator.join(parts),
        st.sampled_from(["", "/", "\\", "\\\\host\\", "./"]),
        SEPARATORS,
        st.lists(PARTS, max_size=6),
    ),
)


@given(PATHS)
def test_a_path_stays_inside_or_is_refused(text: str) -> None:
    if climbing_problem(text, "the data root"):
        with pytest.raises(InvalidInput, match=r"^train is .*; name a path"):
            inside(ROOT, text, "train")
        return
    found = inside(ROOT, text, "train")
    assert os.path.commonpath([ROOT, os.path.normpath(found)]) == str(ROOT)
    assert "\0" not in str(found)


@given(st.lists(st.from_regex(r"[a-zA-Z0-9_\-]{1,8}(\.json)?", fullmatch=True), min_size=1, max_size=5))
def test_plain_relative_paths_are_taken_as_they_are(parts: list[str]) -> None:
    assert inside(ROOT, "/".join(parts), "train") == ROOT.joinpath(*parts)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("/etc/passwd", "absolute"),
        ("C:\\data", "absolute"),
        ("\\\\host\\share", "absolute"),
        ("../x", "climbs out"),
        ("a/../../x", "climbs out"),
        ("a\\..\\x", "climbs out"),
        ("", "names nothing"),
        ("a\0b", "names nothing"),
    ],
)
def test_each_refusal_says_why(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=f"^images is .*{reason}.*; name a path"):
        inside(ROOT, text, "images")
