"""The one-file report, read as a browser would read it."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.report import page as report_page
from data.errors import WrongUse
from tests.dashboard import stores
from trainer.curves import Series, StepCurves
from trainer.preview import Bars, Curve, Picture, Preview, Sound, Words
from trainer.preview.disk import write

HOSTILE = "<script>alert('7')</script>"
NOTHING = {"task": "digits", "run_id": "r1"}


class Page(HTMLParser):
    """Elements with their attributes, text by section, and the text of the style sheet."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.source = file.read_text(encoding="utf-8")
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.style = ""
        self._section, self._in_style = "head", False
        self.feed(self.source)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        self._in_style = tag == "style"
        if tag == "section":
            self._section = dict(attributes)["id"] or ""

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.style += data
        else:
            self.texts.setdefault(self._section, []).append(data.strip())

    def text(self, section: str) -> str:
        return " ".join(text for text in self.texts[section] if text)

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [found for name, found in self.elements if name == tag and wanted.items() <= found.items()]


def gate(bound: float, passed: bool, where: str = "", **changes: Any) -> dict[str, Any]:
    row = {"metric": "accuracy", "value": 0.95, "bound": bound, "bound_from": "floor", "higher_is_better": True}
    return {**row, "passed": passed, "slice": where, **changes}


@pytest.fixture
def report(tmp_path: Path) -> dict[str, Any]:
    """A blessed run's report in full, its previews written beside it."""
    digit = Picture(np.arange(64, dtype=np.uint8).reshape(8, 8, 1))
    previews = [
        Preview(f"{HOSTILE} → 1", False, {"label": HOSTILE}, [digit, Bars({"1": 0.6, HOSTILE: 0.4}, "probability")]),
        Preview("2 → 2", True, {"label": "2"}, [digit, Words(HOSTILE, "words")]),
        Preview("3 → 3", True, {}, [Sound(np.zeros(100, np.float32), 8000), Curve({"load": [1, math.nan, 3]})]),
    ]
    return {
        **NOTHING,
        "title": "Digits & letters",
        "questions": [1, 4],
        "created": "2026-11-23T20:38:55+00:00",
        "state": "finished",
        "blessed": True,
        "verdict": "blessed: accuracy 0.95, ≥ 0.9 (floor)",
        "key_metric": "accuracy",
        "gates": [gate(0.9, True), gate(0.8, True, "label: 10"), gate(0.93, True, bound_from="reference: kNN")],
        "metrics": {"accuracy": 0.95, "loss": 0.12345678},
        "reference": {"kNN": {"accuracy": 0.93}},
        "baseline": {"accuracy": 0.94},
        "slices": [
            {"slice": "label: 10", "examples": 40, "metrics": {"accuracy": 0.91, "loss": 0.2}},
            {"slice": f"label: {HOSTILE}", "examples": 2, "metrics": {"accuracy": 0.5, "loss": 0.9}},
            {"slice": "label: 2", "examples": 1, "metrics": {}},
        ],
        "confusion": {"labels": ["10", "2", HOSTILE], "counts": [[9, 1, 0], [0, 8, 0], [0, 3, 7]]},
        "curves": {"loss": [1.0, 0.5, 0.25], "val_loss": [0.9, math.nan, 0.3], "lr": [0.1, 0.1, 0.1]},
        "nodes": [
            {"id": "Transform", "state": "cached", "start": 0.0, "seconds": 0.1},
            {"id": "Trainer", "state": "ran", "start": 0.1, "seconds": 9.9},
        ],
        "examples": {"train": 1408, "eval": 389, "quarantined": 70},
        "classes": {"10": {"train": 5, "eval": 2}, "2": {"train": 7}},
        "quarantine": [{"file": f"{HOSTILE}.png", "row": 3, "column": None, "reason": "the file is empty"}],
        "anomalies": [f"column label: {HOSTILE}"],
        "previews": write(previews, tmp_path),
        "hparams": {"epochs": 8, "xla": False, "layers": [1, 2]},
        "settings": {"workers": 2, "overrides": {"filters": "16"}, "limit": None},
        "data": {"name": "mnist", "fingerprint": "083c4dcb", "licence": "CC BY 4.0", "credit": "LeCun et al."},
        "code_digest": "86e7309e",
        "versions": {"tfx": "1.16.0"},
        "pushed": "3",
        "predict": "benison predict digits FILE... --workspace /w",
    }


def rendered(report: dict[str, Any], directory: Path) -> Page:
    (directory / "report.json").write_text(json.dumps(report), encoding="utf-8")
    page = report_page.render(directory)
    assert page == directory / "index.html"
    return Page(page)


def test_the_page_stands_alone(report: dict[str, Any], tmp_path: Path) -> None:
    page = rendered(report, tmp_path)
    assert len(page.all("script")) == 1 and not page.all("link") and not page.all("iframe")
    media = [element["src"] or "" for _, element in page.elements if "src" in element]
    assert len(media) == 4 and all(source.startswith("data:") for source in media)
    assert all((anchor["href"] or "").startswith("#") for anchor in page.all("a"))
    assert not re.search(r"https?:|url\(|@import", page.source)
    picture = base64.b64decode(media[0].removeprefix("data:image/png;base64,"))
    assert picture == (tmp_path / "previews" / "000-0.png").read_bytes()
    assert len(page.source) < 80_000


def test_the_policy_allows_this_style_sheet_and_this_script_and_nothing_else(
    report: dict[str, Any], tmp_path: Path
) -> None:
    page = rendered(report, tmp_path)
    [policy] = (meta["content"] or "" for meta in page.all("meta", **{"http-equiv": "Content-Security-Policy"}))
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'") and f"style-src 'sha256-{digest}'" in policy
    [script] = re.findall("<script>(.*?)</script>", page.source, re.DOTALL)
    allowed = re.findall("script-src ([^;]*);", policy)
    assert allowed == [f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"]
    assert "unsafe" not in policy and "http" not in policy
    assert not [element for _, element in page.elements if any(n == "style" or n.startswith("on") for n in element)]


def test_the_figures_at_a_threshold_are_those_of_the_best_or_of_the_chosen(
    report: dict[str, Any], tmp_path: Path
) -> None:
    report["thresholds"] = stores.thresholds()
    page = rendered(report, tmp_path)
    assert "Threshold 0.00 Where F1 is highest." in page.text("thresholds") and len(page.all("script")) == 1
    (tmp_path / "index.html").write_text(report_page.page_of(report, tmp_path, 0.73), encoding="utf-8")  # type: ignore[arg-type]
    said = Page(tmp_path / "index.html").text("thresholds")
    assert "Threshold 0.73 Chosen by a person. Of 200 examples" in said
    assert "all classes 0.73 1 0.18 0.3051 27 0 123 173" in said and "at the threshold 0.00" in said
    del report["thresholds"]
    with pytest.raises(WrongUse, match="run r1 of digits has no figures by threshold"):
        report_page.page_of(report, tmp_path, 0.73)  # type: ignore[arg-type]


def test_hostile_names_show_as_text(report: dict[str, Any], tmp_path: Path) -> None:
    report |= {
        "title": HOSTILE,
        "verdict": HOSTILE,
        "hparams": {HOSTILE: HOSTILE},
        "gates": [gate(1, True, bound_from=HOSTILE)],
    }
    page = rendered(report | {"nodes": [{"id": HOSTILE, "state": '"><b>', "start": 0, "seconds": 1}]}, tmp_path)
    assert len(page.all("script")) == 1, "its own"
    for section in ("head", "gates", "slices", "confusion", "previews", "data", "nodes", "lineage"):
        assert HOSTILE in page.text(section), section


def test_the_outcome_is_said_in_words(report: dict[str, Any], tmp_path: Path) -> None:
    head = rendered(report, tmp_path).text("head")
    assert "✓ Blessed accuracy 0.95, ≥ 0.9 (floor)" in head
    assert "version 3" in head and "benison predict digits FILE... --workspace /w" in head
    assert "Digits & letters" in head and "questions 1, 4" in head and "run r1" in head
    assert "23 November 2026, 20:38 UTC" in head
    report |= {"blessed": False, "pushed": None, "verdict": "not blessed: accuracy 0.95, < 0.98 (floor)"}
    head = rendered(report, tmp_path).text("head")
    assert "✗ Not blessed accuracy 0.95, < 0.98 (floor)" in head
    assert "Nothing was pushed" in head and "benison predict" not in head


def test_a_report_of_next_to_nothing_says_what_is_missing(tmp_path: Path) -> None:
    page = rendered(NOTHING, tmp_path)
    assert "Not judged" in page.text("head") and "Nothing has been pushed" in page.text("head")
    for section in ("gates", "metrics", "previews", "training", "nodes", "data"):
        assert re.search(r"\bNo ", page.text(section)), section
    assert "every record could be read" not in page.text("data") and "Not recorded" in page.text("lineage")


def test_a_report_with_any_part_left_out(report: dict[str, Any], tmp_path: Path) -> None:
    for name in report.keys() - NOTHING.keys():
        rendered({key: value for key, value in report.items() if key != name}, tmp_path)


def test_gates_that_did_not_hold_come_first_and_slices_that_held_are_folded(
    report: dict[str, Any], tmp_path: Path
) -> None:
    report["gates"] += [gate(0.99, False), gate(1.5, False, "label: 2", metric="loss", higher_is_better=False)]
    text = rendered(report, tmp_path).text("gates")
    assert text.index("≥ 0.99") < text.index("≤ 1.5") < text.index("≥ 0.9 ") < text.index("≥ 0.93")
    assert text.index("≥ 0.93") < text.index("1 slice bound held") < text.index("label: 10")
    assert text.count("✗ no") == 2 and text.count("✓ yes") == 3


def test_the_model_stands_beside_reference_and_baseline(report: dict[str, Any], tmp_path: Path) -> None:
    text = rendered(report, tmp_path).text("metrics")
    assert "accuracy 0.95 0.94 kNN 0.93" in text and "loss 0.1235" in text
    comparison = report_page.comparison(report)  # type: ignore[arg-type]
    assert comparison is not None
    places = {row["name"]: row["at"] for row in comparison["rows"]}
    assert 0 <= places["kNN"] < places["latest blessed model"] < places["this model"] <= 100
    assert comparison["floors"][0]["at"] < places["kNN"]


def slice_names(report: dict[str, Any]) -> list[str]:
    return [row["slice"] for row in report_page.worst_first(report)["rows"]]  # type: ignore[arg-type]


def test_slices_come_worst_first_whichever_way_the_metric_points(report: dict[str, Any]) -> None:
    hostile = f"label: {HOSTILE}"
    assert slice_names(report) == [hostile, "label: 10", "label: 2"]
    report |= {"key_metric": "loss", "gates": [gate(1, True, metric="loss", higher_is_better=False)]}
    assert slice_names(report) == [hostile, "label: 10", "label: 2"]
    report["gates"][0]["higher_is_better"] = True
    assert slice_names(report) == ["label: 10", hostile, "label: 2"]


def test_many_slices_are_folded_after_the_worst(report: dict[str, Any], tmp_path: Path) -> None:
    report["slices"] = [{"slice": f"label: {i}", "examples": 9, "metrics": {"accuracy": i / 40}} for i in range(40)]
    text = rendered(report, tmp_path).text("slices")
    assert text.index("label: 14 ") < text.index("The other 25") < text.index("label: 15 ")


def test_confusion_in_the_natural_order_of_labels(report: dict[str, Any], tmp_path: Path) -> None:
    found = report_page.confusion(report["confusion"])
    assert found is not None
    assert found["labels"] == ["2", "10", HOSTILE]
    assert [[cell["count"] for cell in row["cells"]] for row in found["rows"]] == [[8, 0, 0], [1, 9, 0], [3, 0, 7]]
    assert [(p["truth"], p["prediction"], p["count"], p["of"]) for p in found["pairs"]] == [
        (HOSTILE, "2", 3, 10),
        ("10", "2", 1, 10),
    ]
    assert "3 , 30.0%" in rendered(report, tmp_path).text("confusion")


def test_a_confusion_of_many_classes_is_a_list(report: dict[str, Any], tmp_path: Path) -> None:
    counts = (5 * np.eye(300, dtype=int)).tolist()
    counts[17][4] = 2
    report["confusion"] = {"labels": [f"class {i}" for i in range(300)], "counts": counts}
    page = rendered(report, tmp_path)
    assert not page.all("table", class_="matrix")
    assert "class 17 class 4 2 , 28.6%" in page.text("confusion")


def test_previews_can_be_filtered_without_a_script(report: dict[str, Any], tmp_path: Path) -> None:
    page = rendered(report, tmp_path)
    assert [radio["id"] for radio in page.all("input", type="radio")] == ["show-all", "show-wrong", "show-right"]
    assert [label["for"] for label in page.all("label")] == ["show-all", "show-wrong", "show-right"]
    assert "All 3 ✗ Wrong 1 ✓ Right 2" in page.text("previews")
    assert len(page.all("figure", class_="wrong")) == 1 and len(page.all("figure", class_="right")) == 2
    assert "#show-wrong:checked ~ .previews > :not(.wrong)" in page.style
    assert len(page.all("audio")) == 1 and "60.0%" in page.text("previews")


def test_previews_without_a_truth_have_no_filter(report: dict[str, Any], tmp_path: Path) -> None:
    page = rendered(report | {"previews": write([Preview("x", None, {}, [Words("hello")])], tmp_path)}, tmp_path)
    assert not page.all("input") and "hello" in page.text("previews")


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "report.json"])
def test_only_media_of_the_report_are_inlined(name: str, report: dict[str, Any], tmp_path: Path) -> None:
    directory = tmp_path / "report"
    directory.mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    part = {"kind": "picture", "file": name, "caption": ""}
    preview: dict[str, Any] = {"title": "x", "correct": None, "slice": {}, "parts": [part]}
    with pytest.raises(ValueError, match="not a preview of this report"):
        rendered({**NOTHING, "previews": [preview]}, directory)


def test_curves_stay_in_their_chart_and_break_at_gaps() -> None:
    charts = report_page.training_curves(of_rounds({"loss": [1.0, 0.5, 0.25], "val_loss": [0.9, math.nan, 0.3]}))
    assert [chart["name"] for chart in charts] == ["loss"]
    training, held_out = charts[0]["chart"]["lines"]
    assert (training["name"], held_out["name"]) == ("training", "held out")
    assert (training["path"].count("M"), held_out["path"].count("M")) == (1, 2)
    assert all(46 <= x <= 350 and 10 <= y <= 170 for line in (training, held_out) for x, y in line["marks"])
    heights = [y for _, y in training["marks"]]
    assert heights == sorted(heights)  # a falling loss goes down the page


@pytest.mark.parametrize(("top", "left"), [(1.0, 46), (0.01, 55), (0.0000123, 63)])
def test_long_numbers_at_an_axis_have_room(top: float, left: int) -> None:
    """0.0075 was cut."""
    lines = report_page.line_chart({"a": [(1, 0.0), (2, top)]})
    bars = report_page.histogram_chart({"series": {"a": [1, 3]}, "edges": [0.0, 1.0, 2.0]})
    assert lines is not None and bars is not None
    assert lines["left"] == left and lines["lines"][0]["marks"][0][0] == lines["left"]
    assert min(bar["x"] for bar in bars["series"][0]["bars"]) == bars["left"]


def test_curves_of_one_round_or_of_no_number() -> None:
    assert report_page.line_chart({"a": [(1, 0.5)]})["lines"][0]["marks"]  # type: ignore[index]
    assert report_page.line_chart({"a": [(1, math.nan)]}) is None
    assert [c["name"] for c in report_page.training_curves(of_rounds({"val_only": [1.0], "none": []}))] == ["only"]


def of_rounds(curves: dict[str, list[float]]) -> report_page.ReportData:
    """The report of a run of before curves were kept by step."""
    return {"task": "digits", "run_id": "1", "curves": curves}


def test_curves_by_step_are_drawn_with_as_many_points_as_are_seen(report: dict[str, Any], tmp_path: Path) -> None:
    steps = list(range(1, 1001))
    values: dict[str, list[float | None]] = {"loss": [None, *(1 / step for step in steps[1:])]}
    training: Series = {"steps": steps, "seconds": [step / 10 for step in steps], "values": values}
    held_out: Series = {"steps": [1000], "seconds": [101.0], "values": {"loss": [0.5]}}
    kept: StepCurves = {"training": training, "held_out": held_out}
    [chart] = report_page.training_curves({**of_rounds({"loss": [1.0]}), "step_curves": kept})
    assert chart["last"] == {"training": 0.001, "held out": 0.5} and chart["chart"]["x_ticks"][-1]["value"] == 1000
    path = chart["chart"]["lines"][0]["path"]
    assert 200 <= path.count("L") < report_page.CURVE_POINTS
    rendered(report | {"step_curves": kept}, tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert path in page and "loss by step" in page and "by round" not in page


@pytest.mark.parametrize(
    "values", [[0.0, 1.0], [0.93, 0.987], [-3e-9, 2e-9], [1e12, 5e12], [5.0], [0.0], [0.3, 0.3 + 1e-12]]
)
def test_ticks_enclose_their_values(values: list[float]) -> None:
    ticks = report_page.ticks(values)
    assert 2 <= len(ticks) <= 7 and ticks == sorted(set(ticks))
    assert ticks[0] <= min(values) and max(values) <= ticks[-1]


def test_nodes_show_when_they_ran(report: dict[str, Any], tmp_path: Path) -> None:
    transform, trainer = report_page.gantt(report["nodes"])["rows"]
    assert (transform["at"], trainer["at"]) == (0, pytest.approx(1))
    assert (transform["length"], trainer["length"]) == (pytest.approx(1), pytest.approx(99))
    text = rendered(report, tmp_path).text("nodes")
    assert "Transform = cached 0.1 s" in text and "Trainer ✓ ran 9.9 s" in text


def test_data_and_lineage(report: dict[str, Any], tmp_path: Path) -> None:
    page = rendered(report, tmp_path)
    data, lineage = page.text("data"), page.text("lineage")
    assert "train examples 1,408" in data and "1 shown of 70" in data and "LeCun et al." in data
    assert data.index("2 7 0") < data.index("10 5 2")
    for shown in ("epochs 8", "xla no", "layers 1, 2", "filters=16", "86e7309e", "083c4dcb", "tfx 1.16.0"):
        assert shown in lineage
    assert "limit" not in lineage


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.98714, "0.9871"), (1408, "1,408"), (1.0, "1"), (1e-7, "1e-07"), (None, "–"), (math.nan, "–"), (True, "–")],
)
def test_numbers(value: Any, shown: str) -> None:
    assert report_page.number(value) == shown


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_has_the_contrast_of_wcag_aa_in_light_and_dark() -> None:
    css = (report_page.TEMPLATES / "report.css.j2").read_text(encoding="utf-8")
    colours = re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", css)
    schemes = [{name: pair[i] for name, *pair in colours} for i in range(2)]
    pairs = [(ink, on) for ink in ("ink", "soft", "accent", "good", "bad") for on in ("page", "card")]
    pairs += [("good", "good-tint"), ("bad", "bad-tint"), ("ink", "good-tint"), ("ink", "bad-tint"), ("second", "card")]
    for scheme in schemes:
        for ink, on in pairs:
            light, dark = sorted((luminance(scheme[ink]), luminance(scheme[on])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, on)


def test_curves_and_histograms_of_the_answers(report: dict[str, Any], tmp_path: Path) -> None:
    lines = {"kind": "lines", "title": "ROC", "x_label": "false", "y_label": "true", "note": HOSTILE}
    bars = {"kind": "histogram", "title": "Confidence", "x_label": "confidence", "y_label": "share", "note": ""}
    report["plots"] = [
        {**lines, "series": {HOSTILE: [[0.0, 0.0], [0.1, 0.8], [1.0, 1.0]]}},
        {**bars, "series": {"right": [0, 2, 6], "wrong": [3, 1, 0]}, "edges": [0.0, 1 / 3, 2 / 3, 1.0]},
    ]
    page = rendered(report, tmp_path)
    text = page.text("answers")
    assert HOSTILE in text and "0.5" in text and "right 8" in text and "wrong 4" in text
    assert page.all("svg", aria_label="ROC") == [] and page.all("svg", **{"aria-label": "ROC"})


def test_six_lines_look_like_six(report: dict[str, Any], tmp_path: Path) -> None:
    lines = {"kind": "lines", "title": "ROC", "x_label": "false", "y_label": "true", "note": ""}
    series = {f"class {i}": [[0.0, 0.0], [1.0, i / 6]] for i in range(6)}
    page = rendered(report | {"plots": [{**lines, "series": series}], "previews": [], "curves": {}}, tmp_path)
    styles = [attributes["class"] or "" for tag, attributes in page.elements if tag == "g"]
    assert len(set(styles)) == 6 and len(styles) == 12  # in the legend, too
    assert all(f".{style.replace(' ', '.')} " in page.style for style in styles if style != "series s0")


def test_a_histogram_is_of_shares() -> None:
    chart = report_page.histogram_chart({"series": {"a": [1, 3], "b": [0, 5]}, "edges": [0.0, 1.0, 2.0]})
    assert chart is not None
    (a, b), bottom = chart["series"], chart["bottom"]
    assert [len(series["bars"]) for series in (a, b)] == [2, 1]
    tall, [full] = a["bars"][1], b["bars"]
    assert tall["height"] == pytest.approx(0.75 * full["height"], abs=0.2)
    assert full["y"] + full["height"] == pytest.approx(bottom, abs=0.2) and tall["x"] < full["x"]


def test_columns_are_listed_with_their_distribution(report: dict[str, Any], tmp_path: Path) -> None:
    numbers = {"kind": "number", "count": 800, "missing": 3, "mean": 2.5, "min": 0.0, "max": 9.0}
    report["statistics"] = {
        "width": {"train": {**numbers, "histogram": [[0, 5, 700], [5, 9, 97]]}},
        "height": {"train": {**numbers, "min": 28.0, "max": 28.0, "histogram": [[28, 28, 800]]}},
        "label": {"train": {"kind": "text", "count": 800, "missing": 0, "unique": 3, "top": [[HOSTILE, 300]]}},
    }
    page = rendered(report, tmp_path)
    assert page.all("svg", **{"aria-label": "width in train, from 0 to 9"})
    assert "always 28" in page.text("data") and HOSTILE[:20] in page.text("data")


def test_train_and_eval_are_laid_side_by_side(report: dict[str, Any], tmp_path: Path) -> None:
    wide = {"kind": "number", "count": 800, "missing": 0, "median": 2.5, "min": 0, "max": 9}
    wide["histogram"] = [[0, 5, 700], [5, 9, 100]]
    label = {"kind": "text", "count": 800, "missing": 0, "unique": 2, "top": [[HOSTILE, 600], ["1", 200]]}
    report["statistics"] = {
        "width": {"train": wide, "eval": wide | {"histogram": [[20, 30, 80]], "count": 80, "median": 25.0}},
        "label": {"train": label, "eval": label},
    }
    page = rendered(report | {"bounds": {"label": 0.25}}, tmp_path)
    said = page.text("data")
    assert "half of train lies below 2.5, half of eval below 25, and 100% of eval lies where train has nothing" in said
    assert said.index("half of train") < said.index("The same in both.") and HOSTILE in said and "75.0%" in said
    assert page.all("svg", **{"aria-label": "width in train and eval"})


def test_a_tie_does_not_look_like_a_gap(report: dict[str, Any], tmp_path: Path) -> None:
    tie = gate(0.9499, True, bound_from="reference: kNN") | {"tie": True}
    reference = {"kNN": {"accuracy": 0.9499}}
    tied = report | {"intervals": {"accuracy": [0.90, 0.97]}, "gates": [tie], "reference": reference}
    comparison = report_page.comparison(tied | {"baseline": {}})  # type: ignore[arg-type]
    assert comparison is not None
    model, reference = comparison["rows"]
    assert model["spread"][0] < reference["at"] < model["at"] < model["spread"][1]
    assert model["at"] - reference["at"] < 1
    page = rendered(tied, tmp_path)
    assert "The model and kNN lie apart by less than the sampling error" in page.text("metrics")
    assert "0.9 to 0.97" in page.text("metrics") and "within the sampling error" in page.text("gates")


def test_sections_that_a_task_has_none_of_are_not_shown(report: dict[str, Any], tmp_path: Path) -> None:
    page = rendered(report | {"slices": [], "confusion": None, "plots": []}, tmp_path)
    shown = {section["id"] for section in page.all("section")}
    assert not shown & {"slices", "confusion", "answers"} and "metrics" in shown
    assert not [anchor for anchor in page.all("a") if anchor["href"] in ("#slices", "#confusion", "#answers")]


def test_what_cannot_be_judged_says_so(report: dict[str, Any], tmp_path: Path) -> None:
    row = gate(0.95, False) | {"state": "open", "bound": None, "words": "nothing to be compared with"}
    report |= {"blessed": False, "outcome": "cannot be judged", "verdict": "cannot be judged: nothing", "gates": [row]}
    page = rendered(report, tmp_path)
    assert "Cannot be judged" in page.text("head")
    assert "? open" in page.text("gates") and "nothing to be compared with" in page.text("gates")
