"""Train beside eval on a run's page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboard.app import page
from dashboard.store import Store
from tests.dashboard import stores
from tests.dashboard.conftest import until

TASK = "image_classification"
PLACE = f"/run/{TASK}/{stores.run_id(1)}"


def test_columns_are_seen_side_by_side_the_worst_first(
    tmp_path: Path, own_site: str, visit: Callable[..., Any]
) -> None:
    stores.finished(tmp_path, TASK, 1, 0.9, bounds={"label": 0.25})
    run = visit(own_site + PLACE)
    section = run.locator("#drift")
    assert "1 column differs much." in section.inner_text()
    width, label = section.locator("tbody tr").all_inner_texts()
    assert width.startswith("width\t0.6") and "half of train lies below 2, half of eval below 8" in width
    assert label.split("\t") == [
        "label",
        "0.025",
        "No further apart than two splits of this size come by chance.",
        "0.1151",
        "0.25",
        "L-infinity",
    ]
    section.scroll_into_view_if_needed()
    until(run, lambda: section.locator(".main-svg .legendtext").count() >= 4)
    drawn = section.locator(".graph")
    assert drawn.count() == 2
    sides = json.loads(drawn.nth(0).get_attribute("data-figure"))["data"]
    assert [side["name"] for side in sides] == ["train (797)", "eval (200)"] and sides[0]["x"] == sides[1]["x"]
    run.get_by_role("link", name="Train beside eval").click()
    until(run, lambda: run.url.endswith("#drift"))


def test_many_columns_come_in_pages(tmp_path: Path) -> None:
    one = stores.statistics()["width"]
    stores.finished(tmp_path, TASK, 1, 0.9, statistics={f"column {i}": one for i in range(100)})
    shown = str(page(Store(tmp_path), PLACE, ""))
    assert shown.count("column 1 in train and eval") == 1 and "Pages of distances" in shown
    assert "column 7 in train and eval" not in shown


@pytest.mark.parametrize(
    "statistics", [{}, {"width": {"train": {"kind": "number", "count": 3}, "eval": {"kind": "number", "count": 3}}}]
)
def test_where_nothing_can_be_compared_there_is_no_section(tmp_path: Path, statistics: dict[str, Any]) -> None:
    stores.finished(tmp_path, TASK, 1, 0.9, statistics=statistics)
    assert "Train beside eval" not in str(page(Store(tmp_path), PLACE, ""))
