"""A run's nodes in time."""

from __future__ import annotations

from dash import html

from components.report import page as report_page
from dashboard import parts
from dashboard.store import Run

SIGNS = {"ran": "✓", "cached": "=", "failed": "✗", "skipped": "-", "running": "▶"}


def section(run: Run) -> html.Section:
    found = report_page.gantt(run.nodes)  # type: ignore[arg-type]
    if not found["rows"]:
        return parts.section("nodes", "Nodes", parts.empty("No node has begun."))
    rows = []
    for node in found["rows"]:
        tone = "bad" if node["state"] == "failed" else ""
        said = f"from second {node['start']:.1f}, for {node['seconds']:.1f} s"
        cells = [
            html.Span(node["id"], role="rowheader"),
            html.Span(f"{SIGNS.get(node['state'], '')} {node['state']}", role="cell", className=f"state {tone}"),
            html.Span(f"{node['seconds']:.1f} s", role="cell", className="n"),
            html.Span(parts.bar(node["length"], said, node["state"], node["at"]), role="cell"),
        ]
        rows.append(html.Div(cells, className="row", role="row"))
    chart = html.Div(rows, className="gantt", role="table", **parts.aria(label="Nodes"))
    return parts.section("nodes", "Nodes", chart, note=f"{found['seconds']:.1f} seconds from the first to the last.")
