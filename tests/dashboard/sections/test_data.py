"""The data of a run: what it was trained on, what was bad of it, what stands on both sides."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.app import page
from dashboard.store import Store
from tests.dashboard import stores
from tests.dashboard.conftest import until
from trainer.preview import Picture, Preview, Words

TASK = "image_classification"
PLACE = f"/run/{TASK}/{stores.run_id(1)}"


def learnt(count: int) -> list[Preview]:
    """Of two classes in turn; the first of each is answered wrongly."""
    digit = np.arange(64, dtype=np.uint8).reshape(8, 8, 1) * 3
    return [Preview(f"{i % 2} example {i // 2}", i > 1, {"label": str(i % 2)}, [Picture(digit)]) for i in range(count)]


def test_examples_of_train_are_chosen_by_class_and_turned_over(
    tmp_path: Path, own_site: str, visit: Callable[..., Any]
) -> None:
    stores.with_previews(stores.finished(tmp_path, TASK, 1, 0.9), "train_previews", learnt(40))
    run = visit(own_site + PLACE)
    section = run.locator("#train-examples")
    titles = section.locator("figcaption")
    assert titles.count() == 4 and "may be labelled wrongly" in section.inner_text()
    section.locator("#train-examples-slice").click()
    run.get_by_role("option", name="label: 1").click()
    until(run, lambda: "1 to 4 of 20" in section.inner_text())
    assert all(" 1 example" in f" {said}" for said in titles.all_inner_texts() if said)
    section.get_by_role("button", name="Next page of examples of train").click()
    until(run, lambda: "5 to 8 of 20" in section.inner_text())
    section.get_by_text("✗ Wrong 2").click()
    until(run, lambda: titles.count() == 1)
    assert "1 example 0" in titles.first.inner_text()
    widths = section.locator("img").evaluate_all("all => all.map(one => one.naturalWidth)")
    until(run, lambda: all(section.locator("img").evaluate_all("all => all.map(one => one.naturalWidth)")))
    assert len(widths) == 1 and run.locator("#examples figure").count() == 5  # those of eval stand as they stood


def test_bad_records_are_seen_beside_their_reason(tmp_path: Path, own_site: str, visit: Callable[..., Any]) -> None:
    reason = "the picture is truncated"
    bad = {"split": "train", "file": "train/a/1.png", "row": None, "column": "image", "reason": reason}
    folder = stores.finished(tmp_path, TASK, 1, 0.9, copies=7, quarantine=[bad])
    half = Picture(np.full((8, 8, 3), 90, np.uint8), "PNG, 8 x 8")
    shown = [
        Preview(f"train/a/1.png, column image: {reason}", None, {}, [half]),
        Preview("train/a/2.png, column image: no picture", None, {}, [Words(stores.HOSTILE)]),
    ]
    stores.with_previews(folder, "quarantined_previews", shown)
    section = visit(own_site + PLACE).locator("#data")
    assert "7 of 200 eval examples stand in train, too" in section.inner_text()
    figures = section.locator("figure")
    assert figures.count() == 2 and "PNG, 8 x 8" in figures.nth(0).inner_text()
    assert stores.HOSTILE in figures.nth(1).inner_text() and reason in section.locator("table").last.inner_text()


def test_runs_that_left_none_of_it_say_nothing_of_it(tmp_path: Path) -> None:
    stores.finished(tmp_path, TASK, 1, 0.9)
    shown = str(page(Store(tmp_path), PLACE, ""))
    assert "Examples of train" not in shown and "As they lie" not in shown and "stand in train" not in shown


def test_damaged_previews_of_train_are_said_to_be_so(tmp_path: Path) -> None:
    folder = stores.finished(tmp_path, TASK, 1, 0.9)
    file = folder / "report" / "report.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"train_previews": [{"title": 3}]}), encoding="utf-8")
    assert "cannot be read" in str(page(Store(tmp_path), PLACE, ""))
