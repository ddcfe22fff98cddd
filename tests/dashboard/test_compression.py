"""What crosses the network: how much, and what a browser may keep; through the real Flask app without a browser."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest

from dashboard.app import create
from dashboard.security import Policy
from tests.dashboard import stores

TASK = "image_classification"
PLOTLY = "/_dash-component-suites/plotly/package_data/plotly.min.js"
PACKED = {"Accept-Encoding": "gzip, br"}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("workspace")
    stores.finished(root, TASK, 1, 0.9)
    return create(root, Policy()).server.test_client()


def weight(browser: Any, place: str) -> int:
    """Bytes of a page with all that it asks for at once, as they cross the network."""
    page = browser.get(place, headers=PACKED)
    asked = re.findall(r'(?:src|href)="(/[^"]+)"', gzip.decompress(page.data).decode())
    assert len(asked) > 10
    answers = [browser.get(url, headers=PACKED | {"Referer": f"http://localhost{place}"}) for url in asked]
    assert {answer.status_code for answer in answers} == {200}
    return len(page.data) + sum(len(answer.data) for answer in answers)


def test_the_first_page_and_that_of_a_run_are_small_on_the_wire(browser: Any) -> None:
    assert weight(browser, "/") < 1_200_000
    charts = len(browser.get(PLOTLY, headers=PACKED).data)
    assert charts > 100_000 and weight(browser, f"/run/{TASK}/{stores.run_id(1)}") + charts < 2_500_000


def test_what_is_packed_is_what_is_sent_without(browser: Any) -> None:
    for place in ("/style.css", PLOTLY, "/_dash-layout"):
        packed, plain = browser.get(place, headers=PACKED), browser.get(place)
        assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
        assert gzip.decompress(packed.data) == plain.data
        assert "Accept-Encoding" in packed.headers["Vary"] and "Accept-Encoding" in plain.headers["Vary"]
    assert "Content-Encoding" not in browser.get("/", headers={"Accept-Encoding": "gzip;q=0"}).headers


def test_scripts_are_kept_and_what_runs_left_is_not(browser: Any) -> None:
    page = browser.get("/").text
    fingerprinted = re.search(r'src="(/_dash-component-suites/dash/dcc/dash_core_components[.]v[^"]+)"', page)
    assert fingerprinted
    assert browser.get(fingerprinted[1]).headers["Cache-Control"] == "max-age=31536000, private, immutable"
    charts = browser.get(PLOTLY)
    assert charts.headers["Cache-Control"] == "private, no-cache"
    known = browser.get(PLOTLY, headers={"If-None-Match": charts.headers["ETag"]} | PACKED)
    assert known.status_code == 304 and not known.data
    for place in ("/", "/_dash-layout"):
        assert browser.get(place).headers["Cache-Control"] == "no-store"


def test_sounds_go_in_ranges_and_are_not_packed(browser: Any) -> None:
    place = f"/media/{TASK}/{stores.run_id(1)}/previews/003-0.wav"
    answer = browser.get(place, headers=PACKED | {"Range": "bytes=0-3"})
    assert (answer.status_code, answer.data) == (206, b"RIFF") and "Content-Encoding" not in answer.headers
