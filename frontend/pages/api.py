"""The API's page: every call with its parameters and bodies, from the same description as /openapi.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from frontend.templating import page

router = APIRouter()

PREFIX = "/api/v1/"
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter, or a field of a body."""

    name: str
    kind: str
    about: str
    place: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One method of one address."""

    method: str
    address: str
    about: str
    values: list[Value]
    body: str
    answer: str


@router.get("/docs")
def show(request: Request) -> HTMLResponse:
    """Show the API without asking any other server for a viewer."""
    described = request.app.openapi()
    schemas = described["components"]["schemas"]
    return page(request, "api.html", groups=groups(described["paths"]), shapes=shapes(schemas))


def groups(paths: dict[str, Any]) -> dict[str, list[Call]]:
    """Return all calls by the first word of their address."""
    found: dict[str, list[Call]] = {}
    for address, methods in paths.items():
        word = address.removeprefix(PREFIX).partition("/")[0]
        calls = [_call(address, method, methods[method]) for method in METHODS if method in methods]
        found.setdefault(word, []).extend(calls)
    return dict(sorted(found.items()))


def shapes(schemas: dict[str, Any]) -> dict[str, list[Value]]:
    """Return the fields of every body by its name."""
    return {
        name: [
            Value(field, kind_of(about), about.get("description", ""), "", field in shape.get("required", ()))
            for field, about in shape["properties"].items()
        ]
        for name, shape in sorted(schemas.items())
        if shape.get("properties")
    }


def kind_of(schema: dict[str, Any]) -> str:
    """Return a schema as a person says it."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    several = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if several:
        return " | ".join(dict.fromkeys(kind_of(one) for one in several))
    kind = schema.get("type", "any")
    return f"list of {kind_of(schema.get('items', {}))}" if kind == "array" else str(kind)


def _call(address: str, method: str, described: dict[str, Any]) -> Call:
    values = [
        Value(one["name"], kind_of(one["schema"]), _about(one), one["in"], one.get("required", False))
        for one in described.get("parameters", ())
    ]
    answers = [content for status, content in described["responses"].items() if status.startswith("2")]
    return Call(
        method.upper(),
        address,
        described.get("description") or described.get("summary", ""),
        values,
        _content(described.get("requestBody", {})),
        _content(answers[0]) if answers else "",
    )


def _about(parameter: dict[str, Any]) -> str:
    return str(parameter.get("description") or parameter["schema"].get("description", ""))


def _content(described: dict[str, Any]) -> str:
    return " | ".join(
        kind_of(content.get("schema", {})) if kind == "application/json" else kind
        for kind, content in described.get("content", {}).items()
    )
