"""Which classes a run's model takes for which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dash import html

from components.report.page import ReportData
from dashboard import address, parts
from dashboard.answers import Choice
from dashboard.store import Run
from trainer.preview.wording import number

Linked = Callable[[str, str, Any], Any]
"""A truth, a prediction and what is said of them to what leads to such answers."""


def section(run: Run, report: ReportData, found: Mapping[str, Any]) -> html.Section:
    """`found`: as `components.report.page.confusion` makes it. Counts lead to the answers that they are of."""

    def linked(truth: str, prediction: str, said: Any) -> Any:
        if not report.get("answers"):
            return said
        return parts.link(said, address.answers(run.key, Choice(truth=truth, answer=prediction).query()))

    pairs = [
        [
            p["truth"],
            p["prediction"],
            html.Span([linked(p["truth"], p["prediction"], number(p["count"])), f", {p['count'] / p['of']:.1%}"]),
        ]
        for p in found["pairs"]
    ]
    listed = (
        parts.table(["Truth", "Prediction", "Examples, share of the class"], pairs, "Most often confused", numbers=(2,))
        if pairs
        else parts.empty("None: every example was put in its class.")
    )
    matrix = [_matrix(found, linked)] if found["rows"] else []
    return parts.section(
        "confusion",
        "Confusion",
        html.Div([*matrix, html.Div([html.H3("Most often confused"), listed])], className="cards"),
        note="Rows are the truth, columns the prediction. Right ones lie on the diagonal; wrong ones are bold.",
    )


def _matrix(found: Mapping[str, Any], linked: Linked) -> Any:
    head = html.Tr([html.Th(html.Span("truth ↓", className="soft")), *(html.Th(x, title=x) for x in found["labels"])])
    rows = []
    for row in found["rows"]:
        cells = [_cell(row["label"], cell, linked) for cell in row["cells"]]
        rows.append(html.Tr([html.Th(row["label"], title=row["label"]), *cells]))
    return parts.scrolling(html.Table([html.Thead(head), html.Tbody(rows)], className="matrix"), "Confusion matrix")


def _cell(truth: str, cell: Mapping[str, Any], linked: Linked) -> html.Td:
    kind = "zero" if not cell["count"] else "right" if cell["right"] else "wrong"
    title = f"{truth} taken for {cell['prediction']}: {cell['count']}"
    said = linked(truth, cell["prediction"], str(cell["count"])) if cell["count"] else cell["count"]
    return html.Td(said, className=f"{kind} g{cell['grade']}", title=title)
