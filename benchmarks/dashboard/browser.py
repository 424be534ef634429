"""A page as its reader meets it: Chromium with an empty cache, until the first chart is drawn."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
MILLISECONDS = 60_000
"""That a page is waited for."""
SETTLE = 1500
"""Milliseconds after the first chart in which what else the page fetches still counts."""
WATCH = """
window.deep = (root, selector) => {
  const found = [...root.querySelectorAll(selector)];
  for (const one of root.querySelectorAll("*")) if (one.shadowRoot) found.push(...deep(one.shadowRoot, selector));
  return found;
};
// A chart is a long line that takes some room, whoever draws it; icons are small.
window.lines = () => deep(document, "svg path").filter((path) => {
  const { width, height } = path.getBoundingClientRect();
  return width > 120 && height > 8 && (path.getAttribute("d") ?? "").length > 150;
});
(function watch() {
  if (document.body && lines().length) window.firstChart = performance.now();
  else requestAnimationFrame(watch);
})();
"""


@dataclass
class Visit:
    """One opened page: seconds from navigation to its first chart, and what had come over the wire `SETTLE` later."""

    page: Page
    seconds: float = 0.0
    requests: int = 0
    bytes: int = 0


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield the system's Chromium. Raises RuntimeError where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        raise RuntimeError(
            "the pages are measured in Chromium, and there is none; install it (apt-get install chromium)"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """Open an address in a context of its own, so that nothing is cached, and wait for its first chart."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    tab = context.new_page()
    found = Visit(tab)
    wire = context.new_cdp_session(tab)
    wire.send("Network.enable")

    def sent(_event: Any) -> None:
        found.requests += 1

    def came(event: dict[str, Any]) -> None:
        found.bytes += int(event["encodedDataLength"])

    wire.on("Network.requestWillBeSent", sent)
    wire.on("Network.loadingFinished", came)
    tab.add_init_script(WATCH)
    tab.goto(address)
    tab.wait_for_function("window.firstChart", timeout=MILLISECONDS)
    found.seconds = tab.evaluate("window.firstChart") / 1000
    tab.wait_for_timeout(SETTLE)
    yield found
    context.close()
