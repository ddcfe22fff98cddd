"""Examples of a run as previews, of eval and of train: of all, right or wrong ones, and of each slice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from components.report.page import ReportData
from dashboard import address, parts, previews
from dashboard.address import Query
from dashboard.answers import VERDICTS
from dashboard.paging import PREVIEWS, Long, in_pages
from dashboard.store import NotThere, Run, Store


@dataclass(frozen=True)
class Choice:
    """Examples of one split: where they stand on the page and in the report, and how they were chosen."""

    place: str
    heading: str
    field: str
    note: str
    note_of_wrong: str
    """In its place, where some are answered wrongly."""
    at_once: int

    def of(self, report: ReportData) -> Sequence[Mapping[str, Any]]:
        return report.get(self.field, [])  # type: ignore[return-value]


_NO_SAMPLE = "not a sample, so that their share says nothing of the model's."
EVAL = Choice(
    "examples",
    "Examples",
    "previews",
    f"A choice of eval examples: {_NO_SAMPLE}",
    f"A choice of eval examples, wrong ones first: {_NO_SAMPLE}",
    PREVIEWS,
)
TRAIN = Choice(
    "train-examples",
    "Examples of train",
    "train_previews",
    f"What the model learnt from, with its answers, slice by slice: {_NO_SAMPLE}",
    "What the model learnt from, with its answers, slice by slice, wrong ones first: what it gets wrong although it "
    f"was told may be labelled wrongly. They are {_NO_SAMPLE}",
    PREVIEWS // 2,
)


def section(run: Run, report: ReportData, found: Query) -> html.Section:
    """Examples of eval, as the address has it."""
    return _section(EVAL, run, report, address.first(found, "show") or "all", address.first(found, "slice"))


def of_train(run: Run, report: ReportData) -> html.Section:
    return _section(TRAIN, run, report, "all", None)


def _section(choice: Choice, run: Run, report: ReportData, chosen: str, where: str | None) -> html.Section:
    shown = choice.of(report)
    verdicts = {name: sum(p["correct"] is wanted for p in shown) for name, wanted in VERDICTS.items()}
    signs = {"all": "All", "wrong": "✗ Wrong", "right": "✓ Right"}
    signs |= {"unjudged": "? Neither"} if verdicts["unjudged"] else {}
    options = [{"label": f"{sign} {verdicts.get(value, len(shown))}", "value": value} for value, sign in signs.items()]
    is_judged = verdicts["right"] + verdicts["wrong"] > 0
    slices = dict.fromkeys(f"{column}: {value}" for preview in shown for column, value in preview["slice"].items())
    tools = html.Div(
        [
            html.Div(
                dcc.RadioItems(
                    options=options if is_judged else options[:1],
                    value=chosen if chosen in signs else "all",
                    id=f"{choice.place}-show",
                    className="picks",
                    inline=True,
                ),
                role="radiogroup",
                **parts.aria(label=f"Which {choice.heading.lower()}"),
            ),
            dcc.Dropdown(
                options=sorted(slices),
                value=where if where in slices else None,
                placeholder="of every slice",
                id=f"{choice.place}-slice",
                className="slice-choice",
                style={} if slices else {"display": "none"},
            ),
        ],
        className="bar-of-tools",
    )
    first = _choice(choice, run, report, chosen, where if where in slices else None)
    return parts.section(
        choice.place,
        choice.heading,
        tools,
        html.Div(first, id=f"{choice.place}-shown"),
        note=choice.note_of_wrong if verdicts["wrong"] else choice.note,
    )


def _choice(choice: Choice, run: Run, report: ReportData, show: str, where: str | None) -> Any:
    of = json.dumps([show, where])
    found = chosen(run, report, of, choice)
    nothing = "No example shown here is of this choice."
    return in_pages(choice.place, found, of) if found.rows else parts.empty(nothing)


def chosen(run: Run, report: ReportData, of: str, choice: Choice = EVAL) -> Long:
    """The previews that pass a choice: a verdict and a slice."""
    show, where = json.loads(of)
    shown = [
        preview
        for preview in choice.of(report)
        if (show not in VERDICTS or preview["correct"] is VERDICTS[show])
        and (where is None or where in [f"{column}: {value}" for column, value in preview["slice"].items()])
    ]
    return Long(
        shown, lambda some: previews.grid(some, previews.of_run(run.key)), choice.at_once, choice.heading.lower()
    )


def register(app: Dash, store: Store) -> None:
    for choice in (EVAL, TRAIN):
        _register(app, store, choice)
    app.clientside_callback(
        ClientsideFunction("benison", "rememberChoice"),
        Output("run-remembered", "data"),
        Input("examples-show", "value"),
        Input("examples-slice", "value"),
        prevent_initial_call=True,
    )


def _register(app: Dash, store: Store, choice: Choice) -> None:
    @app.callback(
        Output(f"{choice.place}-shown", "children"),
        Input(f"{choice.place}-show", "value"),
        Input(f"{choice.place}-slice", "value"),
        State("run-key", "data"),
        prevent_initial_call=True,
    )
    def choose(show: str, where: str | None, key: str) -> Any:
        try:
            run = store.run_of(key)
        except NotThere:
            return no_update
        return _choice(choice, run, store.readable_report(run)[0], show, where)
