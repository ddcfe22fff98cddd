"""However much a run left, its page stays small in the browser and on the wire, and all of it can be reached."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.dashboard import stores
from tests.dashboard.conftest import settle, until
from trainer.preview import Curve, Preview
from trainer.preview.disk import write

TASK, CLASSES = "image_classification", 1000
MOST_NODES = 3000
BYTES_SENT = """() => [...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
  .reduce((sum, sent) => sum + sent.transferSize, 0)"""


def weight(page: Any) -> tuple[int, float]:
    """The most elements that the page has when any part of it is seen, and megabytes that were sent for all of it."""
    nodes = []
    for place in page.locator("main section, .runs-grid").all():
        place.scroll_into_view_if_needed()
        settle(page)
        nodes.append(page.evaluate("document.querySelectorAll('*').length"))
    return max(nodes), page.evaluate(BYTES_SENT) / 1e6


def of_many_classes(workspace: Path, number: int) -> None:
    """A run whose lists are all long: slices and their bounds, classes, columns, curves, previews, bad records."""
    names = [f"class {i}" for i in range(CLASSES)]
    counts = np.eye(CLASSES, k=1, dtype=int) + 9 * np.eye(CLASSES, dtype=int)
    statistics = stores.statistics()["width"]["train"] | {"histogram": [[i, i + 1, 5 + i] for i in range(10)]}
    bounds = [stores.gate("accuracy", 0.4, 0.3 if i else 0.5, f"label: {name}") for i, name in enumerate(names)]
    folder = stores.finished(
        workspace,
        TASK,
        number,
        0.9,
        fingerprint="0123456789abcdef",
        slices=[stores.slice_row(name, 0.001 * i) for i, name in enumerate(names)],
        gates=[stores.gate("accuracy", 0.9, 0.5), *bounds],
        confusion={"labels": names, "counts": counts.tolist()},
        curves={f"{side}loss {i}": [1 / (j + 1) for j in range(100)] for i in range(20) for side in ("", "val_")},
        plots=10 * stores.plots(),
        statistics={f"column {i}": {"train": statistics, "eval": statistics} for i in range(100)},
        anomalies=[f"column {i}: new values" for i in range(200)],
    )
    forecasts = [
        Preview(
            f"forecast {i}", None, {}, [Curve({"measured": [1.0, 2.0], "forecast": [1.5, 2.5]}, "", "steps", "load")]
        )
        for i in range(25)
    ]
    file = folder / "report" / "report.json"
    report = json.loads(file.read_text(encoding="utf-8"))
    shown = write(forecasts, folder / "report")
    report["previews"] = [record | {"example": f"{i:016x}"} for i, record in enumerate(shown)]
    report["train_previews"] = [record | {"split": "train"} for record in report["previews"]]
    report["quarantined_previews"] = shown
    file.write_text(json.dumps(report), encoding="utf-8")
    bad = {"split": "train", "file": "a.png", "row": 3, "column": "image", "reason": "it is empty"}
    (folder / "quarantine.jsonl").write_text((json.dumps(bad) + "\n") * 1000, encoding="utf-8")


def test_pages_of_large_runs_are_small_and_show_all(tmp_path: Path, own_site: str, visit: Callable[..., Any]) -> None:
    for number in (1, 2):
        of_many_classes(tmp_path, number)
    page = visit(f"{own_site}/run/{TASK}/{stores.run_id(1)}")
    nodes, megabytes = weight(page)
    assert nodes <= MOST_NODES and megabytes <= 2.5, (nodes, megabytes)

    def first_slice() -> str:
        return str(page.locator("#slices tbody th").first.inner_text())

    pages = page.locator("#slices .pages")
    assert first_slice() == "label: class 0" and "1 to 15 of 1,000" in pages.inner_text()
    pages.get_by_role("button", name="Next page of slices").press("Enter")
    until(page, lambda: first_slice() == "label: class 15")
    pages.get_by_label("Page", exact=True).fill("67")
    pages.get_by_label("Page", exact=True).press("Enter")
    until(page, lambda: first_slice() == "label: class 990")
    assert "991 to 1,000 of 1,000" in pages.inner_text()
    page.get_by_role("button", name="Next page of examples", exact=True).click()
    until(page, lambda: page.locator("#examples figcaption").first.inner_text() == "forecast 8")
    nodes, megabytes = weight(page)
    assert nodes <= MOST_NODES and megabytes <= 2.5, (nodes, megabytes)

    both = f"run={TASK}/{stores.run_id(1)}&run={TASK}/{stores.run_id(2)}"
    nodes, megabytes = weight(visit(f"{own_site}/compare?{both}"))
    assert nodes <= MOST_NODES and megabytes <= 2.5, (nodes, megabytes)
    first = visit(own_site)
    first.wait_for_selector(".ag-row")
    nodes, megabytes = weight(first)
    assert nodes <= MOST_NODES and megabytes <= 1.2, (nodes, megabytes)
