"""`eigenscope tokens`, and the token that a server makes for itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.access import tokens
from eigenscope.cli import servers
from eigenscope.first_token import first_token
from eigenscope.instance import open_instance, read_settings

Call = Callable[..., Any]


def test_a_token_is_printed_once_and_listed_by_name(eigenscope: Call) -> None:
    made = eigenscope("tokens", "create", "ann")
    assert made.status == 0
    token = made.out.strip()
    assert token.startswith("eigenscope-")
    assert len(token.split()) == 1
    assert "'ann' may do everything" in made.err
    assert token not in made.err
    assert "asks for a token on this machine too" in made.err
    guest = eigenscope("tokens", "create", "guest", "--read-only")
    assert "'guest' only reads" in guest.err
    assert "on this machine too" not in guest.err
    listed = eigenscope("tokens", "list")
    assert token.split("-", 2)[2] not in listed.out
    assert [line.split()[:2] for line in listed.out.splitlines()[1:]] == [
        ["ann", "everything"],
        ["guest", "read"],
    ]
    rows = json.loads(eigenscope("tokens", "list", "--json").out)
    assert [(row["name"], row["scope"], row["used_at"]) for row in rows] == [
        ("ann", "full", None),
        ("guest", "read", None),
    ]
    assert set(rows[0]) == {"name", "scope", "created_at", "used_at"}


def test_a_token_is_revoked_by_name(eigenscope: Call) -> None:
    eigenscope("tokens", "create", "ann")
    again = eigenscope("tokens", "create", "ann")
    assert (again.status, again.out) == (1, "")
    assert "already" in again.err
    assert eigenscope("tokens", "revoke", "ann").status == 0
    assert json.loads(eigenscope("tokens", "list", "--json").out) == []
    assert eigenscope("tokens", "revoke", "ann").status == 1


def test_a_server_that_others_reach_makes_a_token_once(
    eigenscope: Call, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "serve", lambda settings: None)
    eigenscope("migrate")
    first = eigenscope("serve", "--host", "192.0.2.1", "--quiet")
    token = next(word for word in first.err.split() if word.startswith("eigenscope-"))
    assert "Authorization: Bearer" in first.err
    assert "http://192.0.2.1:8000" in first.err
    assert token not in first.out
    again = eigenscope("serve", "--host", "192.0.2.1")
    assert "eigenscope-" not in again.err
    with open_instance(read_settings(), migrate=False) as instance, instance.database.reading() as session:
        found = tokens.recognised(session, token)
        assert found is not None
        assert (found.name, found.read_only) == ("first", False)
    kept = [path for path in home.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
    assert kept == [], "what was shown lies in no file"


@pytest.mark.parametrize("given", [{}, {"host": "192.0.2.1", "token": "mine"}])
def test_none_is_made_where_none_is_needed(home: Path, given: dict[str, str]) -> None:
    with open_instance(read_settings(**given), migrate=True) as instance:
        assert first_token(instance) is None
        with instance.database.reading() as session:
            assert tokens.count(session) == 0
