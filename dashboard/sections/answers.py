"""What a run's model answers to the eval split, drawn: curves and histograms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html

from components.report.page import ReportData
from dashboard import charts, parts
from dashboard.paging import CHARTS, Long, in_pages


def section(report: ReportData) -> html.Section:
    return parts.section("answers", "Answers to the eval split", in_pages("answers", plots(report)))


def plots(report: ReportData) -> Long:
    return Long(report["plots"], lambda plots: html.Div([*map(_plot, plots)], className="charts"), CHARTS, "charts")


def _plot(plot: Mapping[str, Any]) -> html.Figure:
    if plot["kind"] == "histogram":
        chart = charts.histogram(plot["edges"], plot["series"], plot["x_label"], plot["y_label"])
    else:
        chart = charts.lines(plot["series"], plot["x_label"], plot["y_label"])
    note = [html.P(plot["note"], className="note")] if plot["note"] else []
    return html.Figure([html.Figcaption(plot["title"]), charts.graph(chart, plot["title"]), *note])
