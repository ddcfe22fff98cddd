"""What a run's model answers to the eval split, drawn: curves and histograms."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from components.report.page import ReportData
from dashboard import address, charts, parts
from dashboard.answers import Choice
from dashboard.paging import CHARTS, Long, in_pages
from dashboard.store import Run
from trainer.preview.plots import CONFIDENCE
from trainer.preview.wording import number


def section(run: Run, report: ReportData) -> html.Section:
    drawn = [in_pages("answers", plots(run, report))] if report.get("plots") else []
    return parts.section("answers", "Answers to the eval split", *_all_of_them(run, report), *drawn)


def _all_of_them(run: Run, report: ReportData) -> list[Any]:
    if not report.get("answers"):
        return []
    count = report["answers"]["rows"]
    of = report.get("examples", {}).get("eval", count)
    said = f"All {number(count)} answers" if count >= of else f"The answers to {number(count)} of {number(of)} examples"
    return [html.P([parts.link(f"{said} in a table", address.answers(run.key)), ", to be searched and sorted."])]


def plots(run: Run, report: ReportData) -> Long:
    def drawn(some: Sequence[Mapping[str, Any]]) -> html.Div:
        return html.Div([_plot(run, report, plot) for plot in some], className="charts")

    return Long(report["plots"], drawn, CHARTS, "charts")


def _plot(run: Run, report: ReportData, plot: Mapping[str, Any]) -> html.Figure:
    by_bar: dict[str, list[str]] = {}
    if plot["kind"] == "histogram":
        chart = charts.histogram(plot["edges"], plot["series"], plot["x_label"], plot["y_label"])
        if report.get("answers") and plot["x_label"] == CONFIDENCE:
            by_bar = _behind_bars(run, plot)
    else:
        chart = charts.lines(plot["series"], plot["x_label"], plot["y_label"])
    note = [html.P(plot["note"], className="note")] if plot["note"] else []
    told: dict[str, Any] = {"data-links": json.dumps([*by_bar.values()])} if by_bar else {}
    shown = [charts.graph(chart, plot["title"], **told), *note, *([_listed(plot, by_bar)] if by_bar else [])]
    return html.Figure([html.Figcaption(plot["title"]), *shown])


def _behind_bars(run: Run, plot: Mapping[str, Any]) -> dict[str, list[str]]:
    """Of each series, right or wrong answers, the address of those that each bar counts."""

    def of(verdict: str, least: float, below: float) -> str:
        return address.answers(run.key, Choice(verdict=verdict, least=least, below=below).query())

    stretches = list(itertools.pairwise(round(edge, 6) for edge in plot["edges"]))
    return {name: [of(name, *ends) for ends in stretches] for name in plot["series"]}


def _listed(plot: Mapping[str, Any], by_bar: Mapping[str, Sequence[str]]) -> html.Details:
    """The bars as links, for those who do not point."""
    items = []
    for place, (least, below) in enumerate(itertools.pairwise(plot["edges"])):
        counted = [(name, counts[place], by_bar[name][place]) for name, counts in plot["series"].items()]
        links = [parts.link(f"{count:,} {name}", where) for name, count, where in counted if count]
        if links:
            apart = [part for link in links for part in (", ", link)][1:]
            items.append(html.Li([f"{number(least)} to {number(below)}: ", *apart]))
    return parts.folded("The answers behind each bar", html.Ul(items))
