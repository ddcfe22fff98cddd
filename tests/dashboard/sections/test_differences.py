"""Two models on the same examples: where they differ, how often, and whether by more than chance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binomtest

from dashboard.app import page
from dashboard.pages import compare
from dashboard.sections import differences
from dashboard.store import Store
from tests.dashboard import stores
from tests.dashboard.conftest import shoot, until

TASK = "image_classification"
KEYS = [f"{TASK}/{stores.run_id(number)}" for number in (1, 2, 3)]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Three runs on the same 60 examples, each wrong in another fifth of them."""
    for number in (1, 2, 3):
        folder = stores.finished(tmp_path, TASK, number, 0.9, fingerprint="same", answers=stores.ANSWERS)
        stores.write_answers(folder, shift=number)
    return tmp_path


def differing(workspace: Path, *keys: str) -> list[differences.Answered]:
    found = compare.long_list(Store(workspace), {"run": list(keys)}, "differences")
    return list(found.rows)


def test_what_is_right_by_one_alone_comes_first(workspace: Path) -> None:
    rows = differing(workspace, *KEYS[:2])
    assert len(rows) == 24 and {one.verdicts for one in rows} == {(True, False), (False, True)}
    assert {one.rows[0]["place"] % 5 for one in rows} == {3, 4}
    places = [one.rows[0]["place"] for one in rows]
    assert places == sorted(places), "losses are the same: in the order of the split"


def test_runs_are_counted_by_who_is_right(workspace: Path) -> None:
    two = str(page(Store(workspace), "/compare", f"?run={KEYS[0]}&run={KEYS[1]}"))
    for name, count in {"right by all": 36, "only by A": 12, "only by B": 12, "by none": 0}.items():
        assert f"Dt({name!r}), Dd('{count}')" in two
    assert "p = 1: it may be chance" in two
    three = str(page(Store(workspace), "/compare", "?" + "&".join(f"run={key}" for key in KEYS)))
    assert "Dt('only by some'), Dd('36')" in three and "McNemar" not in three


@pytest.mark.parametrize("counts", [(0, 0), (1, 0), (10, 2), (30, 31), (5, 25), (2000, 1800)])
def test_the_p_value_is_that_of_a_fair_coin(counts: tuple[int, int]) -> None:
    exact = binomtest(counts[0], sum(counts)).pvalue if sum(counts) else 1.0
    assert differences.mcnemar(*counts) == pytest.approx(exact, rel=1e-6)


def test_runs_that_cannot_be_held_to_each_other_say_why(workspace: Path) -> None:
    file = workspace / TASK / "runs" / stores.run_id(2) / "report" / "answers.parquet"
    search = f"?run={KEYS[0]}&run={KEYS[1]}"
    file.write_bytes(file.read_bytes()[:-9])
    assert "answers.parquet cannot be read" in str(page(Store(workspace), "/compare", search))
    file.unlink()
    shown = str(page(Store(workspace), "/compare", search))
    assert "no answers to the same examples" in shown and "What differs" in shown


def test_they_are_seen_side_by_side(workspace: Path, own_site: str, visit: Callable[..., Any]) -> None:
    shown = visit(f"{own_site}/compare?run={KEYS[0]}&run={KEYS[1]}")
    rows = shown.locator("#differences tbody tr")
    assert rows.count() == 15
    shoot(shown, "two-models")
    shown.click("#differences button.turn:has-text('›')")
    until(shown, lambda: rows.count() == 9)
    shown.click("#differences td a >> nth=0")
    shown.wait_for_selector("h1:has-text('Example')")
