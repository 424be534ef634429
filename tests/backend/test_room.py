"""Many requests at once are answered: none waits for a thread with a connection that those with threads wait for."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import httpx2 as httpx

from backend.database import Database
from backend.settings import Settings

AT_ONCE = 100
SECONDS = 20.0
"""Fewer than a request waits for a connection before it gives up."""


def test_a_hundred_requests_at_once_are_all_answered(
    settings: Settings, database: Database, serving: Callable[[Settings], AbstractContextManager[str]]
) -> None:
    with serving(settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        client.get("/api/v1/runs").raise_for_status()
        began = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(
                pool.map(lambda _: client.get("/api/v1/runs/columns").status_code, range(3 * AT_ONCE))
            )
        assert set(answers) == {200}
        assert time.monotonic() - began < SECONDS
