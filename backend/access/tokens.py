"""Named tokens: made, listed, revoked, recognised."""

from __future__ import annotations

import re

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.access import credential
from backend.errors import Conflict, InvalidInput, NotFound
from backend.models import Token
from backend.models.base import now

PREFIX = "eigenscope"
FIRST = "first"
"""The name of the token that a server makes for itself."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@ -]{0,99}")


def create(session: Session, name: str, *, read_only: bool = False) -> str:
    """Store a new token and return it, for the only time."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"a token's name has 1 to 100 letters, digits, spaces or . _ @ - and begins with a letter or digit; "
            f"'{name[:100]}' does not"
        )
    made = credential.new(PREFIX)
    session.add(Token(name=name, key=made.key, digest=made.digest, read_only=read_only))
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(
            f"there is a token named '{name}' already; revoke it first or take another name"
        ) from None
    return made.text


def listed(session: Session) -> list[Token]:
    """Return all tokens, oldest first."""
    return list(session.scalars(select(Token).order_by(Token.id)))


def count(session: Session) -> int:
    """Return how many tokens there are."""
    return session.scalar(select(func.count()).select_from(Token)) or 0


def revoke(session: Session, name: str) -> None:
    """Forget a token; browsers that were signed in with it are signed out."""
    gone = session.execute(delete(Token).where(Token.name == name).returning(Token.id)).all()
    if not gone:
        raise NotFound(f"there is no token named '{name}'; `eigenscope tokens list` names all")


def recognised(session: Session, text: str) -> Token | None:
    """Return the token that this text is."""
    given = credential.read(text, PREFIX)
    if given is None:
        return None
    found = session.scalar(select(Token).where(Token.key == given.key))
    return found if found is not None and credential.same(found.digest, given.digest) else None


def exists(session: Session, token_id: int) -> bool:
    """Return whether there still is a token of this id."""
    return session.get(Token, token_id) is not None


def mark_used(session: Session, token_id: int) -> None:
    """Note that a token was used just now."""
    session.execute(update(Token).where(Token.id == token_id).values(used_at=now()))
