"""The curves of a run's training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from components.report.page import ReportData, curve_lines, has_step_curves
from dashboard import charts, parts
from dashboard.paging import CHARTS, Long, in_pages
from trainer.preview.wording import number


def curve_id(name: Any) -> dict[str, Any]:
    """The same of a chart, of which only the figure changes: its lines grow, and it stays zoomed as it was."""
    return {"type": "run-curve", "name": name}


def section(report: ReportData) -> html.Section:
    by_step = has_step_curves(report)
    note = (
        "By step. A held-out value stands where a round ended, and is never smoothed."
        if by_step
        else "By round of training, each ended by a pass over held-out training examples."
    )
    drawn = in_pages("training", curves(report))
    return parts.section("training", "Training", charts.curve_choice(by_step), drawn, note=note)


def curves(report: ReportData) -> Long:
    def drawn(names: Sequence[str]) -> html.Div:
        return html.Div([_curve(report, name) for name in names], className="charts")

    return Long(curve_names(report), drawn, CHARTS, "curves")


def curve_names(report: ReportData) -> list[str]:
    return list(curve_lines(report))


def _curve(report: ReportData, name: str) -> html.Figure:
    drawn = charts.graph(_figure(report, name), f"{name} in training", id=curve_id(name))
    return html.Figure([html.Figcaption(name), drawn])


def drawn_curve(report: ReportData, name: str) -> str:
    return charts.as_json(_figure(report, name))


def _figure(report: ReportData, name: str) -> charts.Figure:
    lines = curve_lines(report)[name]
    named = {f"{who} {number(line.last)}": line for who, line in lines.items()}
    return charts.curves(named, smooth=[who == "training" and charts.is_noisy(name) for who in lines])
