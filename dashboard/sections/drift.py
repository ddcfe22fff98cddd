"""Train beside eval, column by column: how far they lie apart, what that means, and both drawn over the same places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from components.report.drift import MEANING, Drift, Shares, drifts
from components.report.page import ReportData
from dashboard import charts, parts
from dashboard.paging import ROWS, Long, in_pages
from trainer.preview.wording import number

DRAWN = 4
"""Columns at once: hatched bars are many elements."""


def found(report: ReportData) -> list[Drift]:
    return drifts(report.get("statistics", {}), report.get("bounds", {}))


def section(report: ReportData) -> html.Section:
    large = sum(drift.is_large for drift in found(report))
    said = f"{large} column{' differs' if large == 1 else 's differ'} much." if large else "No column differs much."
    return parts.section(
        "drift",
        "Train beside eval",
        html.P(said),
        in_pages("drift", distances(report)),
        *([html.H3("Both drawn"), in_pages("drift-charts", charted)] if (charted := drawn(report)).rows else []),
        note=MEANING,
    )


def distances(report: ReportData) -> Long:
    headings = ["Column", "Distance", "What it means", "By chance up to", "Gate's bound", "Measure"]

    def table(shown: Sequence[Drift]) -> Any:
        rows = [
            [
                drift.column,
                html.B(number(drift.distance), className="bad" if drift.is_large else ""),
                drift.words,
                number(drift.by_chance),
                "–" if drift.bound is None else number(drift.bound),
                drift.measure,
            ]
            for drift in shown
        ]
        return parts.table(headings, rows, "Distances between train and eval", numbers=(1, 3, 4))

    return Long(found(report), table, ROWS, "distances")


def drawn(report: ReportData) -> Long:
    """Of the columns in which train and eval are not the same."""
    apart = [drift for drift in found(report) if drift.distance]
    return Long(apart, lambda some: html.Div([*map(_chart, some)], className="charts"), DRAWN, "columns drawn")


def _chart(drift: Drift) -> html.Figure:
    shape = drift.shape
    if isinstance(shape, Shares):
        figure = charts.grouped_bars(shape.values, {"train": shape.train, "eval": shape.eval}, "share")
        more = [html.P(f"Values that are not drawn: {shape.others:,}.", className="note")] if shape.others > 0 else []
    else:
        figure, more = (
            charts.histogram(shape.edges, {"train": shape.train, "eval": shape.eval}, drift.column, "share"),
            [],
        )
    label = f"{drift.column} in train and eval: {drift.measure} {number(drift.distance)}. {drift.words}"
    caption = html.Figcaption(
        [drift.column, html.Small(f" {drift.measure} {number(drift.distance)}", className="soft")]
    )
    return html.Figure([caption, charts.graph(figure, label), *more])
