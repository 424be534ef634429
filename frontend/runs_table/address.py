"""Addresses of the Runs page: the whole view stands in them, under short keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from backend.runs.table.query import NEWEST_FIRST, TableQuery

PAGE = "/"
CSV = "/api/v1/runs.csv"


@dataclass(frozen=True)
class Address:
    """The address of what a query asks for, and of what lies one step beside it."""

    query: TableQuery

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The parameters that differ from what a bare address shows."""
        asked = self.query
        dataset = "" if asked.dataset_id is None else str(asked.dataset_id)
        archived = "" if asked.archived == "no" else asked.archived
        sort = "" if asked.sort == NEWEST_FIRST else asked.sort
        single = [("text", asked.text), ("tag", asked.tag), ("dataset_id", dataset), ("archived", archived)]
        single += [("by", asked.by), ("sort", sort)]
        several = [("status", asked.status), ("f", asked.filters), ("c", asked.columns)]
        return [pair for pair in single if pair[1]] + [(key, one) for key, some in several for one in some]

    def of(self, path: str) -> str:
        """Return the address of this view at another path."""
        # These may stand in a query as they are, and are easier to read.
        return f"{path}?{urlencode(self.pairs, safe=':,/~')}" if self.pairs else path

    def with_(self, **changes: Any) -> str:
        """Return the page's address with some of the query changed."""
        return Address(replace(self.query, **changes)).of(PAGE)

    def without_filter(self, text: str) -> str:
        """Return the address without one filter."""
        return self.with_(filters=tuple(one for one in self.query.filters if one != text))

    def sorted_by(self, key: str, downwards_first: bool) -> str:
        """Return the address that sorts by a column, and the other way on a second click."""
        first, second = (f"-{key}", key) if downwards_first else (key, f"-{key}")
        return self.with_(sort=second if self.query.sort == first else first)
