"""What people do with previews, in the dashboard and in the one-file report: one script serves both."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.report.page import render
from tests.dashboard import stores
from tests.dashboard.conftest import PATIENCE_SECONDS, answering, overflows, settle, shoot, until
from tests.dashboard.test_access import grave
from trainer.preview import BeforeAfter, Exchange, Masks, Preview, Said, Sound
from trainer.preview.disk import write

TASK = "image_classification"
FADING = np.tile(np.arange(0, 240, 2, dtype=np.uint8)[None, :, None], (80, 1, 3))
NOTES = np.array([[60, 0.0, 0.5], [64, 0.5, 0.5], [67, 1.0, 1.0]])
PARTS = {
    "divided": BeforeAfter(FADING, FADING[:, ::-1], ("dark left", stores.HOSTILE)),
    "masks": Masks(FADING, np.repeat([[1, 2, 0]], 2, axis=0), {1: stores.HOSTILE, 2: "dog"}, "answer"),
    "tune": Sound(np.sin(np.arange(16000) / 5).astype(np.float32), 8000, "piano", NOTES),
    "talk": Exchange([Said("How are you?"), Said(stores.HOSTILE, answers=True, note="reply")]),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of one run, and in it its report as one file."""
    workspace = tmp_path_factory.mktemp("previews")
    folder = stores.finished(workspace, TASK, 1, 0.9) / "report"
    file = folder / "report.json"
    shown = write([Preview(title, None, {}, [part]) for title, part in PARTS.items()], folder)
    file.write_text(json.dumps(json.loads(file.read_text()) | {"previews": shown}))
    render(folder)
    return folder


@pytest.fixture(params=["dashboard", "one file"])
def page(request: pytest.FixtureRequest, report: Path, chromium: Any) -> Any:

    with ExitStack() as stack:
        if request.param == "dashboard":
            site = stack.enter_context(answering(report.parents[3]))
            address = f"{site}/run/{TASK}/{stores.run_id(1)}"
        else:
            address = (report / "index.html").as_uri()
        opened = chromium.new_page(viewport={"width": 1280, "height": 900})
        opened.set_default_timeout(1000 * PATIENCE_SECONDS)
        complaints: list[str] = []
        opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.goto(address)
        opened.wait_for_selector(".divided")
        yield opened
        opened.close()
        assert not complaints


def test_parts_are_moved_taken_off_followed_and_read(page: Any, request: pytest.FixtureRequest) -> None:
    if page.url.startswith("http"):  # the report's own policy lets no other script in
        assert not grave(page)
    moves_the_divider(page)
    takes_a_mask_off(page)
    follows_the_notes(page)
    turns = page.locator(".conversation p").all_inner_texts()
    assert turns == ["How are you?", f"reply\n{stores.HOSTILE}"]
    page.set_viewport_size({"width": 390, "height": 900})
    settle(page)
    until(page, lambda: not overflows(page))  # charts come after
    shoot(page, f"previews-{request.node.callspec.params['page'].replace(' ', '-')}")


def moves_the_divider(page: Any) -> None:
    place = page.locator(".divided")
    slider = place.get_by_role("slider")
    assert slider.get_attribute("aria-label") == f"Divider between dark left and {stores.HOSTILE}"

    def at() -> str:
        return str(place.evaluate("one => getComputedStyle(one).getPropertyValue('--at').trim()"))

    assert at() == "50%"
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert at() == "51%"
    page.keyboard.press("Home")
    assert at() == "0%"
    place.scroll_into_view_if_needed()
    settle(page)
    box = place.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], middle, steps=4)
    page.mouse.up()
    assert 70 <= float(at().removesuffix("%")) <= 80


def takes_a_mask_off(page: Any) -> None:
    switches, layers = page.locator(".layers button"), page.locator(".layers .layer")
    assert switches.all_inner_texts() == [stores.HOSTILE, "dog"]
    assert layers.evaluate_all("all => all.map(one => one.checkVisibility())") == [True, True]
    switches.nth(1).press("Enter")
    assert layers.evaluate_all("all => all.map(one => one.checkVisibility())") == [True, False]
    assert switches.nth(1).get_attribute("aria-pressed") == "false"
    switches.nth(1).press("Space")
    assert layers.nth(1).is_visible()


def follows_the_notes(page: Any) -> None:
    roll, player = page.locator(".roll"), page.locator("audio")
    player.evaluate("one => { one.preload = 'auto'; one.load(); }")
    until(page, lambda: bool(player.evaluate("one => one.duration > 1.9")))
    player.evaluate("one => { one.currentTime = 1; }")
    until(page, lambda: roll.evaluate("one => one.style.getPropertyValue('--at')") == "50%")
