"""A dashboard that answers, and a real browser that looks at it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SHOTS = Path(__file__).parents[2] / ".screenshots"
"""What the browser saw, for people; git ignores it."""
PATIENCE_SECONDS = 90.0
"""For whatever a person would wait to see: machines that test are slow, and none is waited for longer than it takes."""
ANSWERED_MS = 150_000
"""A model has two minutes to load and to answer, by the dashboard's own clock."""
SETTLED = """() => document.fonts.status === 'loaded'
  && [...document.images].every(image => image.complete)
  && [...document.querySelectorAll('.graph')].every(graph => {
    const { top, bottom, width } = graph.getBoundingClientRect();
    return !width || bottom < 0 || top > innerHeight || graph.querySelector('.main-svg');
  })
  && !document.querySelector('._dash-loading, [data-dash-is-loading=true]')"""
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


@contextmanager
def answering(workspace: Path, *options: str) -> Iterator[str]:
    """The address where a dashboard over `workspace` listens, as `benison dashboard` prints it."""
    command = [sys.executable, "-m", "pipelines", "dashboard", "--workspace", str(workspace), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = process.stdout.readline()
        try:
            yield re.findall(r"http://[^/ ]+", said)[0]
        finally:
            process.terminate()
    assert process.returncode == 0


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[str]:
    """The address of a dashboard over `tmp_path`. Comes before `visit` among arguments: open pages go on asking it."""
    with answering(tmp_path) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Playwright runs an event loop in this thread as long as it lives: tests of other modules may want their own."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium: apt-get install --no-install-recommends chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET), timeout=1000 * PATIENCE_SECONDS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Opens an address in a page of its own; at the end of the test every page is asked whether it went elsewhere.

    A page must ask nobody but the dashboard, and neither break its own content policy nor raise an error.
    """
    pages: list[tuple[str, Any, list[str], list[str]]] = []

    def open_page(address: str, width: int = 1280, height: int = 900, **how: Any) -> Any:
        page = chromium.new_page(viewport={"width": width, "height": height}, **how)
        page.set_default_timeout(1000 * PATIENCE_SECONDS)
        asked: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        pages.append((address, page, asked, complaints))
        page.goto(address)
        page.wait_for_selector("main h1")
        return page

    yield open_page
    for address, page, asked, complaints in pages:
        home = "/".join(address.split("/")[:3])
        away = [url for url in asked if not url.startswith((f"{home}/", "data:", f"blob:{home}/"))]
        page.close()
        assert not away and not complaints, (address, away, complaints)


def settle(page: Any) -> None:
    """Waits until all that the page holds is seen: letters, pictures, charts, and nothing that is still on its way."""
    until(page, lambda: bool(page.evaluate(SETTLED)))


def shoot(page: Any, name: str) -> None:
    """Keeps what the page looks like as a whole."""
    SHOTS.mkdir(exist_ok=True)
    size, height = page.viewport_size, page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size(size | {"height": height})  # in which all charts are drawn
    settle(page)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
    page.set_viewport_size(size)


def overflows(page: Any) -> bool:
    """Whether the page, and not a part that scrolls by itself, is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def until(page: Any, holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Waits for what a person would see happen. Playwright's own wait_for_function evaluates strings in the page, which
    the content policy forbids."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"did not come about within {seconds:.0f} s: {page.url}"
        page.wait_for_timeout(50)
