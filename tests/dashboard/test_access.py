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
