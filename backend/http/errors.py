"""The one error shape: `{"error": type, "detail": sentence}`, with `fields` where a form can show them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from backend.errors import EigenscopeError
from backend.observability.context import request_id
from backend.runs.places import place_of

_log = logging.getLogger(__name__)
_TYPES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


def add_error_handlers(app: FastAPI) -> None:
    """Give every failure of the API the one shape."""
    app.add_exception_handler(EigenscopeError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OperationalError, _database)
    app.add_exception_handler(Exception, _unexpected)


def answer(status: int, kind: str, detail: str, **more: Any) -> JSONResponse:
    """Return an error response in the one shape."""
    return JSONResponse({"error": kind, "detail": detail, **more}, status_code=status)


def field_errors(
    errors: Sequence[Any], meant: Callable[[str], str | None] = lambda _: None
) -> list[dict[str, str]]:
    """Return `{"field": "training.lr", "message": …}` of pydantic's errors, without its prefixes.

    `meant` tells what a field that does not exist was meant to be, if it knows.
    """
    found = []
    for error in errors:
        field = _field(error["loc"])
        # Several contradictions of one specification come as the lines of one message.
        for message in _message(error, meant(field)).splitlines():
            found.append({"field": field or _named(message), "message": message})
    return found


def as_sentence(problem: dict[str, str]) -> str:
    """Return a field error as one sentence that begins with the field's name."""
    field, message = problem["field"], problem["message"]
    return message if not field or message.startswith(field) else f"{field}: {message}"


def _named(message: str) -> str:
    # A contradiction between two fields has no place of its own; its sentence begins with the field to change.
    found = re.match(r"[a-z_0-9]+(\.[a-z_0-9]+)+", message)
    return found.group() if found else ""


def _field(location: Sequence[Any]) -> str:
    # A discriminated union puts the chosen kind into the path: body.init.file.file is the field init.file.
    parts = [str(part) for part in location if part not in ("body", "query", "path")]
    kinds = {"imagenet", "scratch", "run", "file", "coco", "voc", "folders", "shapes"}
    if len(parts) > 1 and parts[0] == "init" and parts[1] in kinds:
        del parts[1]
    elif parts and parts[0] in kinds:
        del parts[0]
    return ".".join(parts)


def _message(error: Any, meant: str | None) -> str:
    if error["type"] == "extra_forbidden":
        if meant:
            return f"there is no such field; {meant} is meant, perhaps"
        return "there is no such field; remove it or mend its name"
    message: str = error["msg"]
    return message.removeprefix("Value error, ")


async def _known(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, EigenscopeError)  # noqa: S101 - narrows the handler's type
    return answer(error.status, error.type, str(error))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - narrows the handler's type
    takes_a_specification = request.url.path.endswith(("/runs", "/runs/preview"))
    fields = field_errors(error.errors(), place_of) if takes_a_specification else field_errors(error.errors())
    sentence = "; ".join(as_sentence(f) for f in fields[:5])
    return answer(422, "invalid_input", sentence, fields=fields)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - narrows the handler's type
    kind = _TYPES.get(error.status_code, "http_error")
    return answer(error.status_code, kind, str(error.detail))


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
