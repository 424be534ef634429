"""`eigenscope webhooks test`, and the page that tells how to verify a message."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backend.listener import Listener, listening

SECRET = "whsec_YmV0d2VlbiB1cw=="
PAGE = Path(__file__).parents[2] / "docs" / "observability.md"


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    with listening() as opened:
        monkeypatch.setenv("EIGENSCOPE_WEBHOOK_URLS", opened.url)
        monkeypatch.setenv("EIGENSCOPE_WEBHOOK_SECRET", SECRET)
        yield opened


def test_a_test_message_is_sent(eigenscope, listener: Listener) -> None:
    result = eigenscope("webhooks", "test")
    assert result.status == 0, result.err
    assert re.fullmatch(rf"ok      127\.0\.0\.1:{listener.port} took it in \d\.\d\d s\n", result.out)
    (body,) = listener.bodies
    assert (body["event"], body["run"]) == ("test", None)


def test_a_refusal_is_a_failure_and_shows_no_address(eigenscope, listener: Listener) -> None:
    listener.answers = [403]
    result = eigenscope("webhooks", "test")
    assert result.status == 1
    assert "it answered 403" in result.out
    assert "within-the-address" not in result.out + result.err


def test_without_receivers_it_says_what_to_set(eigenscope) -> None:
    result = eigenscope("webhooks", "test")
    assert result.status == 2
    assert "EIGENSCOPE_WEBHOOK_URLS" in result.err


def test_the_pages_way_to_verify_a_message_works(eigenscope, listener: Listener) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own page
    eigenscope("webhooks", "test")
    ((headers, body),) = listener.heard
    assert names["verified"](SECRET, headers, body) == json.loads(body)
    changed = body.replace(b"test", b"tust")
    old = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 600)}
    for wrong in ((SECRET, headers, changed), ("whsec_YWFh", headers, body), (SECRET, old, body)):
        with pytest.raises(ValueError, match=r"signature|old"):
            names["verified"](*wrong)


def test_the_page_names_every_metric_and_event(eigenscope, listener: Listener) -> None:
    page = PAGE.read_text()
    for event in ("run.succeeded", "run.failed", "run.cancelled", "run.lost", "run.stuck"):
        assert f"`{event}`" in page
    sources = [
        PAGE.parents[1] / "backend" / name for name in ("system/metrics.py", "observability/durations.py")
    ]
    written = {name for file in sources for name in re.findall(r'"(eigenscope_\w+)"', file.read_text())}
    assert written - set(re.findall(r"eigenscope_\w+", page)) == set()
