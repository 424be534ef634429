"""Pages work under a policy that runs nothing but this server's own scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, Page

from backend.access import tokens
from backend.database import Database
from backend.settings import Settings
from frontend.policy import page_policy

INLINE_SCRIPT = re.compile(r"<script(?![^>]*(src=|application/json))")
HANDLER = re.compile(r"<[^>]*\son\w+=")


@pytest.fixture
def strict(browser: BrowserContext) -> Iterator[BrowserContext]:
    """Yield a fresh browser that heeds the policy, which the other tests' one does not."""
    assert browser.browser is not None
    context = browser.browser.new_context(viewport={"width": 1440, "height": 900})
    yield context
    context.close()


def directives(policy: str) -> dict[str, list[str]]:
    return {words[0]: words[1:] for part in policy.split(";") if (words := part.split())}


def test_the_policy_allows_no_inline_script_and_no_foreign_host() -> None:
    found = directives(page_policy())
    assert found["default-src"] == ["'none'"]
    assert found["script-src"] == ["'self'"]
    assert found["connect-src"] == ["'self'"]
    for name in ("frame-ancestors", "base-uri"):
        assert found[name] == ["'none'"]
    assert not re.search(r"unsafe-(inline|eval)|https?:|\*", page_policy())


def test_every_page_brings_it(client: TestClient, roles: dict[str, int]) -> None:
    for address in (
        "/",
        "/new",
        f"/runs/{roles['I']}",
        "/compare",
        "/docs",
        "/sign-in",
        "/runs/999",
        "/nowhere",
    ):
        assert client.get(address).headers["content-security-policy"] == page_policy(), address


def test_a_download_may_run_nothing_here(client: TestClient, roles: dict[str, int]) -> None:
    answer = client.get(f"/report?runs={roles['I']}")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert directives(answer.headers["content-security-policy"])["default-src"] == ["'none'"]


def test_the_api_page_describes_every_call_and_asks_nobody_else(client: TestClient) -> None:
    page = client.get("/docs").text
    for address, methods in client.get("/openapi.json").json()["paths"].items():
        assert page.count(f"<code>{address}</code>") == len(methods), address
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert not INLINE_SCRIPT.search(page)
    assert not HANDLER.search(page)


@pytest.mark.browser
def test_every_page_works_under_it(
    gallery: tuple[str, list[Any]], strict: BrowserContext, settle: Callable[[Page], None]
) -> None:
    address, shots = gallery
    told: list[tuple[str, str]] = []
    for path in dict.fromkeys([*(shot.address for shot in shots), "/docs"]):
        page = strict.new_page()
        page.on(
            "console", lambda line, at=path: told.append((at, line.text)) if line.type == "error" else None
        )
        page.on("pageerror", lambda error, at=path: told.append((at, str(error))))
        foreign: list[str] = []
        page.on("request", lambda one, to=foreign: to.append(one.url))
        page.goto(address + path)
        settle(page)
        for chart in page.query_selector_all("figure.chart")[:3]:
            chart.scroll_into_view_if_needed()
            chart.hover()
        page.close()
        assert [url for url in foreign if not url.startswith((address, "data:", "blob:"))] == [], path
    assert [(at, text) for at, text in told if "status of 404" not in text] == []


@pytest.mark.browser
def test_a_script_written_into_a_page_does_not_run(server: str, strict: BrowserContext) -> None:
    page = strict.new_page()
    refused: list[str] = []
    page.on(
        "console", lambda line: refused.append(line.text) if "Content Security Policy" in line.text else None
    )

    def inject(route: Any) -> None:
        answer = route.fetch()
        evil = (
            "<script>window.hacked=1</script><img src=x onerror='window.hacked=2'>"
            "<a id=bait href='javascript:window.hacked=3'>x</a><style>body { display: none }</style>"
        )
        route.fulfill(response=answer, body=answer.text().replace("<main", f"{evil}<main"))

    page.route(f"{server}/system", inject)
    page.goto(f"{server}/system")
    page.evaluate("document.getElementById('bait').click()")
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked ?? null") is None
    assert page.evaluate("getComputedStyle(document.body).display") == "block"
    assert len(refused) >= 4
    page.close()


@pytest.fixture
def reader(
    settings_of_an_empty_database: Settings,
    seed_runs: Callable[..., dict[str, int]],
    serving: Callable[[Settings], AbstractContextManager[str]],
) -> Iterator[tuple[str, str, dict[str, int]]]:
    """Yield a server's address, a token that only reads, and its runs."""
    settings = settings_of_an_empty_database
    database = Database(settings.database)
    roles = seed_runs(database)
    with database.writing() as session:
        token = tokens.create(session, "guest", read_only=True)
    database.dispose()
    with serving(settings) as address:
        yield address, token, roles


@pytest.mark.browser
def test_a_reader_finds_buttons_that_say_why_they_do_nothing(
    reader: tuple[str, str, dict[str, int]], strict: BrowserContext
) -> None:
    address, token, roles = reader
    page = strict.new_page()
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.method) if one.method not in ("GET", "HEAD") else None)
    page.goto(f"{address}/runs/{roles['running']}")
    page.fill("#token", token)
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-action=cancel][data-refused]")
    assert page.evaluate("document.cookie") == "", "no script reads the session"
    sent.clear()
    page.dispatch_event("[data-action=cancel]", "click")
    page.wait_for_selector(".toast.error")
    assert "only reads" in page.inner_text(".toast.error")
    assert not page.is_visible("#confirm")
    assert sent == []
    page.goto(f"{address}/new")
    page.wait_for_selector("#launch[aria-disabled=true]")
    page.close()


@pytest.mark.browser
def test_a_report_runs_its_own_two_scripts_and_no_other(
    client: TestClient, roles: dict[str, int], strict: BrowserContext, tmp_path: Path
) -> None:
    text = client.get(f"/report?runs={roles['I']}").text
    file = tmp_path / "report.html"
    file.write_text(text.replace("<main", "<script>window.hacked = 1</script><main"), encoding="utf-8")
    page = strict.new_page()
    told: list[str] = []
    page.on("console", lambda line: told.append(line.text) if line.type == "error" else None)
    page.goto(file.as_uri())
    page.wait_for_selector("body[data-drawn]", timeout=60_000)
    assert page.evaluate("window.hacked ?? null") is None
    assert len(told) == 1, told
    assert "inline script" in told[0]
    page.close()
