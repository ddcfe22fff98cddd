"""A threshold is chosen on a run's page, and stands in the address, the command and the one-file report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.report import thresholds
from dashboard.app import create, page
from dashboard.security import Policy
from dashboard.store import Store
from tests.dashboard import stores
from tests.dashboard.conftest import answering, until

TASK = "image_classification"
ADDRESS = f"/run/{TASK}/{stores.run_id(1)}"
Visit = Callable[..., Any]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("workspace")
    (stores.finished(root, TASK, 1, 0.9) / "report" / "index.html").write_text("<p>", encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def site(workspace: Path) -> Iterator[str]:
    with answering(workspace) as address:
        yield address


def figures(shown: Any) -> tuple[str, ...]:
    names = ("precision", "recall", "f1", "right", "held_back")
    return tuple(shown.inner_text(f"#thresholds-{name}") for name in names)


def test_the_slider_is_moved_by_keys_and_all_follows(site: str, visit: Visit) -> None:
    asked: list[str] = []
    shown = visit(f"{site}{ADDRESS}?threshold=0.73")
    assert figures(shown) == ("1", "0.18", "0.3051", "27", "173")
    shown.on("request", lambda request: asked.append(request.url))
    shown.focus("#thresholds-slid")
    shown.keyboard.press("ArrowLeft")
    until(shown, lambda: "threshold=0.72" in shown.url)
    assert figures(shown) == ("1", "0.1867", "0.3146", "28", "172")
    assert shown.input_value("#thresholds-typed") == "0.72"
    assert "--threshold 0.72 FILE..." in shown.inner_text("#thresholds .command")
    assert shown.get_attribute("#thresholds-file", "href").endswith("?threshold=0.72")
    drawn = json.loads(shown.get_attribute("#thresholds-chart", "data-figure"))
    assert drawn["layout"]["shapes"][0]["x0"] == 0.72
    assert [url for url in asked if "_dash-update" in url] == [], "the server is not asked"


def test_a_number_a_class_and_the_best_threshold(site: str, visit: Visit) -> None:
    shown = visit(f"{site}{ADDRESS}")
    shown.fill("#thresholds-typed", "0.2")
    until(shown, lambda: "threshold=0.2" in shown.url)
    assert shown.input_value("#thresholds-slid") == "0.2"
    shown.click("#thresholds-class")
    shown.get_by_role("option", name=stores.HOSTILE).click()
    until(shown, lambda: "class=" in shown.url)
    assert figures(shown) == ("1", "0.6", "0.75", "30", "20")
    assert "F1 is highest, 1, at the threshold 0.00." in shown.inner_text("#thresholds")
    drawn = json.loads(shown.get_attribute("#thresholds-chart", "data-figure"))
    assert drawn["data"][0]["y"][50:] == [None] * 51 and drawn["data"][1]["y"][20] == 0.6
    again = visit(shown.url)
    assert figures(again) == ("1", "0.6", "0.75", "30", "20"), "the address holds the choice"
    shown.click("#thresholds-best")
    until(shown, lambda: "threshold=0&" in shown.url)
    assert figures(shown) == ("1", "1", "1", "50", "0")


@pytest.mark.parametrize("said", ["", "x", "nan", "7", "-1"])
def test_an_address_that_holds_no_threshold_shows_one_all_the_same(workspace: Path, said: str) -> None:
    shown = json.dumps(page(Store(workspace), ADDRESS, f"?threshold={said}&class=none").to_plotly_json(), default=str)
    assert "thresholds-slid" in shown and "cannot be shown" not in shown


def test_the_one_file_report_holds_the_chosen_threshold(workspace: Path) -> None:
    client = create(workspace, Policy("127.0.0.1")).server.test_client()
    address = f"/report/{TASK}/{stores.run_id(1)}"

    def asked(query: str) -> Any:
        return client.get(f"{address}{query}", headers={"Host": "127.0.0.1"})

    assert asked("").text == "<p>" == asked("?threshold=nan").text
    found = asked("?threshold=0.73")
    assert "Threshold 0.73" in found.text and "Chosen by a person." in found.text and "0.3051" in found.text
    assert "attachment" in found.headers["Content-Disposition"]


def test_of_a_run_without_scores_there_is_no_section_and_no_report_at_one(tmp_path: Path) -> None:
    folder = stores.finished(tmp_path, "machine_translation", 1, 0.9, thresholds=None)
    (folder / "report" / "index.html").write_text("<p>", encoding="utf-8")
    place = f"machine_translation/{stores.run_id(1)}"
    shown = json.dumps(page(Store(tmp_path), f"/run/{place}", "").to_plotly_json(), default=str)
    assert "thresholds-slid" not in shown
    client = create(tmp_path, Policy("127.0.0.1")).server.test_client()
    assert client.get(f"/report/{place}?threshold=0.5", headers={"Host": "127.0.0.1"}).status_code == 404


@pytest.mark.parametrize(
    "damage",
    [
        {"classes": []},
        {"classes": [{"name": "a", "there": 1, "right": [1] * 100, "wrong": [0] * 101}]},
        {"classes": [{"name": "a", "there": 1, "right": [0, 1, *[0] * 99], "wrong": [0] * 101}]},
        {"classes": [{"name": "a", "there": 1, "right": [-1] * 101, "wrong": [0] * 101}]},
        {"examples": "many"},
    ],
)
def test_counts_that_are_none_are_said_to_be_damaged(tmp_path: Path, damage: dict[str, Any]) -> None:
    stores.finished(tmp_path, TASK, 1, 0.9, thresholds=stores.thresholds() | damage)
    shown = json.dumps(page(Store(tmp_path), ADDRESS, "").to_plotly_json(), default=str)
    assert "report.json cannot be read: thresholds" in shown


def test_the_page_reckons_as_the_report_does() -> None:
    """What the browser showed above, from the counts."""
    every = stores.thresholds()["classes"][0]
    at = thresholds.at(every, 72)
    assert (at.precision, at.right, at.held_back) == (1.0, 28, 172)
    assert (round(at.recall or 0, 4), round(at.f1 or 0, 4)) == (0.1867, 0.3146)
