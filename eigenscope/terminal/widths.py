"""Plans of widths and their results, for people."""

from __future__ import annotations

from backend.widths.latency import Latency, Together
from backend.widths.result import Result, ResultRow, Spread, Verdict
from backend.widths.schemas import Plan
from eigenscope.terminal.output import WORDS, millions, print_table

MET = {True: "met", False: "not met", None: "not yet known"}


def print_plan(plan: Plan) -> None:
    """Print widths by group and sizes by stage on stdout, and what they come to on stderr."""
    groups = [
        [
            one.group,
            f"{one.dimensionality:.4g}",
            f"{one.positions_per_channel:.3g}",
            str(one.original),
            str(one.width),
        ]
        for one in plan.groups
    ]
    columns = ("group", "dimensionality", "positions/channel", "width before", "after")
    print_table(columns, groups, numeric=columns[1:])
    stages = [
        [
            stage.name,
            millions(stage.parameters_before),
            millions(stage.parameters_after),
            giga(stage.macs_before),
            giga(stage.macs_after),
        ]
        for stage in plan.stages
    ]
    headings = ("stage", "parameters before", "after", "MACs before", "after")
    print_table(headings, stages, numeric=headings[1:])
    totals = plan.totals
    WORDS.print(
        f"backbone parameters {change(totals.backbone_parameters_ratio)}, all parameters "
        f"{change(totals.parameters_ratio)}, MACs {change(totals.macs_ratio)} (scale {plan.scale:.4g})",
        markup=False,
    )
    for warning in plan.warnings:
        WORDS.print(f"note: {warning}", markup=False)


def print_result(found: Result) -> None:
    """Print the networks side by side on stdout, and the paper's line on stderr."""
    columns = (
        "network",
        "runs",
        "AP, %",
        "mask AP, %",
        "top-1, %",
        "parameters",
        "backbone",
        "MACs",
        "forward, ms",
        "activations, MiB",
    )
    print_table(columns, [_cells(row, found.latency) for row in found.rows], numeric=columns[1:])
    WORDS.print(_verdict(found.verdict), markup=False)
    if found.latency.caution and not found.latency.together:
        WORDS.print(f"note: {found.latency.caution}", markup=False)


def change(ratio: float) -> str:
    """Show a ratio as a change: 0.73 as −27.0 %."""
    percent = 100 * (ratio - 1)
    return f"{'−' if percent < 0 else '+'}{abs(percent):.1f} %"


def giga(value: int | None) -> str:
    """Show a count in thousands of millions."""
    return "–" if value is None else f"{value / 1e9:.2f} G"


def _cells(row: ResultRow, latency: Latency) -> list[str]:
    ended = sum(status == "succeeded" for status in row.statuses)
    return [
        row.role,
        f"{ended}/{len(row.statuses)}",
        *(_spread(value, 100, 1) for value in (row.ap, row.mask_ap, row.top1)),
        millions(row.parameters),
        millions(row.backbone_parameters),
        giga(row.macs),
        _seconds(row, latency.together),
        _spread(row.forward_bytes, 2**-20, 0),
    ]


def _seconds(row: ResultRow, together: Together | None) -> str:
    """Show what may be compared where there is such a measurement."""
    if together is not None and row.role in together.seconds:
        return f"{1e3 * together.seconds[row.role]:.0f}"
    return _spread(row.forward_seconds, 1e3, 0)


def _spread(value: Spread | None, factor: float, digits: int) -> str:
    if value is None:
        return "–"
    mean = f"{factor * value.mean:.{digits}f}"
    return mean if value.deviation is None else f"{mean} ± {factor * value.deviation:.{digits}f}"


def _verdict(verdict: Verdict) -> str:
    open_yet = verdict.accuracy is None and verdict.difference is not None
    accuracy = f"accuracy not below the baseline's: {'not decided' if open_yet else MET[verdict.accuracy]}"
    if verdict.difference is not None:
        spread = (
            "spread of one seed unknown" if verdict.spread is None else f"spread {100 * verdict.spread:.1f}"
        )
        accuracy += f" ({verdict.measure} {100 * verdict.difference:+.1f}, {spread})"
    return (
        f"the paper's line: 27 % fewer backbone parameters: {MET[verdict.parameters]}; MACs at most the source's: "
        f"{MET[verdict.macs]}; {accuracy}"
    )
