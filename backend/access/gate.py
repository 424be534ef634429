"""Decides who asks: by a token or a session, where the server asks for one."""

from __future__ import annotations

import logging
import time
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from backend.access import credential, sessions, tokens
from backend.access.attempts import Attempts
from backend.access.visitor import Visitor
from backend.database import Database
from backend.errors import TooManyAttempts, Unauthorized
from backend.settings import Settings

LOOKED_AT_SECONDS = 2.0
"""How long a server on loopback takes it as true that there is no token."""
MARKED_SECONDS = 300.0
_log = logging.getLogger(__name__)


class Gate:
    """One server's: which tokens it takes, and how often wrong ones came."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self.attempts = Attempts()
        self._lock = Lock()
        self._open_until = 0.0
        self._marked: dict[int, float] = {}

    @property
    def always(self) -> bool:
        """Whether a token is asked for whatever the database holds."""
        return bool(self._settings.token) or self._settings.listens_beyond_loopback

    def open_for_now(self) -> bool:
        """Return whether it was seen just now that no token is asked for; costs nothing."""
        return not self.always and time.monotonic() < self._open_until

    def demands(self) -> bool:
        """Return whether a token is asked for: always beyond loopback, and wherever there is one."""
        if self.always:
            return True
        with self._database.reading() as session:
            demanded = tokens.count(session) > 0
        self._open_until = 0.0 if demanded else time.monotonic() + LOOKED_AT_SECONDS
        return demanded

    def by_token(self, text: str, address: str) -> Visitor:
        """Return whose token this is; raises Unauthorized, or TooManyAttempts without looking at it."""
        digest = credential.digest(text)
        seconds = self.attempts.wait(address, digest)
        if seconds:
            raise TooManyAttempts(f"too many wrong tokens came; try again in {seconds} s", seconds)
        visitor = self._owner(text)
        if visitor is None:
            self.attempts.failed(address)
            _log.warning("a wrong token came from %s", address)
            raise Unauthorized("that is none of this server's tokens")
        self.attempts.succeeded(digest)
        return visitor

    def _owner(self, text: str) -> Visitor | None:
        if self._settings.token and credential.same(text, self._settings.token):
            return Visitor("")
        with self._database.reading() as session:
            token = tokens.recognised(session, text)
            return Visitor(token.name, token.read_only, token_id=token.id) if token else None

    def by_session(self, cookie: str) -> Visitor | None:
        """Return who was signed in with this cookie, if the session still holds."""
        with self._database.reading() as session:
            found = sessions.found(session, cookie, self._settings.token)
            if found is None:
                return None
            token = found.token
            if token is None:
                return Visitor("", signed_in=True)
            return Visitor(token.name, token.read_only, signed_in=True, token_id=token.id)

    def still_knows(self, visitor: Visitor) -> bool:
        """Return whether the token that somebody came with has not been revoked since."""
        if visitor.token_id is None:
            return True
        with self._database.reading() as session:
            return tokens.exists(session, visitor.token_id)

    def sign_in(self, text: str, address: str) -> str:
        """Return the cookie of a new session; raises like `by_token`."""
        visitor = self.by_token(text, address)
        with self._database.writing() as session:
            return sessions.begin(session, visitor.token_id, self._settings.token)

    def sign_out(self, cookie: str) -> None:
        """End a session."""
        with self._database.writing() as session:
            sessions.end(session, cookie)

    def should_mark(self, token_id: int) -> bool:
        """Return whether it is time to note when this token was last used."""
        with self._lock:
            moment = time.monotonic()
            if self._marked.get(token_id, -MARKED_SECONDS) > moment - MARKED_SECONDS:
                return False
            self._marked[token_id] = moment
            return True

    def mark(self, token_id: int) -> None:
        """Note that a token was used; that it could not be noted harms nobody."""
        try:
            with self._database.writing() as session:
                tokens.mark_used(session, token_id)
        except SQLAlchemyError as error:
            _log.warning("when a token was last used could not be noted: %s", type(error).__name__)
