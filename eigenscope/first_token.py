"""The token that a server makes for itself where others can reach it and there is none."""

from __future__ import annotations

from contextlib import suppress

from backend.access import tokens
from backend.errors import Conflict
from eigenscope.instance import Instance
from eigenscope.server import address

WORDS = """
This server can be reached from other machines, so it asks for a token. Here is one that may do everything. It is
shown only now; what is kept of it is a digest:

    {token}

Sign in with it at {address}, or send it as 'Authorization: Bearer …'. `eigenscope tokens create NAME` makes
others, with --read-only such as may only look; `eigenscope tokens revoke {name}` ends this one.
"""


def first_token(instance: Instance) -> str | None:
    """Make a token where one is needed and there is none; return it, for the only time."""
    if instance.settings.token or not instance.settings.listens_beyond_loopback:
        return None
    # Of two servers that start at once, one makes it and the other finds its name taken.
    with suppress(Conflict), instance.database.writing() as session:
        if not tokens.count(session):
            return tokens.create(session, tokens.FIRST)
    return None


def words_of(instance: Instance, token: str) -> str:
    """Return what a person is told of a token that was just made."""
    return WORDS.format(token=token, address=address(instance.settings), name=tokens.FIRST)
