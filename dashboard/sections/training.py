"""The curves of a run's training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from components.report.page import ReportData
from dashboard import charts, parts
from dashboard.paging import CHARTS, Long, in_pages
from trainer.preview.wording import number


def curve_id(name: Any) -> dict[str, Any]:
    """The same of a chart, of which only the figure changes: its lines grow, and it stays zoomed as it was."""
    return {"type": "run-curve", "name": name}


def section(report: ReportData) -> html.Section:
    note = "By round of training, each ended by a pass over held-out training examples."
    return parts.section("training", "Training", in_pages("training", curves(report)), note=note)


def curves(report: ReportData) -> Long:
    def drawn(names: Sequence[str]) -> html.Div:
        return html.Div([_curve(report, name) for name in names], className="charts")

    return Long(curve_names(report), drawn, CHARTS, "curves")


def curve_names(report: ReportData) -> list[str]:
    return list(dict.fromkeys(name.removeprefix("val_") for name in report.get("curves", {})))


def _curve(report: ReportData, name: str) -> html.Figure:
    drawn = charts.graph(_curve_lines(report, name), f"{name} by round", id=curve_id(name))
    return html.Figure([html.Figcaption(name), drawn])


def drawn_curve(report: ReportData, name: str) -> str:
    return charts.as_json(_curve_lines(report, name))


def _curve_lines(report: ReportData, name: str) -> charts.Figure:
    series = {"training": report["curves"].get(name), "held out": report["curves"].get(f"val_{name}")}
    known = {f"{who} {number(values[-1])}": list(enumerate(values, 1)) for who, values in series.items() if values}
    return charts.lines(known, "round", by_one=True)
