"""What a run's model does at a threshold that a person chooses: class by class, as a slider is moved.

The counts are sent with the page, so that nothing is asked of the server while the slider moves: `assets/thresholds.js`
reckons as `components.report.thresholds` does.
"""

from __future__ import annotations

import math
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html

from components.report import thresholds
from components.report.page import ReportData
from components.report.thresholds import STEPS, AtThreshold, ClassThresholds
from dashboard import address, charts, parts
from dashboard.address import Query
from dashboard.store import Run, Store
from data.errors import WrongUse
from pipelines.console.usage import usage
from trainer.preview.wording import number

THRESHOLD, CLASS = "threshold", "class"
"""By which addresses hold what is chosen."""
LINES = ("precision", "recall", "F1")
FIGURES = {
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "right": "True positives",
    "wrong": "False positives",
    "missed": "Missed",
    "held_back": "Held back",
}


def section(store: Store, run: Run, report: ReportData, found: Query) -> html.Section:
    kept = report["thresholds"]
    assert kept is not None
    named = {one["name"]: one for one in kept["classes"]}
    shown = named.get(address.first(found, CLASS), kept["classes"][0])
    place = _chosen(found)
    if place is None:
        place = thresholds.best(shown)
    at = thresholds.at(shown, place)
    left_out = f" {kept['left_out']} rarer classes are not shown." if kept["left_out"] else ""
    return parts.section(
        "thresholds",
        "Thresholds",
        _tools(list(named), shown["name"], at),
        html.Div(
            parts.tiles((said, html.Span(_said(at, name), id=_figure(name))) for name, said in FIGURES.items()),
            **parts.aria(live="polite"),
        ),
        html.P(
            [
                html.Span(_best_said(shown), id="thresholds-best-said"),
                " ",
                html.Button("Take it", id="thresholds-best", type="button", className="button"),
            ]
        ),
        charts.graph(_drawn(shown, place), "Precision, recall and F1 by threshold", id="thresholds-chart"),
        *_used(store, run, at),
        dcc.Store(id="thresholds-kept", data=kept["classes"]),
        dcc.Store(id="thresholds-remembered"),
        note=(
            f"Of {number(kept['examples'])} examples of the eval split. {kept['counted'].capitalize()} whose score is "
            f"below the threshold are held back: {kept['below']}. Missed is what is there and is not rightly found, "
            f"whether it is held back or taken for something else.{left_out}"
        ),
    )


def _chosen(found: Query) -> int | None:
    """The place of the threshold in the address, None where there is none that is one."""
    try:
        threshold = float(address.first(found, THRESHOLD))
    except ValueError:
        return None
    return thresholds.place_of(threshold) if math.isfinite(threshold) else None


def _tools(names: list[str], shown: str, at: AtThreshold) -> html.Div:
    bounds: dict[str, Any] = {"min": 0, "max": 1, "step": 1 / STEPS, "value": at.threshold}
    return html.Div(
        [
            html.Div(
                [
                    html.Label("Class", htmlFor="thresholds-class"),
                    dcc.Dropdown(
                        options=[{"label": name, "value": name} for name in names],
                        value=shown,
                        clearable=False,
                        id="thresholds-class",
                        className="slice-choice",
                    ),
                ],
                style={} if len(names) > 1 else {"display": "none"},
            ),
            html.Div(
                [
                    html.Label("Threshold", htmlFor="thresholds-slid"),
                    dcc.Input(id="thresholds-slid", type="range", **bounds),
                ],
                className="slid",
            ),
            html.Div(
                [
                    html.Label("or as a number", htmlFor="thresholds-typed"),
                    dcc.Input(id="thresholds-typed", type="number", **bounds),
                ]
            ),
        ],
        className="bar-of-tools thresholds",
    )


def _figure(name: str) -> str:
    return f"thresholds-{name}"


def _said(at: AtThreshold, name: str) -> str:
    return number(getattr(at, name))


def _best_said(shown: ClassThresholds) -> str:
    best = thresholds.at(shown, thresholds.best(shown))
    return f"F1 is highest, {number(best.f1)}, at the threshold {best.threshold:.2f}."


def _drawn(shown: ClassThresholds, place: int) -> charts.Figure:
    """The three by threshold, and where the chosen one is."""
    every = [thresholds.at(shown, one) for one in range(STEPS + 1)]
    values = (lambda at: at.precision, lambda at: at.recall, lambda at: at.f1)
    series = {name: [(at.threshold, value(at)) for at in every] for name, value in zip(LINES, values, strict=True)}
    figure = charts.lines(series, "threshold", "")
    for axis in ("xaxis", "yaxis"):
        figure["layout"][axis]["range"] = [0, 1.02]
    mark = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": place / STEPS, "x1": place / STEPS}
    figure["layout"]["shapes"] = [mark | {"line": {"dash": "dot", "width": 2, "color": charts.COLOURS[3]}}]
    return figure


def _used(store: Store, run: Run, at: AtThreshold) -> list[Any]:
    """The command that predicts so, and the report that says so."""
    one_file = html.A(
        "⤓ As one file, with this threshold",
        href=address.report(run.key, at.threshold),
        download="",
        id="thresholds-file",
        className="button",
    )
    try:
        before, chosen, after = usage(run.task, store.root, at.threshold).partition(f"--threshold {at.threshold:g}")
    except WrongUse:  # a task that this version of Benison does not have
        return [html.P(one_file)]
    asked = "" if run.pushed else "This run's model was not pushed: what is served answers. "
    line: list[Any] = [before, "--threshold ", html.Span(f"{at.threshold:g}", id="thresholds-told"), after]
    told = html.Pre(html.Code(line), className="command", tabIndex=0) if chosen else ""
    return [html.P(f"{asked}To predict so, with your own in place of capitals:"), told, html.P(one_file)]


def register(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("benison", "thresholdChosen"),
        Output("thresholds-remembered", "data"),
        Output("thresholds-slid", "value"),
        Output("thresholds-typed", "value"),
        Input("thresholds-class", "value"),
        Input("thresholds-slid", "value"),
        Input("thresholds-typed", "value"),
        Input("thresholds-best", "n_clicks"),
        State("thresholds-kept", "data"),
        State("thresholds-chart", "data-figure"),
        prevent_initial_call=True,
    )
