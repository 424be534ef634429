"""What a line of the log is about: the run, the request, the process. Set where it begins, read by the formatter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request that is answered."""
_run_id: ContextVar[int | None] = ContextVar("run_id", default=None)
_process: dict[str, str | int] = {}


def identify(**names: str | int) -> None:
    """Say what this process is: `process` (server, worker, trainer), its `worker`'s name, a trainer's `run_id`.

    Unlike `about_run` it holds in every thread.
    """
    _process.update(names)


@contextmanager
def about_run(run_id: int) -> Iterator[None]:
    """Let every line that is written within be about this run."""
    before = _run_id.set(run_id)
    try:
        yield
    finally:
        _run_id.reset(before)


def fields() -> dict[str, str | int]:
    """Return what is known now, without what is not."""
    here = {"run_id": _run_id.get(), "request_id": request_id.get()}
    return {**_process, **{name: value for name, value in here.items() if value is not None}}
