"""Which classes a run's model takes for which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html

from dashboard import parts


def section(found: Mapping[str, Any]) -> html.Section:
    pairs = [
        [p["truth"], p["prediction"], html.Span([parts.figures(p["count"]), f", {p['count'] / p['of']:.1%}"])]
        for p in found["pairs"]
    ]
    listed = (
        parts.table(["Truth", "Prediction", "Examples, share of the class"], pairs, "Most often confused", numbers=(2,))
        if pairs
        else parts.empty("None: every example was put in its class.")
    )
    matrix = [_matrix(found)] if found["rows"] else []
    return parts.section(
        "confusion",
        "Confusion",
        html.Div([*matrix, html.Div([html.H3("Most often confused"), listed])], className="cards"),
        note="Rows are the truth, columns the prediction. Right ones lie on the diagonal; wrong ones are bold.",
    )


def _matrix(found: Mapping[str, Any]) -> Any:
    head = html.Tr([html.Th(html.Span("truth ↓", className="soft")), *(html.Th(x, title=x) for x in found["labels"])])
    rows = [
        html.Tr([html.Th(row["label"], title=row["label"]), *(_cell(row["label"], cell) for cell in row["cells"])])
        for row in found["rows"]
    ]
    return parts.scrolling(html.Table([html.Thead(head), html.Tbody(rows)], className="matrix"), "Confusion matrix")


def _cell(truth: str, cell: Mapping[str, Any]) -> html.Td:
    kind = "zero" if not cell["count"] else "right" if cell["right"] else "wrong"
    title = f"{truth} taken for {cell['prediction']}: {cell['count']}"
    return html.Td(cell["count"], className=f"{kind} g{cell['grade']}", title=title)
