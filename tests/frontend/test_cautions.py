"""What pages say of few positions and of thresholds below rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session

from backend.measurements import repository as measurements
from backend.measurements.records import LayerRow, SpectrumRow
from backend.models import Run
from frontend.cautions import absolute_threshold, below_rounding, cautions, few_positions

PLENTY = 100_000


def measured(
    session: Session,
    layers: list[tuple[str, str, int]],
    snapshots: dict[int, list[tuple[float, int]]],
    name: str = "a run",
    **specification: Any,
) -> Run:
    """Add a run with (name, kind, width) layers, and (λ_1, positions) of each layer at each iteration."""
    told = {"init": {"kind": "unknown"}, "settings": {}} | specification
    run = Run(name=name, origin="recorded", status="succeeded", specification=told, iterations=0)
    session.add(run)
    session.flush()
    rows = [LayerRow(k, name, kind, "stage", width) for k, (name, kind, width) in enumerate(layers)]
    measurements.write_layers(session, run.id, rows)
    for iteration, values in snapshots.items():
        spectra = [
            SpectrumRow(k, np.array([largest]), 1, largest, largest, 1, positions)
            for k, (largest, positions) in enumerate(values)
        ]
        measurements.write_spectra(session, run.id, iteration, spectra)
    return run


def test_nothing_is_said_of_a_run_that_measured_well_or_nothing(session: Session) -> None:
    well = measured(session, [("conv1", "conv", 4)], {0: [(8000.0, 32)]})
    empty = measured(session, [("conv1", "conv", 4)], {})
    assert cautions(session, [well, empty], "absolute", "0.001") == []


def test_few_positions_count_in_the_last_snapshot_only(session: Session) -> None:
    run = measured(session, [("conv1", "conv", 4)], {0: [(1.0, 4)], 10: [(1.0, 32)]})
    assert few_positions(session, [run]) is None
    run = measured(session, [("conv1", "conv", 4)], {0: [(1.0, 32)], 10: [(1.0, 30)]})
    found = few_positions(session, [run])
    assert found
    assert found.sentence == (
        "conv1 saw fewer than 8 positions per channel (7.5), so dimensionality reads low there; "
        "use more probe images or larger ones."
    )
    assert found.details == (), "the sentence says it all"


def test_few_positions_name_the_worst_and_list_the_rest_of_every_run(session: Session) -> None:
    layers = [("a", "conv", 4), ("b", "block", 4)]
    first = measured(session, layers, {0: [(1.0, 8), (1.0, 4)]}, name="first")
    second = measured(session, layers, {0: [(1.0, 8), (1.0, PLENTY)]}, name="second")
    found = few_positions(session, [first, second])
    assert found
    assert found.sentence.startswith(
        "b and 1 more layer saw fewer than 8 positions per channel (down to 1.0)"
    )
    assert found.details == ("first: b: 1.0", "first: a: 2.0", "second: a: 2.0")


@pytest.mark.parametrize("kind", ["box_head", "mask_head"])
def test_positions_of_proposals_are_said_to_be_theirs(session: Session, kind: str) -> None:
    run = measured(session, [("head.fc", kind, 4)], {0: [(1.0, 2)]})
    found = few_positions(session, [run])
    assert found
    assert found.sentence.endswith("use more probe images (at head.fc, positions are the proposals').")
    both = measured(session, [("conv1", "conv", 4), ("fc", kind, 4)], {0: [(1.0, 2), (1.0, 4)]})
    found = few_positions(session, [both])
    assert found
    assert found.sentence.endswith("images or larger ones (at fc, positions are the proposals').")
    assert found.details == ("conv1: 0.5", "fc: 1.0 (proposals)")


def test_larger_images_are_not_advised_for_linear_layers(session: Session) -> None:
    found = few_positions(session, [measured(session, [("fc", "linear", 4)], {0: [(1.0, 2)]})])
    assert found
    assert found.sentence.endswith("use more probe images.")


def test_a_threshold_below_rounding_names_layer_iteration_and_remedy(session: Session) -> None:
    run = measured(session, [("conv1", "conv", 4)], {0: [(5.0, PLENTY)], 1: [(2.1e5, PLENTY)]})
    found = below_rounding(session, [run], 1e-3)
    assert found
    assert found.sentence == (
        "τ = 0.001 lies below float32's floor at conv1 (λ₁ = 2.1e5, iteration 1): eigenvalues below 0.025 there "
        "are rounding; use the relative criterion, or probe.batch_statistics 'probe'."
    )
    assert found.details == ()
    assert below_rounding(session, [run], 0.1) is None, "τ is above the floor"


def test_a_threshold_below_rounding_lists_every_layer_worst_first(session: Session) -> None:
    layers = [("a", "conv", 4), ("b", "conv", 4), ("c", "conv", 4)]
    early, late = (
        [(2e4, PLENTY), (1e6, PLENTY), (8000.0, PLENTY)],
        [(1e4, PLENTY), (1.0, PLENTY), (1.0, PLENTY)],
    )
    run = measured(session, layers, {1: early, 20: late}, probe={"batch_statistics": "probe"})
    found = below_rounding(session, [run], 1e-3)
    assert found
    assert "at b (λ₁ = 1e6, iteration 1) and 1 more layer: eigenvalues below 0.12 there" in found.sentence
    assert found.sentence.endswith("use the relative criterion."), "the other remedy is taken already"
    assert found.details == (
        "b: λ₁ = 1e6, floor 0.12, iteration 1",
        "a: λ₁ = 2e4, floor 0.0024 at iteration 1; 2 snapshots from 1 to 20",
    )


def test_long_lists_are_cut(session: Session) -> None:
    layers = [(f"layer{k}", "conv", 4) for k in range(100)]
    found = few_positions(session, [measured(session, layers, {0: [(1.0, 4)] * 100})])
    assert found
    assert len(found.details) == 61
    assert found.details[-1] == "and 40 more"


@pytest.mark.parametrize(
    ("criterion", "threshold", "expected"),
    [
        ("", "", 1e-3),
        ("absolute", "0.01", 0.01),
        ("no such thing", "", 1e-3),
        ("relative", "0.01", None),
        ("absolute", "ten", None),
        ("absolute", "-1", None),
        ("absolute", "nan", None),
    ],
)
def test_only_the_absolute_criterion_has_a_floor(
    criterion: str, threshold: str, expected: float | None
) -> None:
    assert absolute_threshold(criterion, threshold) == expected
