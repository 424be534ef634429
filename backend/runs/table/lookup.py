"""From a column's short key, as it stands in an address, to the column; and which columns there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from backend.errors import InvalidInput
from backend.measurements import metric_summaries
from backend.measurements.category_metrics import category_metric
from backend.runs.table import settings
from backend.runs.table.columns import BUILT_IN, ENDS, FORCED, Column, metric_column, setting_column


def column(session: Session, key: str) -> Column:
    """Return the column of this key: a field of runs, a metric as `loss:min`, a setting as `training.lr`."""
    if key in BUILT_IN:
        return BUILT_IN[key]
    metric, _, end = key.rpartition(":")
    if metric and end in ENDS and not key.startswith(FORCED):
        return metric_column(metric, end)
    name = key.removeprefix(FORCED)
    known = settings.specified()
    if name in known:
        return setting_column(key, known[name])
    if name in settings.recorded(session):
        return setting_column(key)
    raise InvalidInput(
        f"there is no column '{key}'; a column is a field such as `ap`, a metric as `loss:last`, `loss:min` or "
        "`loss:max`, or a setting such as `training.lr`"
    )


def columns(session: Session, keys: Sequence[str]) -> list[Column]:
    """Return the columns of these keys, each once."""
    return [column(session, key) for key in dict.fromkeys(keys)]


def available(session: Session) -> Iterator[Column]:
    """Yield every column that a person can choose: of runs, of metrics, of settings.

    Metrics of single categories, hundreds of columns, are left out; asked for by name they are columns as others are.
    """
    yield from BUILT_IN.values()
    for name in metric_summaries.names(session):
        if category_metric(name) is None:
            yield from (metric_column(name, end) for end in ENDS)
    known = settings.specified()
    yield from (setting_column(name, about) for name, about in known.items())
    for name in settings.recorded(session):
        if name not in known:
            yield setting_column(_unmistakable(name))


def _unmistakable(name: str) -> str:
    ambiguous = name in BUILT_IN or name.rpartition(":")[2] in ENDS or name.startswith(FORCED)
    return f"{FORCED}{name}" if ambiguous else name
