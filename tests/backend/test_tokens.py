"""Named tokens: shown once, stored as digests, told apart by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from backend.access import credential, tokens
from backend.database import Database
from backend.errors import Conflict, InvalidInput, NotFound
from backend.settings import Settings


def test_a_token_has_256_random_bits_and_only_its_digest_is_stored(
    settings: Settings, database: Database
) -> None:
    with database.writing() as session:
        made = {tokens.create(session, f"token {k}") for k in range(20)}
    assert len(made) == 20
    with database.reading() as session:
        rows = [str(tuple(row)) for row in session.execute(text("SELECT * FROM tokens"))]
    for one in made:
        _, key, secret = one.split("-", 2)
        assert len(secret) == 43, "32 bytes in base64"
        assert credential.SECRET_BYTES == 32
        (row,) = [row for row in rows if key in row]
        assert credential.digest(one) in row
        assert secret not in "".join(rows)
    files = [path for path in settings.home.rglob("*") if path.is_file()] if settings.home.exists() else []
    assert not [path for path in files if any(one.encode() in Path(path).read_bytes() for one in made)]


def test_names_are_unique_and_plain(database: Database) -> None:
    with database.writing() as session:
        tokens.create(session, "ann@lab")
    with pytest.raises(Conflict, match="revoke it first"), database.writing() as session:
        tokens.create(session, "ann@lab")
    for name in ("", " ann", "a\nb", "<b>", "a" * 101):
        with pytest.raises(InvalidInput, match="name has"), database.writing() as session:
            tokens.create(session, name)
    with pytest.raises(NotFound, match="tokens list"), database.writing() as session:
        tokens.revoke(session, "ben")


@pytest.mark.parametrize(
    "given", ["", "eigenscope", "eigenscope--", "eigenscope-0-x", "session-000000000000-x", "ä-ö-ü", "-" * 50]
)
def test_what_is_no_token_is_recognised_as_none(database: Database, given: str) -> None:
    with database.reading() as session:
        assert tokens.recognised(session, given) is None


def test_secrets_are_compared_in_constant_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    compare = credential.hmac.compare_digest
    monkeypatch.setattr(
        credential.hmac,
        "compare_digest",
        lambda left, right: compared.append((left, right)) or compare(left, right),
    )
    with database.writing() as session:
        made = tokens.create(session, "ann")
        assert tokens.recognised(session, made) is not None
        assert tokens.recognised(session, made[:-1] + ("A" if made[-1] != "A" else "B")) is None
    digest = credential.digest(made).encode()
    assert [left for left, _ in compared] == [digest, digest]
