"""Whatever bytes a file has, the server answers with one sentence: it raises nothing else and runs nothing."""

from __future__ import annotations

import io
import itertools
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.errors import InvalidInput
from backend.weights import archives, pickles
from backend.weights.archives import OLD_MAGIC
from backend.weights.reading import read_entries

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MOMENTS = itertools.count()
OPCODES = [bytes([number]) for number in range(256)]


def archive(pickled: bytes, numbers: bytes = bytes(16), **members: bytes) -> bytes:
    """A torch file around a pickle."""
    made = io.BytesIO()
    storages = {"data/0": numbers, "data/1": bytes(8), "byteorder": b"little"}
    with zipfile.ZipFile(made, "w") as opened:
        for name, content in {"data.pkl": pickled, **storages, **members}.items():
            opened.writestr(f"w/{name}", content)
    return made.getvalue()


def saved(value: Any, **options: Any) -> bytes:
    made = io.BytesIO()
    torch.save(value, made, **options)
    return made.getvalue()


VALID = saved({"conv1.weight": torch.zeros(2, 2), "fc.bias": torch.ones(2)})
PICKLED = zipfile.ZipFile(io.BytesIO(VALID)).read("archive/data.pkl")
HEADER = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
SAFE = len(HEADER).to_bytes(8, "little") + HEADER + bytes(8)


def ask(folder: Path, content: bytes, suffix: str = ".pth") -> Any:
    """Read a file of these bytes; nothing but InvalidInput of one line may come of it."""
    path = folder / f"w{suffix}"
    path.write_bytes(content)
    # The cache knows a file by its time and size, and these follow each other faster than a clock ticks.
    moment = next(MOMENTS)
    os.utime(path, ns=(moment, moment))
    try:
        return read_entries(path, "w")
    except InvalidInput as error:
        sentence = str(error)
    assert "\n" not in sentence
    assert "; save" in sentence
    return None


def test_the_valid_ones_are_read(tmp_path: Path) -> None:
    assert set(ask(tmp_path, VALID)) == {"conv1.weight", "fc.bias"}
    assert ask(tmp_path, archive(PICKLED)).keys() == {"conv1.weight", "fc.bias"}
    assert ask(tmp_path, SAFE, ".safetensors")["a"].shape == (2,)


@FUZZ
@given(content=st.binary(max_size=400), suffix=st.sampled_from([".pth", ".pt", ".safetensors"]))
def test_any_bytes(tmp_path: Path, content: bytes, suffix: str) -> None:
    ask(tmp_path, content, suffix)


@FUZZ
@given(at=st.integers(0, len(VALID) - 1), put=st.binary(min_size=1, max_size=6), cut=st.booleans())
def test_damaged_archives(tmp_path: Path, at: int, put: bytes, cut: bool) -> None:
    ask(tmp_path, VALID[:at] if cut else VALID[:at] + put + VALID[at + len(put) :])


@FUZZ
@given(at=st.integers(0, len(PICKLED) - 1), put=st.binary(max_size=6), skip=st.integers(0, 6))
def test_damaged_pickles(tmp_path: Path, at: int, put: bytes, skip: int) -> None:
    ask(tmp_path, archive(PICKLED[:at] + put + PICKLED[at + skip :]))


@FUZZ
@given(parts=st.lists(st.sampled_from(OPCODES) | st.binary(max_size=3), max_size=40))
def test_any_opcodes(tmp_path: Path, parts: list[bytes]) -> None:
    ask(tmp_path, archive(b"\x80\x02}(" + b"".join(parts) + b"u."))
    ask(tmp_path, archive(b"".join(parts) + b"."))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["F32", "I64"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
DESCRIPTIONS = st.fixed_dictionaries({"dtype": JSON, "shape": JSON, "data_offsets": JSON})


@FUZZ
@given(header=JSON | st.dictionaries(st.text(max_size=3), DESCRIPTIONS | JSON), numbers=st.binary(max_size=9))
def test_any_header(tmp_path: Path, header: Any, numbers: bytes) -> None:
    text = json.dumps(header).encode()
    ask(tmp_path, len(text).to_bytes(8, "little") + text + numbers, ".safetensors")


class Trap:
    """Pickles as a call that writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    "wrap", [lambda t: t, lambda t: {"w": t}, lambda t: {"model": {"w": t}}, lambda t: [t]]
)
def test_nothing_is_run(tmp_path: Path, protocol: int, wrap: Any) -> None:
    touched = tmp_path / "touched"
    content = archive(pickle.dumps(wrap(Trap(touched)), protocol))
    assert ask(tmp_path, content) is None
    assert not touched.exists()
    pickle.loads(pickle.dumps(Trap(touched)))  # noqa: S301
    assert touched.exists(), "the trap itself must work"


def refusal(folder: Path, content: bytes, suffix: str = ".pth") -> str:
    path = folder / f"w{suffix}"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        read_entries(path, "w")
    return str(caught.value)


def test_the_format_of_old_torch_is_named(tmp_path: Path) -> None:
    old = saved({"a": torch.zeros(2)}, _use_new_zipfile_serialization=False)
    assert old.startswith(OLD_MAGIC)
    assert "format of torch before 1.6, which is not read; save the model's" in refusal(tmp_path, old)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (archive(PICKLED, numbers=bytes(3)), "are not all there"),
        (archive(PICKLED, byteorder=b"big"), "big end first"),
        (archive(PICKLED, **{"more/data.pkl": b""}), "has 2 members data.pkl"),
        (archive(b"\x80\x02" + b"(" * 9 + b"."), "takes more than it puts"),
        (archive(b"\x80\x02}h\x07."), "remembers what it never saw"),
        (archive(PICKLED[:-1]), "pickle exhausted before seeing STOP"),
    ],
)
def test_what_is_wrong_with_an_archive_is_said(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in refusal(tmp_path, content)


def test_a_pickle_cannot_take_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doubled = b"\x80\x02)q\x00" + b"h\x00h\x00\x86q\x00" * 60
    # Hashed as a key, such a tuple would take 2 ** 60 steps.
    assert ask(tmp_path, archive(doubled + b"0}h\x00Ns.")) is None
    monkeypatch.setattr(pickles, "STEPS", 5)
    assert "more than 5 steps" in refusal(tmp_path, archive(b"\x80\x02" + b"N" * 9 + b"."))


def test_a_long_pickle_is_read_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "PICKLE_BYTES", 1000)
    assert "data.pkl is larger than 1,000 bytes" in refusal(tmp_path, archive(bytes(2000)))


def test_an_archive_that_unpacks_to_far_more_than_it_is_is_refused(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("w/data.pkl", b"\x80\x02}.")
        opened.writestr("w/data/0", bytes(2**20))
    assert "unpacks to more than 4 times its size" in refusal(tmp_path, made.getvalue())


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, "numbers of 'a' are not all there"),
        (
            {"a": {"dtype": "F8_E4M3", "shape": [8], "data_offsets": [0, 8]}},
            "of type F8_E4M3; save it as float16",
        ),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, "do not lie one after another"),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, "take 4 bytes, but 8 follow"),
        ({"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}, "is no count"),
        ({"a": 3}, "'a' is not described"),
        ([], "no JSON object"),
    ],
)
def test_what_is_wrong_with_a_header_is_said(tmp_path: Path, header: Any, words: str) -> None:
    text = json.dumps(header).encode()
    assert words in refusal(tmp_path, len(text).to_bytes(8, "little") + text + bytes(8), ".safetensors")
