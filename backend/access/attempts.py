"""How often wrong tokens may be tried: per address and in all, in memory, in a table that cannot grow."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from threading import Lock

SECONDS = 60.0
PER_ADDRESS = 10
IN_ALL = 200
ADDRESSES = 2_000
PROVEN = 2_000
PROVEN_SECONDS = 900.0


class Attempts:
    """Counts wrong tokens of the last minute.

    Over either limit a token is not even looked at, unless it has proven right within the last quarter of an
    hour: somebody who guesses locks nobody out who is at work. Of more than `ADDRESSES` addresses the one that has
    been quiet for longest is forgotten; the limit for all holds then.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()
        self._all: deque[float] = deque(maxlen=IN_ALL)
        self._proven: OrderedDict[str, float] = OrderedDict()

    def wait(self, address: str, digest: str) -> int:
        """Return after how many seconds this address may try this token; 0 means now."""
        with self._lock:
            moment = self._clock()
            if self._proven.get(digest, -math.inf) > moment - PROVEN_SECONDS:
                return 0
            mine: Sequence[float] = self._wrong.get(address, ())
            return max(_left(mine, PER_ADDRESS, moment), _left(self._all, IN_ALL, moment))

    def failed(self, address: str) -> None:
        """Count a wrong token."""
        with self._lock:
            moment = self._clock()
            self._wrong.setdefault(address, deque(maxlen=PER_ADDRESS)).append(moment)
            self._wrong.move_to_end(address)
            if len(self._wrong) > ADDRESSES:
                self._wrong.popitem(last=False)
            self._all.append(moment)

    def succeeded(self, digest: str) -> None:
        """Remember that a token has proven right."""
        with self._lock:
            self._proven[digest] = self._clock()
            self._proven.move_to_end(digest)
            if len(self._proven) > PROVEN:
                self._proven.popitem(last=False)


def _left(moments: Sequence[float], limit: int, moment: float) -> int:
    if len(moments) < limit:
        return 0
    return max(0, math.ceil(moments[0] + SECONDS - moment))
