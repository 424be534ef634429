"""Requests made from the OpenAPI document by schemathesis: such as it allows, and such as it forbids."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from requests import PreparedRequest, Request
from requests.exceptions import RequestException
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from backend.measurements import recording
from benchmarks.drills.input_home import Ids
from benchmarks.drills.input_wire import Sent
from frontend.site import PAGES

BASE = "http://127.0.0.1"
KNOWN = 0.7
"""How often an id is one that there is: a random one nearly never is."""
DROPPED = ("host", "content-length", "user-agent", "connection", "x-schemathesis-testcaseid")
MOST_SHAPES = {"train": 3, "val": 2, "size": 64}


@schemathesis.serializer(recording.MEDIA_TYPE)
def _as_bytes(_context: Any, value: Any) -> bytes:
    """Let schemathesis send spectra; it makes bytes of no meaning."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def documents(app: FastAPI) -> list[dict[str, Any]]:
    """Return the API's own OpenAPI document, and one of the pages, which have none."""
    pages = FastAPI()
    for module in PAGES:
        pages.include_router(module.router)
    return [app.openapi(), pages.openapi()]


def operations(document: dict[str, Any]) -> list[Any]:
    """Return schemathesis' view of every operation of a document."""
    schema = schemathesis.openapi.from_dict(document)
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


def label(operation: Any) -> str:
    """Return what the report calls an operation."""
    return f"{operation.method.upper()} {operation.path}"


def described(operation: Any, ids: Ids, count: int, number: int) -> Iterator[Sent]:
    """Yield about `count` requests to an operation, the same for the same `number`."""
    rng = random.Random(f"{label(operation)} {number}")
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        for case in _cases(operation, mode, (count + 1) // 2, number):
            _with_known_ids(case, ids, rng)
            sent = _prepared(case, label(operation))
            if sent is not None:
                yield sent


def _cases(operation: Any, mode: GenerationMode, count: int, number: int) -> list[Any]:
    found: list[Any] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        found.append(case)

    try:
        collect()
    except Unsatisfiable:
        # An operation that takes nothing cannot be asked wrongly.
        return []
    return found


def _with_known_ids(case: Any, ids: Ids, rng: random.Random) -> None:
    for part in (case.path_parameters, case.query, case.body):
        if not isinstance(part, dict):
            continue
        for name in part:
            if ids.of(name) and rng.random() < KNOWN:
                part[name] = rng.choice(ids.of(name))
    if isinstance(case.body, dict) and case.body.get("kind") == "shapes":
        case.body = _small(case.body)


def _small(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request for generated images that is soon done."""
    numbers = {name: body.get(name, most) for name, most in MOST_SHAPES.items()}
    small = {name: MOST_SHAPES[name] for name, value in numbers.items() if isinstance(value, int | float)}
    return {**body, **small}


def _prepared(case: Any, operation: str) -> Sent | None:
    """Return a case as it goes over the wire; None where it cannot be written there at all."""
    try:
        prepared = Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
    except (RequestException, ValueError, UnicodeError):
        return None
    return _of_prepared(prepared, operation)


def _of_prepared(prepared: PreparedRequest, operation: str) -> Sent:
    path, _, query = str(prepared.url).removeprefix(BASE).partition("?")
    body = prepared.body
    written = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return Sent(
        operation,
        str(prepared.method),
        path or "/",
        query,
        tuple(_headers(prepared.headers)),
        written if isinstance(written, bytes) else b"",
    )


def _headers(headers: Mapping[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers.items():
        if name.lower() not in DROPPED:
            text = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
            yield name.lower().encode("latin-1", "replace"), text


def parameters(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Sequence[str], bool]]:
    """Yield (method, path, names of query parameters, whether it takes a body) of every operation."""
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            named = [p["name"] for p in one.get("parameters", ()) if p["in"] == "query"]
            yield method.upper(), path, named, "requestBody" in one


def as_json(value: Any) -> bytes:
    """Return JSON as a careless client writes it: with NaN, and halves of characters escaped."""
    return json.dumps(value).encode()
