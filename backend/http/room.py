"""How many requests have a session at a time; the others wait without a thread and without a connection.

An answer needs a thread more than once while its session is open: for the endpoint, and again to be put into words.
Where every thread waits for a connection, and every connection belongs to an answer that waits for a thread, nothing
moves: with fifty browsers the server stood still for half a minute at a time.
"""

from __future__ import annotations

from asyncio import Semaphore

READERS, WRITERS = 4, 8
"""Together fewer than the threads that there are (40). More would be answered no sooner: they share an interpreter."""


class Room:
    """Places for requests. Readers have their own: writers may wait long for the one lock of SQLite."""

    def __init__(self) -> None:
        self.to_read = Semaphore(READERS)
        self.to_write = Semaphore(WRITERS)
