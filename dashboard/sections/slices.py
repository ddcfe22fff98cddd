"""Where a run's model does worst, slice by slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from components.report import page as report_page
from components.report.page import ReportData
from dashboard import address, parts
from dashboard.answers import Choice
from dashboard.paging import ROWS, Long, in_pages
from dashboard.store import Run
from trainer.preview.wording import number


def section(run: Run, report: ReportData) -> html.Section:
    metric, overall = report.get("key_metric", ""), report_page.worst_first(report)["overall"]
    note = f"The upright line is {metric} over all examples, {number(overall)}." if overall is not None else ""
    return parts.section("slices", "Slices, worst first", in_pages("slices", rows(run, report)), note=note)


def rows(run: Run, report: ReportData) -> Long:
    found = report_page.worst_first(report)
    metric = report.get("key_metric", "")

    def table(rows: Sequence[Mapping[str, Any]]) -> Any:
        cells = [
            [
                _linked(run, report, row["slice"]),
                parts.figures(row["value"]),
                parts.bar(row["length"], f"{metric} {number(row['value'])}", mark=found["overall_at"]),
                number(row["examples"]),
                *(number(row["metrics"].get(name)) for name in found["others"]),
            ]
            for row in rows
        ]
        headings = ["Slice", metric, f"0 to {number(found['full'])}", "Examples", *found["others"]]
        return parts.table(headings, cells, "Slices", numbers=(1, 3, *range(4, len(headings))))

    return Long(found["rows"], table, ROWS, "slices")


def _linked(run: Run, report: ReportData, name: str) -> Any:
    """To the answers of this slice, where the table of answers has a column for it."""
    known = report["answers"]["slices"] if report.get("answers") else []
    if name.partition(": ")[0] not in known:
        return name
    return parts.link(name, address.answers(run.key, Choice(slice=name).query()))
