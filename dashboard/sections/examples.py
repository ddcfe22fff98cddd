"""Examples of a run as previews, of all, right or wrong ones, and of each slice."""

from __future__ import annotations

import json
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from components.report.page import ReportData
from dashboard import address, parts, previews
from dashboard.address import Query
from dashboard.paging import Long, in_pages
from dashboard.store import NotThere, Run, Store

PREVIEWS = 8
"""So many are shown at once."""
VERDICTS = {"right": True, "wrong": False, "unjudged": None}
"""Of examples, by their name in addresses."""


def section(run: Run, report: ReportData, found: Query) -> html.Section:
    shown = report.get("previews", [])
    verdicts = {name: sum(p["correct"] is wanted for p in shown) for name, wanted in VERDICTS.items()}
    signs = {"all": "All", "wrong": "✗ Wrong", "right": "✓ Right"}
    signs |= {"unjudged": "? Neither"} if verdicts["unjudged"] else {}
    options = [{"label": f"{sign} {verdicts.get(value, len(shown))}", "value": value} for value, sign in signs.items()]
    is_judged = verdicts["right"] + verdicts["wrong"] > 0
    slices = dict.fromkeys(f"{column}: {value}" for preview in shown for column, value in preview["slice"].items())
    chosen, where = address.first(found, "show") or "all", address.first(found, "slice")
    tools = html.Div(
        [
            html.Div(
                dcc.RadioItems(
                    options=options if is_judged else options[:1],
                    value=chosen if chosen in signs else "all",
                    id="examples-show",
                    className="picks",
                    inline=True,
                ),
                role="radiogroup",
                **parts.aria(label="Which examples"),
            ),
            dcc.Dropdown(
                options=sorted(slices),
                value=where if where in slices else None,
                placeholder="of every slice",
                id="examples-slice",
                className="slice-choice",
                style={} if slices else {"display": "none"},
            ),
        ],
        className="bar-of-tools",
    )
    order = ", wrong ones first" if verdicts["wrong"] else ""
    return parts.section(
        "examples",
        "Examples",
        tools,
        html.Div(_choice(run, report, chosen, where if where in slices else None), id="examples-shown"),
        note=f"A choice of eval examples{order}: not a sample, so that their share says nothing of the model's.",
    )


def _choice(run: Run, report: ReportData, show: str, where: str | None) -> Any:
    of = json.dumps([show, where])
    found = chosen(run, report, of)
    return in_pages("examples", found, of) if found.rows else parts.empty("No example shown here is of this choice.")


def chosen(run: Run, report: ReportData, of: str) -> Long:
    """The previews that pass a choice: a verdict and a slice."""
    show, where = json.loads(of)
    shown = [
        preview
        for preview in report.get("previews", [])
        if (show not in VERDICTS or preview["correct"] is VERDICTS[show])
        and (where is None or where in [f"{column}: {value}" for column, value in preview["slice"].items()])
    ]
    return Long(shown, lambda some: previews.grid(some, previews.of_run(run.key)), PREVIEWS, "examples")


def register(app: Dash, store: Store) -> None:
    @app.callback(
        Output("examples-shown", "children"),
        Input("examples-show", "value"),
        Input("examples-slice", "value"),
        State("run-key", "data"),
        prevent_initial_call=True,
    )
    def choose(show: str, where: str | None, key: str) -> Any:
        try:
            run = store.run_of(key)
        except NotThere:
            return no_update
        return _choice(run, store.readable_report(run)[0], show, where)

    app.clientside_callback(
        ClientsideFunction("benison", "rememberChoice"),
        Output("run-remembered", "data"),
        Input("examples-show", "value"),
        Input("examples-slice", "value"),
        prevent_initial_call=True,
    )
