"""One run: verdict, metrics, slices, answers, examples, training, nodes, data, lineage, log. Live while it goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from components.report import page as report_page
from components.report.page import ReportData
from dashboard import address, parts
from dashboard.address import Query
from dashboard.paging import Long
from dashboard.sections import (
    answers,
    confusion,
    data,
    drift,
    examples,
    head,
    lineage,
    log,
    metrics,
    nodes,
    notes,
    slices,
    thresholds,
    training,
)
from dashboard.store import NotThere, Run, Store

BEAT_MS = 2000
"""Of examples, by their name in addresses."""
PLACES = {
    "failure": "What went wrong",
    "damage": "Damage",
    "progress": "Now",
    "metrics": "Metrics",
    "slices": "Slices",
    "confusion": "Confusion",
    "thresholds": "Thresholds",
    "answers": "Answers",
    "examples": "Examples",
    "training": "Training",
    "nodes": "Nodes",
    "data": "Data",
    "drift": "Train beside eval",
    "train-examples": "Examples of train",
    "lineage": "Lineage",
    "notes": "Notes",
    "log": "Log",
}
JUMPS = frozenset(PLACES.values()) - {"What went wrong", "Now"}
"""Places that the head of the page leads to; the others stand below it."""


def layout(store: Store, task: str, run_id: str, found: Query) -> Any:
    run = store.run(task, run_id)
    shown = body(store, run, found)
    return html.Div(
        [
            html.Div([html.Div(shown.get(name), id=parts.changing(name)) for name in ("head", "jumps", *PLACES)]),
            dcc.Store(id="run-shown", data=_digests(shown) if run.is_running else {}),
            dcc.Interval(id="run-beat", interval=BEAT_MS, disabled=not run.is_running),
            dcc.Store(id="run-key", data=run.key),
            dcc.Store(id="run-remembered"),
        ]
    )


def _digests(shown: Mapping[str, Any]) -> dict[str, str]:
    """Of each part, what changes when it does; a part within a part does not count to it."""

    def own(part: Any) -> Any:
        plain_part = part.to_plotly_json()
        props = plain_part["props"]
        kind = props["id"]["type"] if isinstance(props.get("id"), dict) else ""
        changing = {"run-part": "children", "run-curve": "data-figure"}.get(kind)
        return plain_part | {"props": {name: props[name] for name in props if name != changing}}

    written = {name: json.dumps(part, default=own) for name, part in shown.items()}
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in written.items()}


def body(store: Store, run: Run, found: Query) -> dict[str, Any]:
    """All that is shown of a run by its place; of one that has no report yet, what is known so far."""
    report, damage = store.readable_report(run)
    judged = bool(report.get("metrics"))
    tail = parts.or_damage(lambda: store.log_tail(run))
    made: dict[str, Callable[[], Any]] = {
        **({"failure": lambda: head.failure(run)} if run.error else {}),
        **({"damage": lambda: _damage(damage)} if damage else {}),
        **({"progress": lambda: head.progress(run)} if run.is_running else {}),
        **(_results(store, run, report, found) if judged else {}),
        **({"training": lambda: training.section(report)} if report.get("curves") else {}),
        **({"notes": lambda: notes.section(run, store.takes_notes)} if store.takes_notes or run.notes else {}),
        "nodes": lambda: nodes.section(run),
        "data": lambda: data.section(store, run, report),
        **({"train-examples": lambda: examples.of_train(run, report)} if report.get("train_previews") else {}),
        **({"drift": lambda: drift.section(report)} if drift.found(report) else {}),
        "lineage": lambda: lineage.section(store, run, report),
        "log": lambda: log.section(run, tail),
    }
    sections = {place: parts.guarded(PLACES[place], make) for place, make in made.items()}
    jumps = [html.A(name, href=f"#{place}") for place, name in PLACES.items() if place in made and name in JUMPS]
    if judged:
        jumps.append(html.A("⤓ As one file", href=address.report(run.key), download=""))
    return {
        "head": parts.guarded("The head", lambda: head.head(store, run, report)),
        "jumps": html.Nav(jumps, className="jumps", **parts.aria(label="On this page")),
        **sections,
        **({log.TEXT: tail} if tail and isinstance(tail, str) else {}),  # a part of its own: it grows where it is open
        **{f"curve {name}": training.drawn_curve(report, name) for name in training.curve_names(report)},
    }


def _damage(said: Sequence[str]) -> html.Section:
    return parts.section("damage", "What cannot be read", *map(parts.damaged, said))


def _results(store: Store, run: Run, report: ReportData, found: Query) -> dict[str, Callable[[], html.Section]]:
    confused = report_page.confusion(report.get("confusion"))
    return {
        "metrics": lambda: metrics.section(run, report),
        **({"slices": lambda: slices.section(run, report)} if report.get("slices") else {}),
        **({"confusion": lambda: confusion.section(run, report, confused)} if confused else {}),
        **({"thresholds": lambda: thresholds.section(store, run, report, found)} if report.get("thresholds") else {}),
        **({"answers": lambda: answers.section(run, report)} if report.get("plots") or report.get("answers") else {}),
        **({"examples": lambda: examples.section(run, report, found)} if report.get("previews") else {}),
    }


def long_list(store: Store, task: str, run_id: str, name: str, of: str) -> Long:
    """A list of the page of this run that is shown in pages. Raises NotThere or Damaged."""
    run = store.run(task, run_id)
    report = store.readable_report(run)[0]
    lists: dict[str, Callable[[], Long]] = {
        "bounds": lambda: metrics.slice_bounds(report),
        "slices": lambda: slices.rows(run, report),
        "answers": lambda: answers.plots(run, report),
        "examples": lambda: examples.chosen(run, report, of),
        "train-examples": lambda: examples.chosen(run, report, of, examples.TRAIN),
        "training": lambda: training.curves(report),
        "anomalies": lambda: data.anomalies(report),
        "columns": lambda: data.columns(report),
        "drift": lambda: drift.distances(report),
        "drift-charts": lambda: drift.drawn(report),
        "quarantine": lambda: data.quarantined(store, run, report),
        "bad-ones": lambda: data.bad_ones(run, report),
        "artifacts": lambda: lineage.artifacts(store, run),
    }
    if name not in lists:
        raise NotThere(name)
    return lists[name]()


def register(app: Dash, store: Store) -> None:
    notes.register(app, store)
    examples.register(app, store)
    thresholds.register(app)

    @app.callback(
        Output(parts.changing(ALL), "children"),
        Output(training.curve_id(ALL), "data-figure"),
        Output("run-beat", "disabled"),
        Output("run-shown", "data"),
        Input("run-beat", "n_intervals"),
        State("run-key", "data"),
        State("run-shown", "data"),
        State("address", "search"),
        prevent_initial_call=True,
    )
    def follow(
        _: int, key: str, seen: dict[str, str], search: str
    ) -> tuple[list[Any], list[Any], bool, dict[str, str]]:
        """Only the parts that changed: what is open stays open, and what is chosen chosen."""
        run = store.run_of(key)
        shown = body(store, run, address.query(search))
        now = _digests(shown)
        changed, drawn = (
            [_news(output["id"], shown, now, seen) for output in outputs] for outputs in ctx.outputs_list[:2]
        )
        return changed, drawn, not run.is_running, now


def _news(of: Mapping[str, str], shown: Mapping[str, Any], now: Mapping[str, str], seen: Mapping[str, str]) -> Any:
    """What a part or a curve has to show that it did not show. Curves go with their section, where that changes."""
    is_curve = of["type"] == training.curve_id("")["type"]
    name = f"curve {of['name']}" if is_curve else of["name"]
    if now.get(name) == seen.get(name) or (is_curve and now.get("training") != seen.get("training")):
        return no_update
    return shown.get(name)
