"""The curves of trainings: by step where they were kept so, and drawn as a person chooses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.report.page import ReportData
from dashboard.sections import training
from dashboard.store import Damaged, Store
from tests.dashboard import stores
from tests.dashboard.conftest import until

TASK = "image_classification"
POINTS = 40


def figure(report: ReportData, name: str) -> Any:
    return json.loads(training.drawn_curve(report, name))


def test_curves_are_by_step_with_their_seconds_where_a_run_kept_them() -> None:
    report = ReportData(task=TASK, run_id="1", curves={"loss": [9.0]}, step_curves=stores.step_curves(POINTS))
    assert training.curve_names(report) == ["loss", "learning_rate"]
    told, held_out = figure(report, "loss")["data"]
    assert told["x"][:2] == [10, 20] and told["meta"]["seconds"][:2] == [2.0, 4.0] and told["meta"]["smooth"]
    assert held_out["x"] == [210, 400] and not held_out["meta"]["smooth"] and held_out["name"] == "held out 0.5"
    [rate] = figure(report, "learning_rate")["data"]
    assert not rate["meta"]["smooth"]  # it follows a schedule


def test_curves_of_runs_that_kept_none_by_step_are_by_round() -> None:
    report = ReportData(task=TASK, run_id="1", curves={"loss": [1.0, 0.5], "val_loss": [0.9, 0.6]})
    told, held_out = figure(report, "loss")["data"]
    assert told["x"] == held_out["x"] == [1, 2] and told["meta"]["seconds"] == []
    assert "By round" in str(training.section(report))


@pytest.mark.parametrize("where", ["steps", "seconds"])
def test_a_curve_that_lacks_a_point_is_said_to_be_damaged(where: str, tmp_path: Path) -> None:
    kept: Any = stores.step_curves(3)
    kept["training"][where] = kept["training"][where][1:]
    stores.finished(tmp_path, TASK, 1, 0.9, step_curves=kept)
    store = Store(tmp_path)
    with pytest.raises(Damaged, match="step_curves"):
        store.report(store.runs()[0])


def test_a_person_chooses_by_keyboard_how_curves_are_drawn_and_the_address_keeps_it(
    tmp_path: Path, own_site: str, visit: Callable[..., Any]
) -> None:
    for number, points in ((1, POINTS), (2, POINTS // 2)):
        stores.finished(tmp_path, TASK, number, 0.9, "digits", "same", step_curves=stores.step_curves(points))
    page = visit(f"{own_site}/run/{TASK}/{stores.run_id(1)}?slice=label%3A+1", height=1600)
    page.locator("#training").scroll_into_view_if_needed()
    chart = page.locator("#training .graph").first

    def seen(what: str) -> Any:
        return chart.evaluate(f"one => one.data ? {what} : null")

    until(page, lambda: seen("one.data.length") == 2)
    assert seen("one.data[0].x")[-1] == 400
    page.get_by_role("button", name="Seconds").press("Enter")
    until(page, lambda: seen("one.data[0].x")[-1] == 80)
    assert seen("one.layout.xaxis.title.text") == "seconds of training"
    slider = page.get_by_role("slider", name="Smoothing")
    slider.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    until(page, lambda: seen("one.data.length") == 3)
    first, second = seen("one.data[0].y")[:2]
    expected = (0.98 * 0.02 * first + 0.02 * second) / (1 - 0.98**2)  # without the bias towards 0
    assert seen("one.data[1].y")[:2] == pytest.approx([first, expected])
    page.get_by_role("checkbox", name="Log scale").press("Space")
    until(page, lambda: seen("one.layout.yaxis.type") == "log")
    assert page.url.endswith("?slice=label%3A+1&over=time&smooth=0.98&scale=log")

    both = "&".join(f"run={TASK}/{stores.run_id(number)}" for number in (1, 2))
    beside = visit(f"{own_site}/compare?{both}&over=time&smooth=0.5", height=2400)
    assert beside.get_by_role("button", name="Seconds").get_attribute("aria-pressed") == "true"
    drawn = beside.locator("#training .graph").first
    drawn.scroll_into_view_if_needed()
    until(beside, lambda: drawn.evaluate("one => one.data ? one.data.length : 0") == 4)  # each run, and smoothed
    assert drawn.evaluate("one => one.data.map(line => line.x.at(-1))") == [80, 80, 40, 40]
