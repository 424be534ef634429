"""docs/models.md says what the code does, for every model with its standard widths."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.sizes import BEGIN, PAGE, PUBLISHED, Sized, all_models, published, tables, write_tables


@pytest.fixture(scope="module")
def models() -> list[Sized]:
    return all_models()


def test_our_counts_are_torchs(models: list[Sized]) -> None:
    assert len(models) == 16
    for one in models:
        assert (one.parameters, one.macs) == (one.torch_parameters, one.torch_macs)


@pytest.mark.parametrize("name", PUBLISHED)
def test_our_counts_are_the_published_ones(name: str) -> None:
    theirs, ours = published(name)
    assert ours.parameters == theirs["num_params"]
    # Published without what a mask head does, on an image in which nothing is detected.
    seen = sum(stage.macs for stage in ours.stages if stage.name != "mask_head")
    assert round(seen / 1e9, 3) == pytest.approx(theirs["_ops"], abs=1e-9)


def test_the_page_is_current(models: list[Sized]) -> None:
    _, mark, written = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    assert mark
    assert written == tables(models), "run `make docs`"


def test_prose_is_kept_and_a_page_without_a_mark_refused(tmp_path: Path) -> None:
    page = tmp_path / "models.md"
    page.write_text(f"# Models\n{BEGIN}old")
    write_tables(page, [])
    assert page.read_text().startswith(f"# Models\n{BEGIN}\n## Width groups and maps")
    assert "old" not in page.read_text()
    page.write_text("# Models\n")
    with pytest.raises(ValueError, match=r"models\.md has no place for the tables: put back the line"):
        write_tables(page, [])
