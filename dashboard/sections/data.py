"""The data of a run: how much of it, what is in each column, what was found wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from components.report import page as report_page
from components.report.page import ReportData
from dashboard import parts, previews
from dashboard.paging import PREVIEWS, ROWS, Long, in_pages
from dashboard.store import Run, Store
from trainer.preview.wording import number

TOP_VALUES = 3
COLUMNS = 10
"""Shown at once: each has its distribution drawn."""


def section(store: Store, run: Run, report: ReportData) -> html.Section:
    counts = [(name, number(count)) for name, count in report.get("examples", {}).items()]
    of_data, of_assets = report.get("data", {}), report.get("assets", {})
    about = [(name, said) for name, said in (*of_data.items(), *of_assets.items()) if said]
    found = in_pages("anomalies", anomalies(report)) if report.get("anomalies") else _no_anomalies(run)
    statistics = in_pages("columns", columns(report)) if report.get("statistics") else None
    return parts.section(
        "data",
        "Data",
        parts.tiles(counts) if counts else parts.empty(f"No examples were counted{_so_far(run)}."),
        *([html.P([html.B("! "), said], className="empty")] if (said := report_page.copies(report)) else []),
        parts.terms(about),
        *([html.H3("Columns"), statistics] if statistics else []),
        html.H3("Anomalies"),
        found,
        html.H3("Quarantined records"),
        parts.or_damage(lambda: _quarantine(store, run, report)),
        *_as_they_lie(run, report),
    )


def _as_they_lie(run: Run, report: ReportData) -> list[Any]:
    if not report.get("quarantined_previews"):
        return []
    return [html.H3("As they lie in the data folder"), in_pages("bad-ones", bad_ones(run, report))]


def bad_ones(run: Run, report: ReportData) -> Long:
    """The first quarantined records, decoded as far as they go."""
    shown = report.get("quarantined_previews", [])
    return Long(shown, lambda some: previews.grid(some, previews.of_run(run.key)), PREVIEWS // 2, "quarantined records")


def anomalies(report: ReportData) -> Long:
    return Long(report["anomalies"], lambda some: html.Ul([html.Li(said) for said in some]), ROWS, "anomalies")


def _no_anomalies(run: Run) -> html.P:
    if run.metrics:
        return html.P("None: the data gate stops a run that has any.", className="soft")
    gate = next((node["state"] for node in run.nodes if node["id"] == "DataGate"), "")
    said = dict.fromkeys(("ran", "cached"), "None.") | {"failed": "The data gate stopped this run: see the top."}
    return html.P(said.get(gate, f"Nothing has looked for any{_so_far(run)}."), className="soft")


def _so_far(run: Run) -> str:
    return " yet" if run.is_running else ": the run did not come to it"


def columns(report: ReportData) -> Long:
    headings = ["Column", "Split", "Values", "Missing", "Least", "Mean", "Greatest", "Distinct", "Distribution"]

    def table(shown: Sequence[tuple[str, str, Mapping[str, Any]]]) -> Any:
        rows = []
        for name, split, found in shown:
            figures = [number(found.get(key)) for key in ("count", "missing", "min", "mean", "max", "unique")]
            rows.append([name, split, *figures, _distribution(f"{name} in {split}", found)])
        return parts.table(headings, rows, "Columns", numbers=range(2, 8))

    rows = [(name, split, found) for name, splits in report["statistics"].items() for split, found in splits.items()]
    return Long(rows, table, COLUMNS, "columns")


def _distribution(name: str, found: Mapping[str, Any]) -> Any:
    least, greatest = found.get("min"), found.get("max")
    if "histogram" in found and least == greatest:
        return html.Span(f"always {number(least)}", className="soft")
    if found.get("histogram"):
        return parts.spark(found["histogram"], f"{name}, from {number(least)} to {number(greatest)}")
    top = [f"{value[:24]} {count:,}" for value, count in found.get("top", [])[:TOP_VALUES]]
    return html.Span(", ".join(top), className="soft")


def _quarantine(store: Store, run: Run, report: ReportData) -> Any:
    bad = quarantined(store, run, report)
    if not bad.rows:
        read = any(node["state"] in ("ran", "cached") for node in run.nodes)
        said = "None: every record could be read." if read else f"No record was read{_so_far(run)}."
        return html.P(said, className="soft")
    return parts.folded(f"{len(bad.rows)} shown", in_pages("quarantine", bad), is_open=len(bad.rows) <= 10)


def quarantined(store: Store, run: Run, report: ReportData) -> Long:
    def table(bad: Sequence[Mapping[str, Any]]) -> Any:
        rows = [[html.Code(b["file"]), number(b["row"]), b["column"] or "–", b["reason"]] for b in bad]
        return parts.table(["File", "Row", "Column", "Reason"], rows, "Quarantined records", numbers=(1,))

    return Long(store.quarantine(run) or report.get("quarantine", []), table, ROWS, "quarantined records")
