"""One run: verdict, metrics, slices, answers, examples, training, nodes, data, lineage, log. Live while it goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from components.report import page as report_page
from components.report.page import ReportData, plain
from dashboard import address, charts, notes, parts, previews
from dashboard.address import Query
from dashboard.paging import Long, in_pages
from dashboard.store import Damaged, NotThere, Run, Store
from pipelines.console.progress import in_words, seconds_left
from pipelines.records.workspace import named
from trainer.preview.wording import number

BEAT_MS = 2000
TOP_VALUES = 3
ROWS, CHARTS, PREVIEWS = 15, 6, 8
"""Of a table, of charts and of previews, so many are shown at once."""
NODE_SIGNS = {"ran": "✓", "cached": "=", "failed": "✗", "skipped": "-", "running": "▶"}
VERDICTS = {"right": True, "wrong": False, "unjudged": None}
"""Of examples, by their name in addresses."""
PLACES = {
    "failure": "What went wrong",
    "damage": "Damage",
    "progress": "Now",
    "metrics": "Metrics",
    "slices": "Slices",
    "confusion": "Confusion",
    "answers": "Answers",
    "examples": "Examples",
    "training": "Training",
    "nodes": "Nodes",
    "data": "Data",
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
            html.Div([html.Div(shown.get(name), id=_part(name)) for name in ("head", "jumps", *PLACES)]),
            dcc.Store(id="run-shown", data=_digests(shown) if run.is_running else {}),
            dcc.Interval(id="run-beat", interval=BEAT_MS, disabled=not run.is_running),
            dcc.Store(id="run-key", data=run.key),
            dcc.Store(id="run-remembered"),
        ]
    )


def _part(name: Any) -> dict[str, Any]:
    """The identity of what changes by itself while a run goes on."""
    return {"type": "run-part", "name": name}


def _curve_id(name: Any) -> dict[str, Any]:
    """The same of a chart, of which only the figure changes: its lines grow, and it stays zoomed as it was."""
    return {"type": "run-curve", "name": name}


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
    report, damage = _report(store, run)
    judged = bool(report.get("metrics"))
    log = _or_damage(lambda: store.log_tail(run))
    made: dict[str, Callable[[], Any]] = {
        **({"failure": lambda: _failure(run)} if run.error else {}),
        **({"damage": lambda: _damage(damage)} if damage else {}),
        **({"progress": lambda: _progress(run)} if run.is_running else {}),
        **(_results(run, report, found) if judged else {}),
        **({"training": lambda: _training(report)} if report.get("curves") else {}),
        **({"notes": lambda: notes.section(run, store.takes_notes)} if store.takes_notes or run.notes else {}),
        "nodes": lambda: _nodes(run),
        "data": lambda: _data(store, run, report),
        "lineage": lambda: _lineage(store, run, report),
        "log": lambda: _log(run, log),
    }
    sections = {place: parts.guarded(PLACES[place], make) for place, make in made.items()}
    jumps = [html.A(name, href=f"#{place}") for place, name in PLACES.items() if place in made and name in JUMPS]
    if judged:
        jumps.append(html.A("⤓ As one file", href=address.report(run.key), download=""))
    return {
        "head": parts.guarded("The head", lambda: _head(store, run, report)),
        "jumps": html.Nav(jumps, className="jumps", **parts.aria(label="On this page")),
        **sections,
        **({"log-text": log} if log and isinstance(log, str) else {}),  # a part of its own: it grows where it is open
        **{f"curve {name}": _drawn_curve(report, name) for name in _curve_names(report)},
    }


def _report(store: Store, run: Run) -> tuple[ReportData, list[str]]:
    """The report, or as much as can be read in its place, and what cannot."""
    said: list[str] = []
    for read in (store.report, store.known):
        try:
            return read(run), said
        except Damaged as damage:
            said += [str(damage)] if str(damage) not in said else []
    return {"task": run.task, "run_id": run.id}, said


def _or_damage(read: Callable[[], Any]) -> Any:
    """What is read from files of the run, or what is wrong with them: the rest of the page is shown all the same."""
    try:
        return read()
    except Damaged as damage:
        return parts.damaged(str(damage))


def _damage(said: Sequence[str]) -> html.Section:
    return parts.section("damage", "What cannot be read", *map(parts.damaged, said))


def _results(run: Run, report: ReportData, found: Query) -> dict[str, Callable[[], html.Section]]:
    confused = report_page.confusion(report.get("confusion"))
    return {
        "metrics": lambda: _metrics(run, report),
        **({"slices": lambda: _slices(report)} if report.get("slices") else {}),
        **({"confusion": lambda: _confusion(confused)} if confused else {}),
        **({"answers": lambda: _answers(report)} if report.get("plots") else {}),
        **({"examples": lambda: _examples(run, report, found)} if report.get("previews") else {}),
    }


# --- what it came to ---


def _head(store: Store, run: Run, report: ReportData) -> html.Header:
    questions = list(map(str, report.get("questions", [])))
    asked = f"question{'s' if len(questions) > 1 else ''} {', '.join(questions)}" if questions else ""
    started = run.started.strftime("%-d %B %Y, %H:%M %Z") if run.started else ""
    about = [run.notes.get("name", ""), run.task, asked, f"run {run.id}", started, _took(run)]
    tone = parts.TONES.get(run.outcome, "soft")
    verdict = html.Div(
        [
            html.Span(parts.SIGNS.get(run.outcome, "?"), className="mark", **parts.aria(hidden="true")),
            html.Div([html.Strong(run.outcome.capitalize(), id="outcome"), html.P(_why(run))]),
        ],
        className=f"verdict {tone}",
        role="status",
    )
    return html.Header(
        [
            html.H1(report.get("title") or run.task),
            html.P(" · ".join(part for part in about if part), className="soft"),
            verdict,
            html.P(_next(store, run), className="next"),
        ]
    )


def _took(run: Run) -> str:
    return f"{run.seconds:,.1f} s" if run.seconds else ""


def _why(run: Run) -> str:
    if run.error.get("message"):
        return run.error["message"].splitlines()[0].rstrip(":")
    at_node = f"Node {len(run.nodes)} of {run.nodes_total}: {run.nodes[-1]['id']}." if run.nodes else "It has begun."
    return {
        "running": at_node,
        "stopped": "The run ended without a word: it was killed, or its machine went down.",
    }.get(run.state, report_page.without_mark(run.verdict) or "The run ended before its model was judged.")


def _next(store: Store, run: Run) -> list[Any]:
    if run.state == "unreadable":
        return ["What it came to cannot be told. What it pushed, if anything, is among the models."]
    same = html.Code(run.command or f"benison run {run.task}{named(store.root)}")
    if run.pushed:
        return ["Pushed as version ", parts.link(run.pushed, address.models(run.task)), ", which can be tried there."]
    if run.is_running:
        return ["This page follows the run."]
    if run.outcome == "not blessed":
        return ["Nothing was pushed: the version served before, if any, stays served."]
    return ["Nothing was pushed. Next: ", same, ", which keeps the nodes that have finished."]


def _failure(run: Run) -> html.Section:
    node = next((node["id"] for node in run.nodes if node["state"] == "failed"), "")
    heading = "What cannot be read" if run.state == "unreadable" else f"What went wrong{f' in {node}' if node else ''}"
    return parts.section(
        "failure",
        heading,
        html.Pre(run.error.get("message", ""), className="text", tabIndex=0),
        *([html.P([html.B("What to do: "), run.error["fix"]])] if run.error.get("fix") else []),
    )


def _progress(run: Run) -> html.Section:
    said = {
        "rows": "rows read",
        "step": "step",
        "steps_total": "of steps",
        "steps_per_second": "steps a second",
        "loss": "loss",
    }
    known = [(words, number(run.progress[name])) for name, words in said.items() if name in run.progress]
    left = seconds_left(dict(run.progress), 0.0, None) if run.progress.get("steps_total") else None
    known += [("time", in_words(left).strip())] if left is not None else []
    step, total = run.progress.get("step"), run.progress.get("steps_total")
    bar = [parts.bar(100 * step / total, f"step {step} of {total}")] if step and total else []
    if not known:
        return parts.section("progress", "Now", parts.empty("The node that runs tells nothing of its progress."))
    return parts.section("progress", "Now", parts.tiles(known), *bar)


def _metrics(run: Run, report: ReportData) -> html.Section:
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
    return parts.section("metrics", "Metrics and gates", table, _slice_bounds(gates), _rivals(run, report), note=notes)


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


def _slice_bounds(gates: Sequence[Mapping[str, Any]]) -> Any:
    bounds = _of_slices(gates)
    if not bounds:
        return None
    failed = sum(not gate["passed"] for gate in bounds)
    said = f"{failed} of {len(bounds)} slice bounds failed" if failed else f"{len(bounds)} slice bounds held"
    return parts.folded(said, in_pages("bounds", _slice_bound_rows(bounds)), is_open=failed > 0)


def _slice_bound_rows(bounds: Sequence[Mapping[str, Any]]) -> Long:
    def table(shown: Sequence[Mapping[str, Any]]) -> Any:
        rows = [[gate["slice"], gate["metric"], number(gate["value"]), _bound(gate), _held(gate)] for gate in shown]
        return parts.table(["Slice", "Metric", "Value", "Bound", "Held"], rows, "Slice bounds", numbers=(2,))

    return Long(sorted(bounds, key=lambda gate: gate["passed"]), table, ROWS, "slice bounds")


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


# --- where it goes wrong ---


def _of_slices(gates: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [gate for gate in gates if gate["slice"]]


def _slices(report: ReportData) -> html.Section:
    metric, overall = report.get("key_metric", ""), report_page.worst_first(report)["overall"]
    note = f"The upright line is {metric} over all examples, {number(overall)}." if overall is not None else ""
    return parts.section("slices", "Slices, worst first", in_pages("slices", _slice_rows(report)), note=note)


def _slice_rows(report: ReportData) -> Long:
    found = report_page.worst_first(report)
    metric = report.get("key_metric", "")

    def table(rows: Sequence[Mapping[str, Any]]) -> Any:
        cells = [
            [
                row["slice"],
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


def _confusion(found: Mapping[str, Any]) -> html.Section:
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


def _answers(report: ReportData) -> html.Section:
    return parts.section("answers", "Answers to the eval split", in_pages("answers", _plots(report)))


def _plots(report: ReportData) -> Long:
    return Long(report["plots"], lambda plots: html.Div([*map(_plot, plots)], className="charts"), CHARTS, "charts")


def _plot(plot: Mapping[str, Any]) -> html.Figure:
    if plot["kind"] == "histogram":
        chart = charts.histogram(plot["edges"], plot["series"], plot["x_label"], plot["y_label"])
    else:
        chart = charts.lines(plot["series"], plot["x_label"], plot["y_label"])
    note = [html.P(plot["note"], className="note")] if plot["note"] else []
    return html.Figure([html.Figcaption(plot["title"]), charts.graph(chart, plot["title"]), *note])


def _examples(run: Run, report: ReportData, found: Query) -> html.Section:
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
    chosen = _chosen(run, report, of)
    return in_pages("examples", chosen, of) if chosen.rows else parts.empty("No example shown here is of this choice.")


def _chosen(run: Run, report: ReportData, of: str) -> Long:
    """The previews that pass a choice: a verdict and a slice."""
    show, where = json.loads(of)
    shown = [
        preview
        for preview in report.get("previews", [])
        if (show not in VERDICTS or preview["correct"] is VERDICTS[show])
        and (where is None or where in [f"{column}: {value}" for column, value in preview["slice"].items()])
    ]
    return Long(shown, lambda some: previews.grid(some, previews.of_run(run.key)), PREVIEWS, "examples")


# --- how it was made ---


def _training(report: ReportData) -> html.Section:
    note = "By round of training, each ended by a pass over held-out training examples."
    return parts.section("training", "Training", in_pages("training", _curves(report)), note=note)


def _curves(report: ReportData) -> Long:
    def drawn(names: Sequence[str]) -> html.Div:
        return html.Div([_curve(report, name) for name in names], className="charts")

    return Long(_curve_names(report), drawn, CHARTS, "curves")


def _curve_names(report: ReportData) -> list[str]:
    return list(dict.fromkeys(name.removeprefix("val_") for name in report.get("curves", {})))


def _curve(report: ReportData, name: str) -> html.Figure:
    drawn = charts.graph(_curve_lines(report, name), f"{name} by round", id=_curve_id(name))
    return html.Figure([html.Figcaption(name), drawn])


def _drawn_curve(report: ReportData, name: str) -> str:
    return charts.as_json(_curve_lines(report, name))


def _curve_lines(report: ReportData, name: str) -> charts.Figure:
    series = {"training": report["curves"].get(name), "held out": report["curves"].get(f"val_{name}")}
    known = {f"{who} {number(values[-1])}": list(enumerate(values, 1)) for who, values in series.items() if values}
    return charts.lines(known, "round", by_one=True)


def _nodes(run: Run) -> html.Section:
    found = report_page.gantt(run.nodes)  # type: ignore[arg-type]
    if not found["rows"]:
        return parts.section("nodes", "Nodes", parts.empty("No node has begun."))
    rows = []
    for node in found["rows"]:
        tone = "bad" if node["state"] == "failed" else ""
        said = f"from second {node['start']:.1f}, for {node['seconds']:.1f} s"
        cells = [
            html.Span(node["id"], role="rowheader"),
            html.Span(f"{NODE_SIGNS.get(node['state'], '')} {node['state']}", role="cell", className=f"state {tone}"),
            html.Span(f"{node['seconds']:.1f} s", role="cell", className="n"),
            html.Span(parts.bar(node["length"], said, node["state"], node["at"]), role="cell"),
        ]
        rows.append(html.Div(cells, className="row", role="row"))
    chart = html.Div(rows, className="gantt", role="table", **parts.aria(label="Nodes"))
    return parts.section("nodes", "Nodes", chart, note=f"{found['seconds']:.1f} seconds from the first to the last.")


def _data(store: Store, run: Run, report: ReportData) -> html.Section:
    counts = [(name, number(count)) for name, count in report.get("examples", {}).items()]
    of_data, of_assets = report.get("data", {}), report.get("assets", {})
    about = [(name, said) for name, said in (*of_data.items(), *of_assets.items()) if said]
    found = in_pages("anomalies", _anomalies(report)) if report.get("anomalies") else _no_anomalies(run)
    statistics = in_pages("columns", _columns(report)) if report.get("statistics") else None
    return parts.section(
        "data",
        "Data",
        parts.tiles(counts) if counts else parts.empty(f"No examples were counted{_so_far(run)}."),
        parts.terms(about),
        *([html.H3("Columns"), statistics] if statistics else []),
        html.H3("Anomalies"),
        found,
        html.H3("Quarantined records"),
        _or_damage(lambda: _quarantine(store, run, report)),
    )


def _anomalies(report: ReportData) -> Long:
    return Long(report["anomalies"], lambda some: html.Ul([html.Li(said) for said in some]), ROWS, "anomalies")


def _no_anomalies(run: Run) -> html.P:
    if run.metrics:
        return html.P("None: the data gate stops a run that has any.", className="soft")
    gate = next((node["state"] for node in run.nodes if node["id"] == "DataGate"), "")
    said = dict.fromkeys(("ran", "cached"), "None.") | {"failed": "The data gate stopped this run: see the top."}
    return html.P(said.get(gate, f"Nothing has looked for any{_so_far(run)}."), className="soft")


def _so_far(run: Run) -> str:
    return " yet" if run.is_running else ": the run did not come to it"


def _columns(report: ReportData) -> Long:
    headings = ["Column", "Split", "Values", "Missing", "Least", "Mean", "Greatest", "Distinct", "Distribution"]

    def table(shown: Sequence[tuple[str, str, Mapping[str, Any]]]) -> Any:
        rows = []
        for name, split, found in shown:
            figures = [number(found.get(key)) for key in ("count", "missing", "min", "mean", "max", "unique")]
            rows.append([name, split, *figures, _distribution(f"{name} in {split}", found)])
        return parts.table(headings, rows, "Columns", numbers=range(2, 8))

    rows = [(name, split, found) for name, splits in report["statistics"].items() for split, found in splits.items()]
    return Long(rows, table, ROWS, "columns")


def _distribution(name: str, found: Mapping[str, Any]) -> Any:
    least, greatest = found.get("min"), found.get("max")
    if "histogram" in found and least == greatest:
        return html.Span(f"always {number(least)}", className="soft")
    if found.get("histogram"):
        return parts.spark(found["histogram"], f"{name}, from {number(least)} to {number(greatest)}")
    top = [f"{value[:24]} {count:,}" for value, count in found.get("top", [])[:TOP_VALUES]]
    return html.Span(", ".join(top), className="soft")


def _quarantine(store: Store, run: Run, report: ReportData) -> Any:
    bad = _quarantined(store, run, report)
    if not bad.rows:
        read = any(node["state"] in ("ran", "cached") for node in run.nodes)
        said = "None: every record could be read." if read else f"No record was read{_so_far(run)}."
        return html.P(said, className="soft")
    return parts.folded(f"{len(bad.rows)} shown", in_pages("quarantine", bad), is_open=len(bad.rows) <= 10)


def _quarantined(store: Store, run: Run, report: ReportData) -> Long:
    def table(bad: Sequence[Mapping[str, Any]]) -> Any:
        rows = [[html.Code(b["file"]), number(b["row"]), b["column"] or "–", b["reason"]] for b in bad]
        return parts.table(["File", "Row", "Column", "Reason"], rows, "Quarantined records", numbers=(1,))

    return Long(store.quarantine(run) or report.get("quarantine", []), table, ROWS, "quarantined records")


def _lineage(store: Store, run: Run, report: ReportData) -> html.Section:
    fingerprint = report.get("data", {}).get("fingerprint")
    digests = [("code digest", report.get("code_digest")), ("data fingerprint", fingerprint)]
    made_of = [(name, html.Code(said) if said else "not recorded") for name, said in digests]
    versions = list(report.get("versions", {}).items())
    hparams = [(name, plain(value)) for name, value in report.get("hparams", {}).items()]
    settings = _or_damage(lambda: _settings(store, run))
    cards = [
        html.Div([html.H3("Hyper-parameters"), parts.terms(hparams) if hparams else html.P("Not recorded.")]),
        html.Div([html.H3("Settings, for --config"), settings]),
        html.Div([html.H3("Code, data and versions"), parts.terms([*made_of, *versions])]),
    ]
    note = "Equal data, code and settings make an equal run, which is then answered from disk."
    graph = [html.H3("Artifacts"), _or_damage(lambda: _artifacts(store, run))]
    made_by = html.Div(cards, className="cards thirds")
    return parts.section("lineage", "What made this model", made_by, *graph, note=note)


def _settings(store: Store, run: Run) -> Any:
    said = store.settings(run)
    return parts.command(said) if said else html.P("Not recorded.")


def _artifacts(store: Store, run: Run) -> Any:
    if store.is_busy(run.task):  # a reader of the metadata store can be in a writer's way
        return parts.empty("They are listed when the run that goes on has ended.")
    made = _made(store, run)
    return in_pages("artifacts", made) if made.rows else parts.empty("The metadata store knows of none.")


def _made(store: Store, run: Run) -> Long:
    rows = []
    for step in store.lineage(run):
        taken = ", ".join(f"{name} #{artifact.id}" for name, artifact in step.inputs) or "–"
        for name, artifact in step.outputs:
            own = artifact.made_by in ("", run.id)
            maker = "this run" if own else parts.link(artifact.made_by, address.run(f"{run.task}/{artifact.made_by}"))
            rows.append([f"#{artifact.id} {name}", artifact.kind, step.node, maker, taken, html.Code(artifact.place)])
    headings = ["Artifact", "Type", "Node", "Made by", "From", "Lies in"]
    return Long(rows, lambda some: parts.table(headings, some, "Artifacts"), 2 * ROWS, "artifacts")


def _log(run: Run, tail: Any) -> html.Section:
    """`tail`: the end of the log, or what is wrong with it."""
    if not isinstance(tail, str):
        return parts.section("log", "Log", tail)
    if not tail:
        return parts.section("log", "Log", parts.empty("The run has written no log."))
    log = html.Pre(
        tail,
        id=_part("log-text"),
        className="text log",
        tabIndex=0,
        role="region",
        **parts.aria(label="The end of the log"),
    )
    return parts.section("log", "Log", parts.folded("The end of the log", log, is_open=bool(run.error)))


def long_list(store: Store, task: str, run_id: str, name: str, of: str) -> Long:
    """A list of the page of this run that is shown in pages. Raises NotThere or Damaged."""
    run = store.run(task, run_id)
    report = _report(store, run)[0]
    lists: dict[str, Callable[[], Long]] = {
        "bounds": lambda: _slice_bound_rows(_of_slices(report.get("gates", []))),
        "slices": lambda: _slice_rows(report),
        "answers": lambda: _plots(report),
        "examples": lambda: _chosen(run, report, of),
        "training": lambda: _curves(report),
        "anomalies": lambda: _anomalies(report),
        "columns": lambda: _columns(report),
        "quarantine": lambda: _quarantined(store, run, report),
        "artifacts": lambda: _made(store, run),
    }
    if name not in lists:
        raise NotThere(name)
    return lists[name]()


def register(app: Dash, store: Store) -> None:
    notes.register(app, store, store.takes_notes, _found)

    @app.callback(
        Output(_part(ALL), "children"),
        Output(_curve_id(ALL), "data-figure"),
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
        run = _found(store, key)
        shown = body(store, run, address.query(search))
        now = _digests(shown)
        changed, drawn = (
            [_news(output["id"], shown, now, seen) for output in outputs] for outputs in ctx.outputs_list[:2]
        )
        return changed, drawn, not run.is_running, now

    @app.callback(
        Output("examples-shown", "children"),
        Input("examples-show", "value"),
        Input("examples-slice", "value"),
        State("run-key", "data"),
        prevent_initial_call=True,
    )
    def choose(show: str, where: str | None, key: str) -> Any:
        try:
            run = _found(store, key)
        except NotThere:
            return no_update
        return _choice(run, _report(store, run)[0], show, where)

    app.clientside_callback(
        ClientsideFunction("benison", "rememberChoice"),
        Output("run-remembered", "data"),
        Input("examples-show", "value"),
        Input("examples-slice", "value"),
        prevent_initial_call=True,
    )


def _news(of: Mapping[str, str], shown: Mapping[str, Any], now: Mapping[str, str], seen: Mapping[str, str]) -> Any:
    """What a part or a curve has to show that it did not show. Curves go with their section, where that changes."""
    is_curve = of["type"] == _curve_id("")["type"]
    name = f"curve {of['name']}" if is_curve else of["name"]
    if now.get(name) == seen.get(name) or (is_curve and now.get("training") != seen.get("training")):
        return no_update
    return shown.get(name)


def _found(store: Store, key: str) -> Run:
    task, _, run_id = key.partition("/")
    return store.run(task, run_id)
