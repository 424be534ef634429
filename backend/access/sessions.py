"""Signed-in browsers: a random cookie whose session lies in the database, so that signing out ends it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from backend.access import credential
from backend.models import BrowserSession
from backend.models.base import now

PREFIX = "session"
LASTS = timedelta(days=30)


def begin(session: Session, token_id: int | None, settings_token: str) -> str:
    """Store a session and return its cookie; `token_id` is None where EIGENSCOPE_TOKEN was given."""
    session.execute(delete(BrowserSession).where(BrowserSession.expires_at < now()))
    made = credential.new(PREFIX)
    proof = credential.proof(settings_token, made.text) if token_id is None else ""
    session.add(
        BrowserSession(
            key=made.key, digest=made.digest, token_id=token_id, proof=proof, expires_at=now() + LASTS
        )
    )
    return made.text


def found(session: Session, cookie: str, settings_token: str) -> BrowserSession | None:
    """Return the session of this cookie, unless it has ended or its token is gone."""
    given = credential.read(cookie, PREFIX)
    if given is None:
        return None
    query = select(BrowserSession).where(BrowserSession.key == given.key, BrowserSession.expires_at > now())
    stored = session.scalar(query.options(joinedload(BrowserSession.token)))
    if stored is None or not credential.same(stored.digest, given.digest):
        return None
    if stored.token_id is None and not _still_set(stored, given, settings_token):
        return None
    return stored


def _still_set(stored: BrowserSession, given: credential.Credential, settings_token: str) -> bool:
    return bool(settings_token) and credential.same(
        stored.proof, credential.proof(settings_token, given.text)
    )


def end(session: Session, cookie: str) -> None:
    """Forget a session; what is none is no matter."""
    given = credential.read(cookie, PREFIX)
    if given is not None:
        session.execute(
            delete(BrowserSession).where(
                BrowserSession.key == given.key, BrowserSession.digest == given.digest
            )
        )
