"""What forward passes took, and whether the times may be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel

from backend.architectures.widths import resolved_widths
from backend.models import Run
from backend.runs.specification import RunSpecification

ALIKE = 1.2
"""Times of one and the same network that differ by more than this factor tell of the machine's load too."""
SECONDS, BYTES, THREADS = "forward_seconds", "forward_bytes", "forward_threads"
"""Metrics that a trainer measures at its end: one forward pass of one image, on so many threads."""
TOGETHER = "together_seconds."
"""Metrics of a plan's last run, by role: networks measured in turns, so that load falls on all of them alike."""

Metrics = Mapping[tuple[int, str], float]


class Pass(BaseModel):
    """One run's own measurement, taken when it ended."""

    run_id: int
    seconds: float
    device: str | None
    threads: int | None
    """Of the processor; null where an older trainer did not say."""
    measured_at: datetime | None


class Together(BaseModel):
    """Networks measured in turns by one process, in seconds by role: these may be compared."""

    run_id: int
    """Whose trainer measured."""
    seconds: dict[str, float]
    device: str | None
    threads: int | None
    measured_at: datetime | None


class Latency(BaseModel):
    """All measurements of a plan's networks; `caution` says why the runs' own may not be compared, null if nothing."""

    passes: list[Pass]
    together: Together | None
    caution: str | None


def latency(source: Run | None, launched: Sequence[Run], metrics: Metrics) -> Latency:
    """Return what a plan's source and runs measured, each on its own, and the last of the runs for all.

    What the source measured of other networks belongs to the plan that it was itself launched from.
    """
    runs = [*([source] if source is not None else []), *(run for run in launched if run is not source)]
    passes = [_pass(run, metrics) for run in runs if (run.id, SECONDS) in metrics]
    return Latency(passes=passes, together=_together(launched, metrics), caution=_caution(runs, passes))


def _pass(run: Run, metrics: Metrics) -> Pass:
    threads = metrics.get((run.id, THREADS))
    return Pass(
        run_id=run.id,
        seconds=metrics[run.id, SECONDS],
        device=run.device,
        threads=None if threads is None else int(threads),
        measured_at=run.finished_at,
    )


def _together(runs: Sequence[Run], metrics: Metrics) -> Together | None:
    for run in sorted(runs, key=lambda run: run.id, reverse=True):
        seconds = {
            name.removeprefix(TOGETHER): value
            for (run_id, name), value in metrics.items()
            if run_id == run.id and name.startswith(TOGETHER)
        }
        if seconds:
            threads = metrics.get((run.id, THREADS))
            return Together(
                run_id=run.id,
                seconds=seconds,
                device=run.device,
                threads=None if threads is None else int(threads),
                measured_at=run.finished_at,
            )
    return None


def _caution(runs: Sequence[Run], passes: Sequence[Pass]) -> str | None:
    devices = _distinct(one.device for one in passes)
    if len(devices) > 1:
        return (
            f"Latencies cannot be compared: they were measured on different devices ({', '.join(devices)})."
        )
    threads = _distinct(f"{one.threads}" for one in passes if one.threads is not None)
    if len(threads) > 1:
        return f"Latencies cannot be compared: they were measured on {' and '.join(threads)} threads."
    unlike = _most_unlike(runs, {one.run_id: one.seconds for one in passes})
    if unlike is None:
        return None
    (fast, slow), (least, most) = unlike
    return (
        f"Latencies cannot be compared: run {fast} and run {slow} have networks of the same widths and took "
        f"{1e3 * least:.3g} and {1e3 * most:.3g} ms, so that the machine's load is in these times."
    )


def _distinct(values: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))


def _most_unlike(
    runs: Sequence[Run], seconds: Mapping[int, float]
) -> tuple[tuple[int, int], tuple[float, float]] | None:
    """Return the fastest and the slowest run of that network whose times differ most, if they differ too much."""
    alike: dict[object, list[int]] = {}
    for run in runs:
        if run.id in seconds:
            alike.setdefault(_network(run), []).append(run.id)
    pairs = [
        (min(ids, key=lambda k: seconds[k]), max(ids, key=lambda k: seconds[k])) for ids in alike.values()
    ]
    worst = max(pairs, key=lambda pair: seconds[pair[1]] / seconds[pair[0]], default=None)
    if worst is None or seconds[worst[1]] <= ALIKE * seconds[worst[0]]:
        return None
    return worst, (seconds[worst[0]], seconds[worst[1]])


def _network(run: Run) -> object:
    """Return what tells networks of different shapes apart."""
    own = RunSpecification.model_validate(run.specification)
    model = own.model
    widths = resolved_widths(model.architecture, model.backbone, model.widths)
    return model.architecture, model.backbone, tuple(widths.items()), own.training.image_size
