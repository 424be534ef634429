"""The Widths page's address: short keys, what they ask for, and what its controls show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.errors import InvalidInput
from backend.http.errors import field_errors
from backend.spectra.criteria import CRITERIA, CriterionInfo
from backend.widths.curve import range_around
from backend.widths.schemas import WidthRequest
from frontend.width_problems import problems_of

Text = Annotated[str, Field(max_length=40)]

FIELDS = {
    "run": "run_id",
    "i": "iteration",
    "c": "criterion",
    "t": "threshold",
    "macs": "budget",
    "params": "parameters_budget",
    "tie": "tie",
    "div": "divisor",
    "min": "minimum",
    "cap": "cap",
}
"""Of a request, by key; `also` and `include` are lists of their own."""
NULLABLE = ("i", "t", "params")
"""Keys whose absence and whose emptiness mean the same."""


class WidthKeys(BaseModel):
    """The query, all text: what does not fit is said on the page, at its chart."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    run: Text = ""
    i: Text = ""
    c: Text = ""
    t: Text = ""
    macs: Text | None = Field(None, description="Empty sets no bound; absent takes the default.")
    params: Text = ""
    tie: Text = ""
    div: Text = ""
    min: Text = ""
    cap: Text = ""
    also: list[Text] = Field(default=[], max_length=50)
    include: list[Text] = Field(default=[], max_length=10)

    def value(self, key: str) -> str:
        """Return what the control of a key shows: what was asked for, else the default."""
        given = getattr(self, key)
        if given or (key == "macs" and given == ""):
            return str(given)
        default = WidthRequest.model_fields[FIELDS[key]].default
        return "" if default is None else f"{default:g}" if isinstance(default, float) else str(default)

    @property
    def criterion(self) -> CriterionInfo:
        """The criterion chosen; an unknown one shows as the paper's, while the page says that it is unknown."""
        return CRITERIA.get(self.value("c"), next(iter(CRITERIA.values())))

    @property
    def capped(self) -> bool:
        """Whether widths stay at or below the source's."""
        return self.cap == "1"

    def request(self) -> WidthRequest:
        """Return what is asked for. Raises `InvalidInput` for a value that does not fit its field."""
        wanted, problems = self.read()
        if wanted is None:
            raise InvalidInput(" ".join(dict.fromkeys(problems.values())))
        return wanted

    def read(self) -> tuple[WidthRequest | None, dict[str, str]]:
        """Return what is asked for, or None with a sentence for each key whose value does not fit."""
        given = {FIELDS[key]: value for key, value in self._given()}
        # Empty is a value for one field alone: no bound on MACs.
        lists = {"also": tuple(filter(None, self.also)), "include": tuple(filter(None, self.include))}
        try:
            return WidthRequest.model_validate(given | lists), {}
        except ValidationError as error:
            return None, problems_of(field_errors(error.errors()))

    def _given(self) -> Iterator[tuple[str, Any]]:
        for key in FIELDS:
            given = getattr(self, key)
            if key == "macs" and given == "":
                yield key, None
            elif given:
                yield key, given


Keys = Annotated[WidthKeys, Query()]


def figure_query(request: WidthRequest, *, threshold: bool = True) -> str:
    """Return the request as the query of its figures; without the threshold, what its curve depends on."""
    fields: dict[str, Any] = {}
    for name, value in request.model_dump(mode="json", exclude_defaults=True).items():
        if name != "threshold" or threshold:
            fields[name] = "" if value is None else value
    return urlencode(fields, doseq=True)


def slider_ends(info: CriterionInfo) -> tuple[float, float] | None:
    """Return between which numbers the threshold's slider moves, as its curve does; None without a threshold.

    A share near all moves by what it leaves out, from the most left out to the least.
    """
    around = range_around(info)
    return None if around is None else (around.first, around.last)
