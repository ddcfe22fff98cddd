"""Every page for those who see, point or hear differently: what axe-core finds, and what the keyboard does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.dashboard import stores
from tests.dashboard.conftest import answering, settle, until

TASK, FORMS, TALKS = "image_classification", ("machine_translation", "speech_recognition", "gan"), "dialogue_system"
GOOD, POOR, FAILED, RUNNING = 3, 2, 1, 4
Visit = Callable[..., Any]
PLACEHOLDERS = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const over = (top, ground) => top.slice(0, 3).map((v, i) => v * (top[3] ?? 1) + ground[i] * (1 - (top[3] ?? 1)));
  const light = (colour) => colour.map((v) => v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (one) => {
    if (!one) return [255, 255, 255];
    const own = numbers(getComputedStyle(one).backgroundColor);
    return own.length < 4 ? own : over(own, ground(one.parentElement));
  };
  return [...document.querySelectorAll("input, textarea, [class*=placeholder]")].filter((one) =>
    one.getClientRects().length && (one.placeholder || !one.matches("input, textarea"))).map((one) => {
      const style = getComputedStyle(one, one.placeholder ? "::placeholder" : null);
      const [r, g, b, alpha] = numbers(style.color), below = ground(one);
      const lights = [light(over([r, g, b, (alpha ?? 1) * style.opacity], below)), light(below)];
      return [one.placeholder || one.textContent, (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05)];
    });
}"""
"""Each text that stands in an empty field, and its contrast as WCAG 2 has it."""
MOVING = """() => [...document.querySelectorAll(".modebar, .modebar *")].map((one) => getComputedStyle(one))
  .filter((style) => style.animationName !== "none" || parseFloat(style.transitionDuration) > 0).length"""
"""How many parts of the charts' buttons are moved by the style sheet."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Runs of each kind, and a model for each kind of form."""
    root = tmp_path_factory.mktemp("workspace")
    rows = stores.ANSWERS
    good = stores.finished(
        root, TASK, GOOD, 0.9, answers=rows, slices=[stores.slice_row(str(i), 0.01 * i) for i in range(40)]
    )
    stores.write_answers(good)
    stores.finished(root, TASK, POOR, 0.4)
    error = {"message": "the data is not fit to train on", "fix": "mend the data"}
    stores.write_run(root, stores.state(TASK, FAILED, "failed", error=error), log="Traceback\n" * 300)
    stores.write_run(root, stores.state(TASK, RUNNING, "running", patience=1e9, progress={"step": 3, "steps_total": 9}))
    for task in (TASK, *FORMS, TALKS):
        stores.pushed(root, task, 1)
        (root / task / "runs").mkdir(exist_ok=True)
    with answering(root) as address:
        yield address


def places() -> dict[str, str]:
    runs = [f"{TASK}/{stores.run_id(number)}" for number in (GOOD, POOR, FAILED, RUNNING)]
    return {
        "runs": "/",
        "run": f"/run/{runs[0]}",
        "answers": f"/answers/{runs[0]}?sort=surest",
        "failed": f"/run/{runs[2]}",
        "running": f"/run/{runs[3]}",
        "compare": f"/compare?run={runs[0]}&run={runs[1]}",
        "models": "/models",
        **{task: f"/models/{task}" for task in (TASK, *FORMS, TALKS)},
        "not there": "/nowhere",
    }


def grave(page: Any) -> list[tuple[str, list[str]]]:
    """What axe-core finds of serious or critical kind: rules, and the elements that break them."""
    settle(page)
    found = Axe().run(page).response["violations"]
    return [
        (rule["id"], [node["html"][:160] for node in rule["nodes"]])
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_grave_on_any_page(scheme: str, site: str, visit: Visit) -> None:
    found = {}
    for name, place in places().items():
        page = visit(site + place, color_scheme=scheme)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        found[name] = grave(page)
        page.close()
    assert found == dict.fromkeys(found, [])


def test_a_run_is_opened_from_the_table_by_the_keyboard_alone(site: str, visit: Visit) -> None:
    page = visit(site)
    page.wait_for_selector(".ag-row")
    page.focus("#runs-find")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Columns"
    page.keyboard.press("Enter")
    page.wait_for_selector(".bar-of-tools .checks")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    page.wait_for_selector(".bar-of-tools .checks", state="hidden")
    assert page.evaluate("document.activeElement.textContent") == "Columns"
    page.click(".ag-row [col-id=outcome]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#outcome")


def test_enter_asks_the_model(site: str, visit: Visit) -> None:
    page = visit(f"{site}/models/{FORMS[0]}")
    page.focus("#try textarea")
    page.keyboard.press("Control+Enter")
    until(page, lambda: "Give source a value first." in page.inner_text("#try-answer"))
    page = visit(f"{site}/models/gan")
    page.fill("#try input[type=number]", "")
    page.keyboard.press("Enter")
    until(page, lambda: "Give seed a value first." in page.inner_text("#try-answer"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_stands_in_empty_fields_can_be_read(scheme: str, site: str, visit: Visit) -> None:
    """axe-core does not look at it."""
    found: list[tuple[str, float]] = []
    for place in ("/", places()["run"]):
        page = visit(site + place, color_scheme=scheme)
        settle(page)
        found += page.evaluate(PLACEHOLDERS)
        page.close()
    assert {"any column", "of every slice"} <= {text for text, _ in found}
    assert [(text, contrast) for text, contrast in found if contrast < 4.5] == []


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_buttons_of_charts_do_not_move_for_whom_movement_troubles(motion: str, site: str, visit: Visit) -> None:
    page = visit(site + places()["run"], reduced_motion=motion)
    page.locator(".graph").first.scroll_into_view_if_needed()
    page.wait_for_selector(".modebar", state="attached")
    assert (page.evaluate(MOVING) > 0) == (motion == "no-preference")
