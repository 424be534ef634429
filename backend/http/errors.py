"""The one error shape: `{"error": type, "detail": sentence}`, with `fields` where a form can show them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException

from backend.errors import EigenscopeError
from backend.http.wording import words_of
from backend.observability.context import request_id
from backend.runs.places import place_of

_log = logging.getLogger(__name__)
_TYPES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
LONGEST_DETAIL = 2000
"""Letters; a sentence that quotes what was sent is cut, not the whole of it sent back."""
LONGEST_FIELD = 200
MOST_FIELDS = 50
"""A list of thousands of wrong items is not answered item by item."""


class FieldError(BaseModel):
    """A field that is wrong, and what to change."""

    field: str
    message: str


class ErrorAnswer(BaseModel):
    """What every error answers; `fields` where single fields of the request are wrong."""

    error: str
    detail: str
    fields: list[FieldError] | None = None


ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "model": ErrorAnswer,
        "description": "The request cannot be answered; `detail` says what to change.",
    },
    422: {"model": ErrorAnswer, "description": "A parameter or field is wrong; `detail` says which."},
}
"""What every operation may answer besides its own, as the OpenAPI document says it."""


def add_error_handlers(app: FastAPI) -> None:
    """Give every failure of the API the one shape."""
    app.add_exception_handler(EigenscopeError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DataError, _unstorable)
    app.add_exception_handler(OperationalError, _database)
    app.add_exception_handler(Exception, _unexpected)


def answer(status: int, kind: str, detail: str, **more: Any) -> JSONResponse:
    """Return an error response in the one shape."""
    content = {"error": kind, "detail": _shown(detail, LONGEST_DETAIL), **more}
    return JSONResponse(content, status_code=status)


def _shown(text: str, longest: int) -> str:
    """Return text that can be sent, without halves of characters, and cut where it is very long."""
    sound = text.encode("utf-8", "replace").decode()
    return sound if len(sound) <= longest else f"{sound[:longest]} …"


def field_errors(
    errors: Sequence[Any], meant: Callable[[str], str | None] = lambda _: None
) -> list[dict[str, str]]:
    """Return `{"field": "training.lr", "message": …}` of pydantic's errors, without its prefixes.

    `meant` tells what a field that does not exist was meant to be, if it knows.
    """
    found = []
    for error in errors:
        # Where the body is no JSON, the place is a count of letters.
        run, field = ("", "") if error["type"] == "json_invalid" else _place(error["loc"])
        # Several contradictions of one specification come as the lines of one message.
        for message in _message(error, meant(field)).splitlines():
            path = ".".join(filter(None, (run, field or _named(message))))
            found.append({"field": _shown(path, LONGEST_FIELD), "message": _shown(message, LONGEST_DETAIL)})
            if len(found) == MOST_FIELDS:
                return found
    return found


def as_sentence(problem: dict[str, str]) -> str:
    """Return a field error as one sentence that begins with the field's name."""
    field, message = problem["field"], problem["message"]
    return message if not field or message.startswith(field) else f"{field}: {message}"


def _named(message: str) -> str:
    # A contradiction between two fields has no place of its own; its sentence begins with the field to change.
    found = re.match(r"[a-z_0-9]+(\.[a-z_0-9]+)+", message)
    return found.group() if found else ""


def _place(location: Sequence[Any]) -> tuple[str, str]:
    """Return which of several runs is meant, as `runs.1`, empty where there is one; and the field."""
    parts = [str(part) for part in location if part not in ("body", "query", "path", "header")]
    several = len(parts) > 1 and parts[0] == "runs" and parts[1].isdigit()
    return (".".join(parts[:2]), _field(parts[2:])) if several else ("", _field(parts))


def _field(parts: list[str]) -> str:
    # A discriminated union puts the chosen kind into the path: init.file.file is the field init.file.
    kinds = {"imagenet", "scratch", "run", "file", "coco", "voc", "folders", "shapes"}
    if len(parts) > 1 and parts[0] == "init" and parts[1] in kinds:
        del parts[1]
    elif parts and parts[0] in kinds:
        del parts[0]
    return ".".join(parts)


def _message(error: Any, meant: str | None) -> str:
    if error["type"] == "json_invalid":
        return f"the body is no JSON ({error['ctx']['error']} at character {error['loc'][-1]}); mend it"
    if error["type"] == "extra_forbidden":
        if meant:
            return f"there is no such field; {meant} is meant, perhaps"
        return "there is no such field; remove it or mend its name"
    return words_of(error)


async def _known(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, EigenscopeError)  # noqa: S101 - narrows the handler's type
    return answer(error.status, error.type, str(error))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - narrows the handler's type
    takes_a_specification = request.url.path.endswith(("/runs", "/runs/together", "/runs/preview"))
    fields = field_errors(error.errors(), place_of) if takes_a_specification else field_errors(error.errors())
    sentence = "; ".join(as_sentence(f) for f in fields[:5])
    return answer(422, "invalid_input", sentence, fields=fields)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - narrows the handler's type
    kind = _TYPES.get(error.status_code, "http_error")
    # FastAPI's words where a body is broken in another way than JSON's grammar: its encoding, its depth, its numbers.
    detail = _UNREADABLE if error.detail == "There was an error parsing the body" else str(error.detail)
    response = answer(error.status_code, kind, detail)
    # Such as Allow, which says by what methods an address may be asked.
    response.headers.update(error.headers or {})
    return response


_UNREADABLE = "the body cannot be read; send JSON in UTF-8, not nested deeply, with numbers of few digits"


async def _unstorable(_request: Request, error: Exception) -> JSONResponse:
    _log.warning("the database refuses a value: %s", error)
    detail = (
        "a number or a text of the request is beyond what the database can hold; make it smaller or plainer"
    )
    return answer(422, "invalid_input", detail)


async def _database(_request: Request, error: Exception) -> JSONResponse:
    _log.error("the database does not answer: %s", error)
    return answer(503, "unavailable", "the database does not answer; see the server's log")


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _log.error("unexpected failure of %s %s", request.method, request.url.path, exc_info=error)
    refusal = answer(
        500, "internal", "something went wrong that we did not foresee; the server's log has the trace"
    )
    # This is answered outside of what gives every other answer its id.
    refusal.headers["X-Request-ID"] = request_id.get() or ""
    return refusal
