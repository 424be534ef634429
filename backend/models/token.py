"""Who may ask: named tokens, and the browsers that were signed in with one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.models.base import Base, UtcDateTime, now


class Token(Base):
    """A named token. What it is was shown once; here lies its digest."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    key: Mapped[str] = mapped_column(String(16), unique=True)
    """The token's own public part, by which its row is found."""
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the whole token, hexadecimal."""
    read_only: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was last seen, to the nearest few minutes."""


class BrowserSession(Base):
    """A browser that was signed in; its cookie is a random number, of which the digest lies here."""

    __tablename__ = "browser_sessions"

    key: Mapped[str] = mapped_column(String(16), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the whole cookie, hexadecimal."""
    token_id: Mapped[int | None] = mapped_column(ForeignKey("tokens.id", ondelete="CASCADE"), index=True)
    """The named token; None where it was EIGENSCOPE_TOKEN."""
    proof: Mapped[str] = mapped_column(String(64), default="")
    """HMAC of EIGENSCOPE_TOKEN under the cookie: another token there ends the session, and nobody can guess it here."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    token: Mapped[Token | None] = relationship()
