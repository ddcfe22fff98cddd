"""Each page in a real browser: what it shows, filters, sorts, compares, and what it does with a hostile label."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard.pages.compare import _apart
from tests.dashboard import stores
from tests.dashboard.conftest import answering, overflows, settle, shoot, until

TASK = "image_classification"
GOOD, POOR, FAILED, RUNNING = 3, 2, 1, 4
REFUSAL = {"message": "the data is not fit to train on:\n  - column label: new classes", "fix": "mend the data"}
SAME = "0123456789abcdef"
"""Of the data of two runs."""
Visit = Callable[..., Any]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs that ended well, badly and not at all, of two tasks, and two pushed versions."""
    root = tmp_path_factory.mktemp("workspace")
    stores.finished(root, TASK, GOOD, 0.9, fingerprint=SAME)
    stores.finished(root, TASK, POOR, 0.4, fingerprint=SAME)
    nodes = [{"id": n, "state": "ran", "start": 0.0, "seconds": 1.0} for n in stores.NODES[:2]]
    nodes.append({"id": "DataGate", "state": "failed", "start": 2.0, "seconds": 0.1})
    failed = stores.write_run(
        root,
        stores.state(TASK, FAILED, "failed", error=REFUSAL, nodes=nodes),
        log="Traceback\n" * 300 + "DataRefused\n",
    )
    bad = {"split": "train", "file": f"{stores.HOSTILE}.png", "row": 3, "column": "image", "reason": "it is empty"}
    (failed / "quarantine.jsonl").write_text(json.dumps(bad) + "\n", encoding="utf-8")
    stores.finished(root, "gan", 0, 0.7, data=stores.HOSTILE)
    stores.pushed(root, TASK, 1)
    changed = stores.pushed(root, TASK, 2)
    (changed / "saved_model.pb").write_bytes(b"changed")
    return root


@pytest.fixture(scope="module")
def site(workspace: Path) -> Iterator[str]:
    with answering(workspace) as address:
        yield address


def query(page: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def outcomes(page: Any) -> list[str]:
    """The column as it is sorted and filtered now."""
    page.wait_for_selector(".ag-center-cols-container .ag-row")
    rows = page.locator(".ag-center-cols-container .ag-row").all()
    rows.sort(key=lambda row: int(row.get_attribute("row-index")))
    return [row.locator("[col-id=outcome]").inner_text() for row in rows]


def run_address(site: str, number: int, task: str = TASK) -> str:
    return f"{site}/run/{task}/{stores.run_id(number)}"


# --- runs ---


def test_runs_are_listed_sorted_and_filtered_and_the_address_keeps_it(site: str, visit: Visit) -> None:
    page = visit(site)
    assert outcomes(page) == ["✓ blessed", "✗ not blessed", "✗ failed", "✓ blessed"]
    page.click(".ag-header-cell[col-id=score] .ag-header-cell-label")
    until(page, lambda: "sort=score.asc" in page.url)
    page.fill(".ag-floating-filter [aria-label='Outcome Filter Input']", "blessed")
    until(page, lambda: "filter=" in page.url)
    assert outcomes(page) == ["✓ blessed", "✓ blessed"]
    page.fill("#runs-find", TASK)
    until(page, lambda: "q=" in page.url)
    assert outcomes(page) == ["✓ blessed"]
    page.click("summary:has-text('Columns')")
    page.get_by_role("checkbox", name="Code digest").check()
    page.get_by_role("checkbox", name="Data version").uncheck()
    until(page, lambda: "columns=" in page.url)
    shoot(page, "runs")

    again = visit(page.url)
    assert outcomes(again) == ["✓ blessed"]
    shown = query(again)["columns"][0].split(",")
    assert "code" in shown and "version" not in shown
    assert again.locator(".ag-header-cell[col-id=version]").count() == 0
    assert again.input_value("#runs-find") == TASK


def test_every_metric_and_hyper_parameter_can_be_a_column(site: str, visit: Visit) -> None:
    page = visit(f"{site}/?columns=task,outcome,metric+loss,hyper-parameter+epochs&sort=metric+loss.desc")
    page.wait_for_selector(".ag-header-cell[col-id='metric loss']")
    losses = page.locator(".ag-center-cols-container .ag-row [col-id='metric loss']")
    until(page, lambda: losses.all_inner_texts() == ["0.6", "0.3", "0.1", ""])
    assert "3" in page.locator(".ag-row [col-id='hyper-parameter epochs']").all_inner_texts()
    page.click("#runs-more")
    page.get_by_role("option", name="accuracy (metric)").click()
    until(page, lambda: "metric+accuracy" in page.url)
    page.wait_for_selector(".ag-header-cell[col-id='metric accuracy']")


def test_columns_are_kept_though_nothing_else_was_changed(site: str, visit: Visit) -> None:
    page = visit(site)
    page.click("summary:has-text('Columns')")
    page.get_by_role("checkbox", name="Code digest").check()
    until(page, lambda: "columns=" in page.url)
    assert query(page)["columns"][0].endswith(",code") and set(query(page)) == {"columns"}


def test_runs_are_chosen_and_compared(site: str, visit: Visit) -> None:
    page = visit(site)
    assert not page.is_visible("#runs-compare")
    boxes = page.locator(".ag-pinned-left-cols-container .ag-selection-checkbox input")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.wait_for_selector("#runs-compare:visible")
    assert len(query(page)["select"]) == 2
    visit(page.url).wait_for_selector("text=2 runs chosen")
    boxes.nth(3).check()
    page.wait_for_selector("text=Runs of different tasks cannot be compared.")
    assert not page.is_visible("#runs-compare")
    boxes.nth(3).uncheck()
    page.click("#runs-compare")
    page.wait_for_selector("h1:has-text('Compare: Digits & letters')")
    assert page.locator("#metrics tbody tr").nth(0).inner_text().split() == [
        *("accuracy", "★", "0.9", "0.85", "to", "0.95"),
        *("0.4", "0.35", "to", "0.45", "−0.5", "±", "0.07071", "from", "A"),
    ]
    differing = page.inner_text("#made-of")
    assert "learning_rate" in differing and "epochs" not in differing
    assert page.locator("#slices .graph").count() == 1 and page.locator("#training .graph").count() == 2
    first = page.locator("#examples .beside").nth(0)
    assert "2 → 2" in first.inner_text() and first.locator(".right").count() == first.locator(".wrong").count() == 1
    shoot(page, "compare")


def test_a_run_appears_and_ends_without_a_reload(tmp_path: Path, own_site: str, visit: Visit) -> None:
    stores.finished(tmp_path, TASK, GOOD, 0.9)
    page = visit(own_site)
    assert outcomes(page) == ["✓ blessed"]
    going = stores.state(TASK, RUNNING, "running", nodes=[], progress={"step": 30, "steps_total": 120, "loss": 0.5})
    going["nodes"] = [{"id": "Trainer", "state": "running", "start": 0.0, "seconds": 0.0}]
    training = tmp_path / TASK / "training" / "1"
    training.mkdir(parents=True)
    (training / "progress.json").write_text(json.dumps({"history": {"loss": [1.0, 0.5]}}))
    told = training / "curves.json"
    told.write_text(json.dumps(stores.step_curves(2)))
    folder = stores.write_run(tmp_path, going)
    page.wait_for_selector("text=running 1/8")
    page.wait_for_selector("text=2 runs, 1 going on")

    (folder / "log.txt").write_text("first line\n")
    live = visit(run_address(own_site, RUNNING), height=1600)
    live.wait_for_selector("#training .main-svg")
    assert live.locator("#training .graph").count() == 2  # loss and learning rate
    chart = live.locator("#training .graph").first
    chart.evaluate("one => { one.isThatOne = true; }")
    chosen = zoomed(live, chart)
    live.click("#log summary")
    assert "Node 1 of 8: Trainer." in live.inner_text(".verdict")
    assert live.locator("#progress .track").get_attribute("aria-label") == "step 30 of 120"
    told.write_text(json.dumps(stores.step_curves(3)))
    with (folder / "log.txt").open("a") as log:
        log.write("second line\n")
    (folder / "state.json").write_text(json.dumps(going | {"progress": {"step": 60, "steps_total": 120}}))
    live.wait_for_selector("#log details[open] >> text=second line")
    live.wait_for_selector("#progress .track[aria-label='step 60 of 120']")
    assert live.evaluate("document.activeElement.tagName") == "SUMMARY", "what has the focus keeps it"
    until(live, lambda: chart.evaluate("one => one.isThatOne && one.data[0].y.length") == 3)  # not drawn as a new one
    assert chart.evaluate("one => one.layout.xaxis.range") == chosen
    shoot(live, "running")
    (folder / "result.json").write_text(json.dumps(stores.result(TASK, RUNNING, 0.8).to_dict()), encoding="utf-8")
    (folder / "state.json").write_text(json.dumps(stores.state(TASK, RUNNING, "finished")), encoding="utf-8")
    live.wait_for_selector(".verdict:has-text('Blessed')")
    assert live.locator("#progress").count() == 0


def zoomed(page: Any, chart: Any) -> list[float]:
    """Draws a frame in a chart, goes away from it and comes back: the part of its x-axis that is seen from then on."""
    box = chart.locator(".nsewdrag").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 80, steps=4)
    page.mouse.up()
    until(page, lambda: chart.evaluate("one => one.layout.xaxis.autorange") is False)
    chosen: list[float] = chart.evaluate("one => one.layout.xaxis.range")
    page.set_viewport_size({"width": 1280, "height": 100})
    page.evaluate("window.scrollTo(0, 0)")
    until(page, lambda: chart.locator(".main-svg").count() == 0)
    page.set_viewport_size({"width": 1280, "height": 1600})
    until(page, lambda: chart.locator(".main-svg").count() > 0)
    return chosen


def test_a_server_that_is_gone_is_said_to_be(site: str, visit: Visit) -> None:
    page = visit(f"{site}/models")
    page.wait_for_event("requestfinished", lambda asked: asked.url.endswith("/healthz"))  # and does not stay open
    assert not page.is_visible("#gone")
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('gone')); }")
    page.wait_for_selector("#gone:visible")


def test_an_empty_workspace_says_what_to_run(own_site: str, visit: Visit) -> None:
    for place in ("", "/models"):
        assert "benison run image_classification" in visit(own_site + place).inner_text("main")
    assert "two or more runs" in visit(f"{own_site}/compare").inner_text("main")


def test_what_is_not_there_is_said_to_be_missing(site: str, visit: Visit) -> None:
    for place in ("/run/image_classification/none", "/run/%2e%2e/%2E%2E%2f", "/models/none", "/nowhere"):
        assert "Not there" in visit(site + place).inner_text("main")


def test_a_difference_is_told_with_its_sampling_error() -> None:
    assert _apart((0.9, [0.85, 0.95]), (0.4, [0.35, 0.45])) == "−0.5 ± 0.07071 from A"
    assert _apart((0.9, [0.85, 0.95]), (0.95, [0.9, 1.0])) == "+0.05 ± 0.07071 from A, maybe chance"
    assert _apart((0.9, None), (0.95, [0.9, 1.0])) == "+0.05 from A"
    assert _apart((None, None), (0.95, [0.9, 1.0])) == ""


# --- one run ---


def test_a_run_shows_all_that_it_left(site: str, visit: Visit) -> None:
    page = visit(run_address(site, GOOD))
    assert page.inner_text("#outcome") == "Blessed" and "accuracy 0.9, ≥ 0.5 (floor)" in page.inner_text(".verdict")
    assert page.locator("#metrics tbody tr").nth(0).inner_text().split("\t")[:4] == ["accuracy", "0.9", "0.55", "0.35"]
    assert "✓ yes" in page.inner_text("#metrics") and "nearest neighbours 0.6" in page.inner_text("#metrics")
    slices = page.locator("#slices tbody th").all_inner_texts()
    assert slices == [f"label: {stores.HOSTILE}", "label: 2", "label: 1"]
    assert page.locator("#confusion .matrix td").count() == 9
    page.locator("#answers").scroll_into_view_if_needed()
    page.wait_for_selector("#answers .main-svg")
    assert page.locator("#answers .graph").count() == 2 and page.locator("#training .graph").count() == 1
    assert page.locator("#nodes .gantt [role=row]").count() == len(stores.NODES)
    assert "800" in page.inner_text("#data .tiles") and page.locator("#data .spark-bars").count() == 2
    assert "learning_rate" in page.inner_text("#lineage") and "0123456789abcdef" in page.inner_text("#lineage")
    page.click("#log summary")
    assert "line 2" in page.inner_text("#log")
    shoot(page, "run")


def test_each_kind_of_preview_is_seen(site: str, visit: Visit) -> None:
    page = visit(run_address(site, GOOD))
    examples = page.locator("#examples")
    widths = examples.locator("img").evaluate_all("all => all.map(one => one.naturalWidth)")
    assert len(widths) == 4 and all(widths)  # two digits, a scene with boxes, a spectrogram
    sound = examples.locator("audio")
    sound.evaluate("one => { one.preload = 'auto'; one.load(); }")
    until(page, lambda: sound.evaluate("one => one.duration > 0.9"))
    assert examples.locator("mark").all_inner_texts() == ["two", "too"]
    assert examples.locator(".graph").count() == 1


def test_previews_are_filtered_and_the_address_keeps_it(site: str, visit: Visit) -> None:
    page = visit(run_address(site, GOOD))
    assert page.locator("#examples figure").count() == 5
    page.get_by_text("✗ Wrong 1").click()
    until(page, lambda: page.locator("#examples .preview").count() == 1)
    page.get_by_text("? Neither 1").click()
    until(page, lambda: page.locator("#examples .preview.unjudged").count() == 1)
    page.get_by_text("✓ Right 3").click()
    until(page, lambda: page.locator("#examples .preview").count() == 3)
    until(page, lambda: query(page) == {"show": ["right"]})
    again = visit(page.url + "&slice=label%3A+2")
    assert again.locator("#examples .preview figcaption").all_inner_texts() == [
        "✓ 2 → 2\nlabel: 2",
        "✓ a cat\nlabel: 2",
    ]


def test_a_failed_run_shows_error_fix_log_and_bad_records(site: str, visit: Visit) -> None:
    page = visit(run_address(site, FAILED))
    assert page.inner_text("#outcome") == "Failed"
    failure = page.inner_text("#failure")
    assert "in DataGate" in failure and "new classes" in failure and "mend the data" in failure
    assert "DataRefused" in page.inner_text("#log")
    end = page.locator(".log").evaluate("one => [one.scrollHeight - one.clientHeight, one.scrollTop]")
    assert end[0] > 1000 and end[1] == 0  # counted from its end
    assert f"{stores.HOSTILE}.png" in page.inner_text("#data")
    assert page.locator("#nodes .state.bad").inner_text() == "✗ failed"
    shoot(page, "failed")


# --- models ---


def test_models_show_versions_and_changed_files(site: str, visit: Visit) -> None:
    page = visit(f"{site}/models")
    assert "saved_model.pb was changed" in page.inner_text("main table")
    page.click(f"main >> text={TASK}")
    page.wait_for_selector("#versions")
    rows = page.locator("#versions tbody tr").all_inner_texts()
    assert "▶ served" in rows[0] and "✗" in rows[0] and "✓ 1 files as pushed" in rows[1]
    assert "The model is not asked" in page.inner_text("#try")
    assert "benison predict image_classification FILE..." in page.inner_text("#commands")
    shoot(page, "models")


# --- for everybody ---


def test_a_hostile_label_is_text_everywhere(site: str, visit: Visit) -> None:
    page = visit(run_address(site, GOOD))
    page.locator("#answers").scroll_into_view_if_needed()
    page.wait_for_selector("#answers .legendtext")
    assert stores.HOSTILE in page.locator("#answers .legendtext").nth(0).text_content()
    both = f"run={TASK}/{stores.run_id(GOOD)}&run={TASK}/{stores.run_id(POOR)}"
    for seen in (page, visit(f"{site}/compare?{both}"), visit(run_address(site, FAILED))):
        assert stores.HOSTILE in seen.inner_text("main")
        assert seen.title() != "stolen" and seen.locator("main script").count() == 0
    page = visit(site)
    page.wait_for_selector(".ag-cell[col-id=data]")
    assert page.locator(f".ag-cell[col-id=data]:has-text({json.dumps(stores.HOSTILE)})").count() == 1
    assert page.title() != "stolen" and page.locator(".ag-root script").count() == 0


def test_pages_fit_a_telephone(site: str, visit: Visit) -> None:
    both = f"run={TASK}/{stores.run_id(GOOD)}&run={TASK}/{stores.run_id(POOR)}"
    places = {"runs": "/", "models": "/models", "model": f"/models/{TASK}", "compare": f"/compare?{both}"}
    for name, place in places.items():
        page = visit(site + place, width=390, height=844)
        settle(page)
        assert not overflows(page), place
        shoot(page, f"{name}-390")
        if name == "runs":
            box = page.locator(".ag-center-cols-container [col-id=score]").first.bounding_box()
            assert box and box["x"] + box["width"] <= 390
    page = visit(run_address(site, GOOD), width=390, height=844)
    page.locator("#training").scroll_into_view_if_needed()
    page.wait_for_selector("#training .main-svg")
    assert not overflows(page)
    shoot(page, "run-390")


def test_long_names_without_a_blank_widen_no_page(tmp_path: Path, own_site: str, visit: Visit) -> None:
    long = "n" * 300
    stores.finished(tmp_path, TASK, GOOD, 0.9, data=long, title=long, reference={long: {"accuracy": 0.5}})
    page = visit(run_address(own_site, GOOD), width=390, height=844)
    assert not overflows(page)
    page.emulate_media(media="print")
    shading = page.locator(".matrix td").first.evaluate("one => getComputedStyle(one).printColorAdjust")
    assert shading == "exact"


def contrast(page: Any, selector: str) -> float:
    """WCAG's contrast of an element's text with what lies behind it."""
    return float(
        page.locator(selector).first.evaluate(
            """element => {
              const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
              const layers = [];
              for (let at = element; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
              const light = colours => {
                canvas.fillStyle = '#fff'; canvas.fillRect(0, 0, 1, 1);
                for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
                const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map(
                  v => v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
              };
              const behind = light(layers), text = light([...layers, getComputedStyle(element).color]);
              return (Math.max(behind, text) + 0.05) / (Math.min(behind, text) + 0.05);
            }"""
        )
    )


READ = (
    "h1",
    "main .soft",
    ".note",
    ".verdict p",
    "main a",
    ".good",
    ".preview .bad",
    ".matrix .wrong",
    ".matrix .zero",
)
IN_TABLE = (".ag-header-cell-text", ".ag-cell a", ".outcome.good", ".outcome.bad", "#runs-told", "#runs-compare-told")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_by_day_and_by_night(scheme: str, site: str, visit: Visit) -> None:
    page = visit(run_address(site, GOOD), color_scheme=scheme)
    assert {name: c for name in READ if (c := contrast(page, name)) < 4.5} == {}
    shoot(page, f"run-{scheme}")
    page = visit(site, color_scheme=scheme)
    page.wait_for_selector(".ag-cell a")
    assert {name: c for name in IN_TABLE if (c := contrast(page, name)) < 4.5} == {}
    shoot(page, f"runs-{scheme}")


def test_dark_is_a_choice_that_lasts(site: str, visit: Visit) -> None:
    page = visit(site, color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    by_day = page.evaluate(background)
    page.click("#theme")
    until(page, lambda: page.evaluate(background) != by_day)
    page.reload()
    page.wait_for_selector("main h1")
    assert page.evaluate(background) != by_day


def test_the_keyboard_reaches_everything(site: str, visit: Visit) -> None:
    page = visit(run_address(site, GOOD))
    settle(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached: set[str] = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.closest('section, nav, header')?.id || document.activeElement.id")
        )
    assert {"to-runs", "theme", "metrics", "slices", "examples", "data", "lineage", "log"} <= reached
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
