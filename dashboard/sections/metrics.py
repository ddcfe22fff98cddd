"""What a run's model was judged by: metrics, gates, and the key metric beside its rivals'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from components.report import page as report_page
from components.report.page import ReportData
from dashboard import parts
from dashboard.paging import ROWS, Long, in_pages
from dashboard.store import Run
from trainer.preview.wording import number


def section(run: Run, report: ReportData) -> html.Section:
    baseline, references = report.get("baseline", {}), report.get("reference", {})
    gates = report.get("gates", [])
    rows = []
    for name, value in report.get("metrics", {}).items():
        own = [gate for gate in gates if gate["metric"] == name and not gate["slice"]]
        rows.append(
            [
                name,
                parts.with_limits(value, report.get("intervals", {}).get(name)),
                number(baseline.get(name)),
                _difference(value, baseline.get(name)),
                _lines(f"{who} {number(scores[name])}" for who, scores in references.items() if name in scores),
                [html.Span([_held(gate), html.Span(_bound(gate))], className="bound") for gate in own] or "–",
            ]
        )
    headings = ["Metric", "Model", "Baseline", "Difference", "References", "Bounds"]
    notes = (
        "References are classical methods on the same split, and the best constant answer; the baseline is the latest "
        "blessed model before."
    )
    table = parts.table(headings, rows, "Metrics", numbers=(1, 2, 3))
    return parts.section("metrics", "Metrics and gates", table, _slice_bounds(report), _rivals(run, report), note=notes)


def _difference(value: float | None, before: float | None) -> str:
    return "–" if value is None or before is None else number(value - before)


def _lines(said: Any) -> Any:
    """One under the other; a dash for none."""
    return [html.Span(text, className="score") for text in said] or "–"


def _bound(gate: Mapping[str, Any]) -> str:
    if gate["bound"] is None:
        return str(gate["bound_from"])
    tie = ", within the sampling error" if gate.get("tie") else ""
    return f"{'≥' if gate['higher_is_better'] else '≤'} {number(gate['bound'])} ({gate['bound_from']}{tie})"


def _held(gate: Mapping[str, Any]) -> html.Span:
    if gate.get("state") == "open":
        return html.Span("? open", className="held soft")
    passed = gate["passed"]
    return html.Span("✓ yes" if passed else "✗ no", className=f"held {'good' if passed else 'bad'}")


def _slice_bounds(report: ReportData) -> Any:
    bounds = slice_bounds(report)
    if not bounds.rows:
        return None
    failed = sum(not gate["passed"] for gate in bounds.rows)
    said = f"{failed} of {len(bounds.rows)} slice bounds failed" if failed else f"{len(bounds.rows)} slice bounds held"
    return parts.folded(said, in_pages("bounds", bounds), is_open=failed > 0)


def slice_bounds(report: ReportData) -> Long:
    def table(shown: Sequence[Mapping[str, Any]]) -> Any:
        rows = [[gate["slice"], gate["metric"], number(gate["value"]), _bound(gate), _held(gate)] for gate in shown]
        return parts.table(["Slice", "Metric", "Value", "Bound", "Held"], rows, "Slice bounds", numbers=(2,))

    bounds = sorted((gate for gate in report.get("gates", []) if gate["slice"]), key=lambda gate: gate["passed"])
    return Long(bounds, table, ROWS, "slice bounds")


def _rivals(run: Run, report: ReportData) -> Any:
    """The key metric of the model beside its rivals' on one axis."""
    chart = report_page.comparison(report)
    if chart is None:
        return None
    rows = []
    for row in chart["rows"]:
        dot = html.Span(className=f"dot {row['kind']}", style={"left": f"{row['at']}%"})
        floors = [html.Span(className="mark-line", style={"left": f"{floor['at']}%"}) for floor in chart["floors"]]
        low, high = row.get("spread", (0, 0))
        spread = html.Span(className="spread", style={"left": f"{low}%", "width": f"{high - low}%"})
        said = f"{row['name']} {number(row['value'])}"
        cells = [
            html.Span(row["name"], className=f"name {row['kind']}"),
            html.Div(
                [*floors, *([spread] if "spread" in row else []), dot],
                className="rail",
                role="img",
                **parts.aria(label=said),
            ),
            html.Span(number(row["value"]), className=f"n {row['kind']}"),
        ]
        rows.append(html.Div(cells, className="row"))
    ends = html.Div([html.Span(number(chart["ticks"][i]["value"])) for i in (0, -1)], className="ends")
    floor = [html.P(f"┆ floor {number(f['value'])}", className="soft") for f in chart["floors"][:1]]
    tied = ", ".join(chart["ties"])
    tie = [html.P(f"The model and {tied} lie apart by less than the sampling error: a tie.", className="soft")]
    left_out = [html.P(f"{words}.", className="soft") for words in report.get("left_out", [])]
    notes = [*floor, *(tie if tied else []), *left_out]
    return html.Div([html.H3(run.key_metric), html.Div([*rows, ends], className="rivals"), *notes])
