"""The one-file report: `report.json` and its previews as a page that needs no network and no server, and to be read no
script; the one that it has moves dividers, takes off masks and follows sounds.

`ReportData` is what `report.json` holds. Numbers become places on charts here; how they look is in `templates/`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Required, TypedDict, TypeGuard

from components.report import thresholds
from components.report.answer_table import AnswersData
from components.report.drift import MEANING, drifts
from components.report.previews import ReportPage
from components.report.thresholds import Thresholds
from data.atomic import write_atomic
from data.errors import WrongUse
from data.media import kinds
from trainer.curves import StepCurves
from trainer.preview.kinds import is_roomy, shown
from trainer.preview.wording import number

TEMPLATES = Path(__file__).parent / "templates"
SCRIPT = "parts.js"
SLICES_SHOWN = 15
"""The worst ones; the others are folded away."""
DRIFTS_DRAWN = 6
"""Columns whose train and eval are drawn side by side: those that lie farthest apart."""
MATRIX_CLASSES = 25
"""A confusion matrix of more classes is shown as the list of its most frequent confusions."""
CONFUSIONS_LISTED = 8
CHART_WIDTH, CHART_HEIGHT, CHART_RIGHT, CHART_TOP, CHART_BOTTOM = 360, 206, 350, 10, 170
"""SVG units: a line chart and the edges of what it plots, of which the left one leaves room for the ticks' numbers."""
CHART_LEFT, DIGIT_WIDTH = 46, 7.7
CURVE_POINTS = 250
"""Of a curve by step; of more points so many are taken evenly."""

Point = tuple[float, float | None]


class GateRow(TypedDict, total=False):
    """One bound, as `components.judgement` leaves it.

    `bound_from`: floor, reference: METHOD, constant answer (of a reference: constant answer: METHOD), latest blessed
    model, no reference or no value (without a bound). `state`: passed, failed, or open where it cannot be judged.
    `tie`: value and bound lie apart by less than the sampling error. `interval`: the value's limits. `words` say what
    the numbers do not. `slice` is empty for all examples.
    """

    metric: Required[str]
    value: Required[float]
    interval: list[float] | None
    bound: Required[float | None]
    bound_from: Required[str]
    higher_is_better: Required[bool]
    state: str
    passed: Required[bool]
    tie: bool
    slice: Required[str]
    words: str


class SliceRow(TypedDict):
    slice: str
    examples: int
    metrics: dict[str, float]


class Confusion(TypedDict):
    """`counts[truth][prediction]`, in the order of `labels`."""

    labels: list[str]
    counts: list[list[int]]


class NodeRow(TypedDict):
    """`state`: ran, cached, failed or skipped; `start` in seconds after the run's."""

    id: str
    state: str
    start: float
    seconds: float


class ReportData(TypedDict, total=False):
    """`report.json`. What is missing is said to be missing, in words.

    `created` is ISO 8601; `outcome` is blessed, not blessed or cannot be judged; `intervals` metric -> its limits at 95
    %; `left_out` says which references are no numbers; `reference` method -> metric -> value; `baseline` the latest
    blessed model's metrics; `curves` one value a round, `NAME` in training and `val_NAME` on held-out examples;
    `step_curves` the same and more by step, which older runs lack; `examples` good records of train and eval and
    quarantined ones; `copies` how many of eval stand in train, too; `classes` class -> split -> count; `plots` as in
    `trainer.preview.plots`; `answers` what is in the table of all answers; `thresholds` as
    `components.report.thresholds` counts them; `statistics` as `components.statistics.summary` returns them; `bounds`
    column -> how far its classes may lie apart in train and eval; `quarantine` the first bad records, each with file,
    row, column and reason, `quarantined_previews` some of them as they lie in the data folder; `previews` (of eval) and
    `train_previews` as `trainer.preview.disk.write` returns them; `data` name, fingerprint, licence and credit;
    `assets` what the task was given for each of its assets; `predict` the command that asks the pushed model.
    """

    task: Required[str]
    title: str
    questions: list[int]
    run_id: Required[str]
    created: str
    state: str
    blessed: bool | None
    outcome: str
    verdict: str
    key_metric: str
    gates: list[GateRow]
    metrics: dict[str, float]
    intervals: dict[str, list[float]]
    reference: dict[str, dict[str, float]]
    left_out: list[str]
    baseline: dict[str, float]
    slices: list[SliceRow]
    confusion: Confusion | None
    curves: dict[str, list[float]]
    step_curves: StepCurves
    plots: list[dict[str, Any]]
    answers: AnswersData
    thresholds: Thresholds | None
    nodes: list[NodeRow]
    examples: dict[str, int]
    classes: dict[str, dict[str, int]]
    statistics: dict[str, dict[str, dict[str, Any]]]
    bounds: dict[str, float]
    quarantine: list[dict[str, Any]]
    train_previews: list[dict[str, Any]]
    quarantined_previews: list[dict[str, Any]]
    copies: int
    anomalies: list[str]
    previews: list[dict[str, Any]]
    hparams: dict[str, Any]
    settings: dict[str, Any]
    data: dict[str, str]
    assets: dict[str, str]
    code_digest: str
    versions: dict[str, str]
    pushed: str | None
    predict: str


def render(report_dir: Path) -> Path:
    """Writes `index.html` from `report.json` beside it and returns its path.

    Raises:
      ValueError: a preview's file lies outside the report or is of a kind that a page cannot show.
    """
    file = report_dir / "index.html"
    write_atomic(file, page_of(read(report_dir), report_dir))
    return file


def read(report_dir: Path) -> ReportData:
    report: ReportData = json.loads((report_dir / "report.json").read_text(encoding="utf-8"))
    return report


def page_of(report: ReportData, report_dir: Path, threshold: float | None = None) -> str:
    """The report as HTML, with the figures at a threshold that a person chose, if one was.

    Raises:
      ValueError: as `render`.
      WrongUse: the report has no figures by threshold.
    """
    if threshold is not None and not report.get("thresholds"):
        raise WrongUse(
            f"run {report['run_id']} of {report['task']} has no figures by threshold: its answers have no score, or it "
            "was made before reports had them",
            "leave the threshold away, or run it again",
        )
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "number": number,
        "limits": limits,
        "plain": plain,
        "line_chart": line_chart,
        "histogram_chart": histogram_chart,
        "natural": natural,
    }
    templates.globals |= {"data_uri": lambda name: data_uri(report_dir, name)}
    page = ReportPage(templates)
    css, script = (templates.get_template(name).render() for name in ("report.css.j2", SCRIPT))
    return templates.get_template("report.html.j2").render(
        report=_EMPTY | report,
        css=css,
        css_digest=_digest(css),
        script=script,
        script_digest=_digest(script),
        created=_moment(report.get("created", "")),
        verdict=without_mark(report.get("verdict", "")),
        comparison=comparison(report),
        slices=worst_first(report),
        slices_shown=SLICES_SHOWN,
        confusion=confusion(report.get("confusion")),
        thresholds=threshold_table(report.get("thresholds"), threshold),
        curves=training_curves(report),
        by_step=has_step_curves(report),
        gantt=gantt(report.get("nodes", [])),
        copies=copies(report),
        drifts=drifts(report.get("statistics", {}), report.get("bounds", {})),
        drifts_drawn=DRIFTS_DRAWN,
        drift_meaning=MEANING,
        shown=lambda preview: shown(preview["parts"], preview["title"], page),
        roomy=is_roomy(report.get("previews", [])),
        settings={name: value for name, value in report.get("settings", {}).items() if value not in (None, False, {})},
    )


def _digest(content: str) -> str:
    """As a content policy names what it allows."""
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


_EMPTY: dict[str, Any] = {
    "run_id": "",
    "title": "",
    "questions": [],
    "state": "",
    "blessed": None,
    "outcome": "",
    "key_metric": "",
    "gates": [],
    "metrics": {},
    "intervals": {},
    "reference": {},
    "left_out": [],
    "baseline": {},
    "examples": {},
    "classes": {},
    "plots": [],
    "answers": {},
    "statistics": {},
    "quarantine": [],
    "anomalies": [],
    "previews": [],
    "hparams": {},
    "settings": {},
    "data": {},
    "code_digest": "",
    "versions": {},
    "pushed": None,
    "predict": "",
}


# --- values in words ---


def limits(interval: Sequence[float] | None) -> str:
    """An interval as a person writes it; nothing for none."""
    return f"{number(interval[0])} to {number(interval[1])}" if interval else ""


def plain(value: Any) -> str:
    """A setting as a person would write it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={plain(entry)}" for name, entry in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(plain, value))
    return {True: "yes", False: "no", None: "–"}[value] if value is None or isinstance(value, bool) else str(value)


def copies(report: ReportData) -> str:
    """What is said of examples that both splits have; nothing where there are none, or where nobody counted."""
    if not report.get("copies"):
        return ""
    found, held = number(report["copies"]), number(report.get("examples", {}).get("eval"))
    return f"{found} of {held} eval examples stand in train, too: remove them from one side, or the score is too good."


def natural(names: Sequence[str]) -> list[str]:
    """Names in the order that people expect: 2 before 10."""
    return sorted(names, key=_natural_key)


def data_uri(report_dir: Path, name: str) -> str:
    """A file of the report, inlined. Raises ValueError if it lies outside the report or is no known kind of media."""
    path = (report_dir / name).resolve()
    if not path.is_relative_to(report_dir.resolve()) or path.suffix not in kinds.BY_SUFFIX:
        raise ValueError(f"{name} is not a preview of this report")
    return kinds.data_uri(path.suffix, path.read_bytes())


def _natural_key(name: str) -> list[tuple[int, int, str]]:
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def _moment(created: str) -> str:
    moment = datetime.fromisoformat(created) if created else None
    return f"{moment.day} {moment:%B %Y, %H:%M} {moment.tzname() or ''}".strip() if moment else ""


def without_mark(verdict: str) -> str:
    """The reasons alone: the mark beside them says whether the model was blessed."""
    return re.sub(r"^((not )?blessed|cannot be judged): ", "", verdict)


# --- scores ---


def comparison(report: ReportData) -> dict[str, Any] | None:
    """The key metric of the model, the latest blessed one and each reference, as places (percent) on one axis.

    The axis holds the model's whole interval (`spread`), so that what lies within it does not look like a gap; `ties`
    names the rivals that differ from the model by less than the sampling error.
    """
    metric = report.get("key_metric", "")
    scores = [("this model", report.get("metrics", {}).get(metric), "model")]
    scores += [("latest blessed model", report.get("baseline", {}).get(metric), "baseline")]
    scores += [(name, values.get(metric), "reference") for name, values in report.get("reference", {}).items()]
    found = [(name, value, kind) for name, value, kind in scores if _is_number(value)]
    floors = [
        gate["bound"]
        for gate in report.get("gates", [])
        if gate["metric"] == metric
        and not gate.get("slice")
        and gate["bound_from"] == "floor"
        and gate["bound"] is not None
    ]
    if len(found) + len(floors) < 2:
        return None
    spread = report.get("intervals", {}).get(metric, [])
    axis = ticks([value for _, value, _ in found] + floors + spread)
    return {
        "metric": metric,
        "rows": [
            {"name": n, "value": v, "kind": kind, "at": _percent(v, axis)}
            | ({"spread": [_percent(limit, axis) for limit in spread]} if kind == "model" and spread else {})
            for n, v, kind in found
        ],
        "ties": _ties(report, metric),
        "floors": [{"value": floor, "at": _percent(floor, axis)} for floor in floors],
        "ticks": [{"value": tick, "at": _percent(tick, axis)} for tick in axis],
    }


def _ties(report: ReportData, metric: str) -> list[str]:
    tied = [gate for gate in report.get("gates", []) if gate["metric"] == metric and gate.get("tie")]
    return [gate["bound_from"].removeprefix("reference: ") for gate in tied]


def worst_first(report: ReportData) -> dict[str, Any]:
    """Slices by the key metric, each with its bar's length in percent; those without it last."""
    metric = report.get("key_metric", "")
    falling = any(g["metric"] == metric and not g.get("higher_is_better", True) for g in report.get("gates", []))
    rows = [(entry["metrics"].get(metric), entry) for entry in report.get("slices", [])]
    known = [(value, entry) for value, entry in rows if _is_number(value)]
    known.sort(key=lambda pair: (-pair[0] if falling else pair[0], _natural_key(pair[1]["slice"])))
    overall = report.get("metrics", {}).get(metric)
    full = max([1.0, *(value for value, _ in known), *([overall] if _is_number(overall) else [])])
    others = list(dict.fromkeys(name for _, entry in rows for name in entry["metrics"] if name != metric))
    return {
        "rows": [
            *({**entry, "value": value, "length": max(0.0, 100 * value / full)} for value, entry in known),
            *({**entry, "value": None, "length": 0.0} for value, entry in rows if not _is_number(value)),
        ],
        "full": full,
        "overall": overall if _is_number(overall) else None,
        "overall_at": 100 * overall / full if _is_number(overall) else None,
        "others": others,
    }


def confusion(found: Confusion | None) -> dict[str, Any] | None:
    """The matrix in the natural order of labels, each count with its share of its row in five grades, and the pairs
    that are most often confused. Matrices of many classes come without `rows`."""
    if not found or not found["labels"]:
        return None
    labels, counts = found["labels"], found["counts"]
    order = sorted(range(len(labels)), key=lambda index: _natural_key(labels[index]))
    pairs: list[dict[str, Any]] = [
        {"truth": labels[i], "prediction": labels[j], "count": counts[i][j], "of": sum(counts[i])}
        for i in order
        for j in order
        if i != j and counts[i][j]
    ]
    shown = order if len(labels) <= MATRIX_CLASSES else []
    rows = [
        {
            "label": labels[i],
            "cells": [
                {
                    "count": counts[i][j],
                    "right": i == j,
                    "grade": math.ceil(5 * counts[i][j] / max(sum(counts[i]), 1)),
                    "prediction": labels[j],
                }
                for j in shown
            ],
        }
        for i in shown
    ]
    return {
        "labels": [labels[i] for i in shown],
        "rows": rows,
        "pairs": sorted(pairs, key=lambda pair: -pair["count"])[: CONFUSIONS_LISTED if rows else 3 * CONFUSIONS_LISTED],
    }


def threshold_table(found: Thresholds | None, chosen: float | None) -> dict[str, Any] | None:
    """The figures of each class at the chosen threshold, by default at that where F1 of the first is highest, which
    stands below it; None of a report without thresholds."""
    if not found:
        return None
    first, best = found["classes"][0], thresholds.best(found["classes"][0])
    place = best if chosen is None else thresholds.place_of(chosen)
    return {
        "chosen": chosen is not None,
        "threshold": place / thresholds.STEPS,
        "best": (first["name"], thresholds.at(first, best)),
        "rows": [(one["name"], thresholds.at(one, place)) for one in found["classes"]],
        "counts": found,
    }


# --- charts ---


@dataclass(frozen=True)
class CurveLine:
    """`values` at `steps`, in which `seconds` of training; at rounds, counted from 1, and without `seconds`, where
    `has_step_curves` says that there is no more."""

    steps: Sequence[int]
    values: Sequence[float | None]
    seconds: Sequence[float] = ()

    @property
    def last(self) -> float | None:
        """The last value that there is."""
        return next((value for value in reversed(self.values) if _is_number(value)), None)

    @property
    def points(self) -> list[Point]:
        return list(zip(self.steps, self.values, strict=True))


def has_step_curves(report: ReportData) -> bool:
    """Whether its curves are by step; those of older runs are by round."""
    return "step_curves" in report and bool(report["step_curves"]["training"]["steps"])


def curve_lines(report: ReportData, by_step: bool = True) -> dict[str, dict[str, CurveLine]]:
    """Quantity -> its lines by `training` and `held out`, as far as they are there; by step if it can be and should."""
    by_step = by_step and has_step_curves(report)
    found = _by_step(report["step_curves"]) if by_step else _by_round(report.get("curves", {}))
    names = dict.fromkeys(name for lines in found.values() for name in lines)
    return {name: {who: lines[name] for who, lines in found.items() if name in lines} for name in names}


def _by_step(kept: StepCurves) -> dict[str, dict[str, CurveLine]]:
    return {
        who: {name: CurveLine(one["steps"], values, one["seconds"]) for name, values in one["values"].items()}
        for who, one in (("training", kept["training"]), ("held out", kept["held_out"]))
    }


def _by_round(history: Mapping[str, Sequence[float]]) -> dict[str, dict[str, CurveLine]]:
    lines = {name: CurveLine(range(1, len(values) + 1), values) for name, values in history.items() if values}
    return {
        "training": {name: line for name, line in lines.items() if not name.startswith("val_")},
        "held out": {name.removeprefix("val_"): line for name, line in lines.items() if name.startswith("val_")},
    }


def training_curves(report: ReportData) -> list[dict[str, Any]]:
    """One line chart for each quantity of `curve_lines`."""
    return [
        {
            "name": name,
            "last": {who: line.last for who, line in lines.items()},
            "chart": line_chart({who: _evenly(line.points, CURVE_POINTS) for who, line in lines.items()}),
        }
        for name, lines in curve_lines(report).items()
    ]


def _evenly(points: Sequence[Point], most: int) -> list[Point]:
    """So many of them at most, the last one among them."""
    stride = math.ceil(len(points) / most) or 1
    return list(points[(len(points) - 1) % stride :: stride])


def line_chart(series: Mapping[str, Sequence[Point]], whole: bool = True) -> dict[str, Any] | None:
    """Where lines, marks and ticks of a chart lie, in SVG units; None if there is not one finite value.

    `whole`: x counts something, so that no tick stands between two whole numbers.
    """
    found = {who: [(x, y if _is_number(y) else None) for x, y in points] for who, points in series.items()}
    known = [(x, y) for points in found.values() for x, y in points if y is not None]
    if not known:
        return None
    first, last = min(x for x, _ in known), max(x for x, _ in known)
    x_ticks = _whole_ticks([first, last]) if whole else [x for x in ticks([first, last]) if first <= x <= last]
    y_ticks = ticks([y for _, y in known])
    frame = _frame(y_ticks)

    def across(x: float) -> float:
        share = (x - first) / (last - first) if last > first else 0.5
        return round(frame["left"] + share * (CHART_RIGHT - frame["left"]), 1)

    def up(y: float) -> float:
        return round(CHART_BOTTOM - _percent(y, y_ticks) / 100 * (CHART_BOTTOM - CHART_TOP), 1)

    return {
        "lines": [
            {
                "name": who,
                "path": " ".join(_pieces([(across(x), None if y is None else up(y)) for x, y in points])),
                "marks": [(across(x), up(y)) for x, y in points if y is not None] if len(points) <= 12 else [],
            }
            for who, points in found.items()
        ],
        "x_ticks": [{"value": x, "at": across(x)} for x in x_ticks],
        "y_ticks": [{"value": y, "at": up(y)} for y in y_ticks],
        **frame,
    }


def ticks(values: Sequence[float], about: int = 4) -> list[float]:
    """About so many round numbers, the first at or below the least value, the last at or above the greatest."""
    low, high = min(values), max(values)
    if high - low < 1e-9 * max(abs(high), 1e-9):
        low, high = low - (abs(low) * 0.1 or 0.5), high + (abs(high) * 0.1 or 0.5)
    rough = (high - low) / about
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(magnitude * unit for unit in (1, 2, 2.5, 5, 10) if magnitude * unit >= rough * 0.999)
    first, last = math.floor(low / step + 1e-6), math.ceil(high / step - 1e-6)
    return [round(i * step, 12) for i in range(first, last + 1)]


def histogram_chart(plot: Mapping[str, Any]) -> dict[str, Any] | None:
    """Where bars and ticks of a histogram lie, in SVG units: the share of each series in each stretch, side by side."""
    shares_of = {name: [n / max(sum(counts), 1) for n in counts] for name, counts in plot["series"].items()}
    if not shares_of:
        return None
    edges = plot["edges"]
    y_ticks = ticks([0.0, max(max(values) for values in shares_of.values())])
    x_ticks = [tick for tick in ticks([edges[0], edges[-1]]) if edges[0] <= tick <= edges[-1]]
    frame = _frame(y_ticks)
    left_edge, room = frame["left"], CHART_RIGHT - frame["left"]
    across = room / (edges[-1] - edges[0])
    width = room / (len(edges) - 1) / len(shares_of)

    def bars(place: int, values: Sequence[float]) -> Iterator[dict[str, float]]:
        for low, value in zip(edges, values, strict=False):
            height = _percent(value, y_ticks) / 100 * (CHART_BOTTOM - CHART_TOP)
            left = left_edge + (low - edges[0]) * across + place * width
            if value:
                yield {"x": round(left, 1), "y": round(CHART_BOTTOM - height, 1), "height": round(height, 1)}

    def up(y: float) -> float:
        return round(CHART_BOTTOM - _percent(y, y_ticks) / 100 * (CHART_BOTTOM - CHART_TOP), 1)

    return {
        "series": [
            {"name": name, "examples": sum(plot["series"][name]), "bars": list(bars(place, values))}
            for place, (name, values) in enumerate(shares_of.items())
        ],
        "bar_width": round(0.9 * width, 2),
        "x_ticks": [{"value": x, "at": round(left_edge + (x - edges[0]) * across, 1)} for x in x_ticks],
        "y_ticks": [{"value": y, "at": up(y)} for y in y_ticks],
        **frame,
    }


def _frame(y_ticks: Sequence[float]) -> dict[str, float]:
    longest = max(len(number(tick)) for tick in y_ticks)
    left = max(CHART_LEFT, round(9 + DIGIT_WIDTH * longest))
    return {"width": CHART_WIDTH, "height": CHART_HEIGHT, "left": left, "right": CHART_RIGHT, "bottom": CHART_BOTTOM}


def gantt(nodes: Sequence[NodeRow]) -> dict[str, Any]:
    """Nodes with where their bar begins and how long it is, in percent of the run's seconds."""
    whole = max((node["start"] + node["seconds"] for node in nodes), default=0.0)
    scale = 100 / (whole or 1.0)
    rows = [
        {**node, "at": min(scale * node["start"], 99.5), "length": max(scale * node["seconds"], 0.5)} for node in nodes
    ]
    return {"rows": rows, "seconds": whole}


def _whole_ticks(values: Sequence[float]) -> list[float]:
    """Whole numbers within the range of `values`, its ends among them as far as they are not crowded."""
    low, high = math.ceil(min(values)), math.floor(max(values))
    step = next(s * 10**p for p in range(16) for s in (1, 2, 5) if (high - low) / (s * 10**p) <= 6)
    inner = [tick for tick in range(low - low % step, high + 1, step) if low < tick and high - tick >= step * 0.5]
    return list(dict.fromkeys([low, *(tick for tick in inner if tick - low >= step * 0.5), high]))


def _pieces(points: Sequence[tuple[float, float | None]]) -> Iterator[str]:
    """The steps of an SVG path, begun anew after each gap."""
    broken = True
    for x, y in points:
        if y is not None:
            yield f"{'M' if broken else 'L'}{x},{y}"
        broken = y is None


def _percent(value: float, axis: Sequence[float]) -> float:
    return round(100 * (value - axis[0]) / (axis[-1] - axis[0]), 2)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
