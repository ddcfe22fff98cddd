"""All answers of one run in a table: chosen by truth, answer, verdict, slice, confidence and text, and sorted.

What is chosen stands in the address. One of them opens as a preview.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from flask import Response, abort, request

from components.report.page import ReportData
from dashboard import address, parts
from dashboard import answers as table_of
from dashboard.address import Query
from dashboard.answers import PAGE_ROWS, Choice, Table
from dashboard.store import Damaged, NotThere, Run, Store
from trainer.preview.wording import number

SUGGESTED = 50
"""Values that a field proposes."""
MOST_SLICES = 200
"""To choose from."""
VERDICTS = {"": "right or wrong", "wrong": "✗ wrong", "right": "✓ right", "unjudged": "? neither"}
SORTS = {
    "worst": "worst first, by the loss",
    "best": "best first, by the loss",
    "surest": "surest first",
    "least sure": "least sure first",
    "place": "in the order of the split",
}
FIELDS = ("verdict", "truth", "answer", "slice", "text", "least", "below", "sort")
"""Of the form, by their names in addresses."""


def layout(store: Store, task: str, run_id: str, found: Query) -> Any:
    run = store.run(task, run_id)
    report, _ = store.readable_report(run)
    choice = Choice.of(found)
    head = html.Header(
        [
            html.H1(f"Answers: {report.get('title') or task}"),
            html.P([f"{task} · run ", parts.link(run_id, address.run(run.key))], className="soft"),
        ]
    )
    try:
        table = table_of.read(store, run)
    except Damaged as damage:
        return html.Div([head, parts.damaged(str(damage))])
    if table is None:
        said = "This run left no table of answers: it did not come to its report, or was made before there were any."
        return html.Div([head, parts.empty(said, command=run.command or f"benison run {task}")])
    shown = table_of.chosen(table, choice)
    return html.Div(
        [
            head,
            html.P(_told(report, table), className="soft"),
            _form(table, choice),
            _listed(run, report, shown, choice),
            dcc.Store(id="answers-run", data=run.key),
        ]
    )


def _told(report: ReportData, table: Table) -> str:
    of = report.get("examples", {}).get("eval", table.num_rows)
    known = report.get("answers")
    loss = f" Loss: {known['loss']}." if known and known["loss"] else ""
    if table.num_rows < of:
        return f"{number(table.num_rows)} of {number(of)} eval examples are answered here.{loss}"
    return f"The answers to all {number(table.num_rows)} eval examples.{loss}"


# --- what is chosen ---


def _form(table: Table, choice: Choice) -> html.Div:
    suggested = {name: table_of.most_frequent(table, name, SUGGESTED) for name in ("truth", "answer")}
    lists = [
        html.Datalist([html.Option(value=value) for value in map(_visible, values)], id=f"answers-{name}-known")
        for name, values in suggested.items()
    ]

    def text(name: str, said: str, **more: Any) -> html.Div:
        value = getattr(choice, name)
        known: dict[str, Any] = {"list": f"answers-{name}-known"} if name in suggested else {}
        field = dcc.Input(
            id=f"answers-{name}", value="" if value is None else value, maxLength=300, debounce=True, **known, **more
        )
        return _labelled(name, said, field)

    def pick(name: str, said: str, options: Mapping[str, str]) -> html.Div:
        field = dcc.Dropdown(
            options=[{"label": label, "value": value} for value, label in options.items()],
            value=getattr(choice, name),
            id=f"answers-{name}",
            clearable=False,
        )
        return _labelled(name, said, field)

    number_field: dict[str, Any] = {"type": "number", "min": 0, "max": 1, "step": "any"}
    fields = [
        pick("verdict", "Verdict", VERDICTS),
        text("truth", "Truth, exactly"),
        text("answer", "Answer, exactly"),
        pick("slice", "Slice", {"": "every slice"} | {name: name for name in _slices(table, choice)}),
        text("text", "Text in example, truth or answer"),
        text("least", "Confidence from", **number_field),
        text("below", "and below", **number_field),
        pick("sort", "Order", SORTS),
    ]
    buttons = html.Div(
        [
            html.Button("Show", id="answers-show", type="button", className="button"),
            html.Button("Show all", id="answers-all", type="button", className="button"),
        ]
    )
    return html.Div([*fields, *lists, buttons], className="choice", role="search", **parts.aria(label="Which answers"))


def _labelled(name: str, said: str, field: Any) -> html.Div:
    return html.Div([html.Label(said, htmlFor=f"answers-{name}", className="label"), field])


def _slices(table: Table, choice: Choice) -> list[str]:
    found = [
        f"{column}: {_visible(value)}"
        for column in table_of.slices_of(table)
        for value in sorted(table_of.most_frequent(table, f"{table_of.SLICE}{column}", MOST_SLICES))
    ][:MOST_SLICES]
    return [*found, *([choice.slice] if choice.slice and choice.slice not in found else [])]


def _visible(text: str) -> str:
    return str(table_of.shown({"text": text})["text"])


# --- what is shown ---


def _listed(run: Run, report: ReportData, shown: Table, choice: Choice) -> html.Section:
    if not shown.num_rows:
        return parts.section("answers", "Answers", parts.empty("No answer is of this choice."))
    place, pages, rows = table_of.page(shown, choice.page)
    downloads = [
        html.A(f"⤓ as {kind}", href=address.answers_file(run.key, kind.lower(), choice.query()), download="")
        for kind in ("CSV", "Parquet")
    ]
    heading = f"{number(shown.num_rows)} answer{'s' if shown.num_rows > 1 else ''}"
    return parts.section(
        "answers",
        heading,
        html.P([part for link in downloads for part in (link, " ")], className="downloads"),
        _table(run, rows),
        _pages(run, choice, place, pages, shown.num_rows),
    )


def _table(run: Run, rows: Sequence[Mapping[str, Any]]) -> Any:
    has = {name: any(row[name] not in (None, "") for row in rows) for name in ("asked", "truth", "confidence", "loss")}
    has["correct"] = any(row["correct"] is not None for row in rows)
    titles = {"asked": "Example", "truth": "Truth", "confidence": "Confidence", "loss": "Loss", "correct": ""}
    headings = ["Place", *([titles["truth"]] if has["truth"] else []), "Answer"]
    last = [name for name in ("correct", "confidence", "loss") if has[name]]
    slices = any(table_of.slice_of(row) for row in rows)
    cells = []
    for row in rows:
        sign, word, tone = parts.JUDGED[row["correct"]]
        said = {
            "correct": html.Span(f"{sign} {word}".strip(), className=tone),
            "confidence": number(row["confidence"]),
            "loss": number(row["loss"]),
        }
        cells.append(
            [
                parts.link(f"{row['place']:,}", address.answer(run.key, row["example"])),
                *([row["truth"]] if has["truth"] else []),
                row["answer"] or html.Span("nothing", className="soft"),
                *(said[name] for name in last),
                *([row["asked"]] if has["asked"] else []),
                *([html.Span(", ".join(table_of.slice_of(row)), className="soft")] if slices else []),
            ]
        )
    first = len(headings)
    headings += [titles[name] for name in last]
    headings += ([titles["asked"]] if has["asked"] else []) + (["Slices"] if slices else [])
    numbers = [0, *(first + i for i, name in enumerate(last) if name != "correct")]
    return parts.table(headings, cells, "Answers", numbers=numbers)


def _pages(run: Run, choice: Choice, place: int, pages: int, count: int) -> Any:
    if pages == 1:
        return None
    first = (place - 1) * PAGE_ROWS + 1

    def to(page: int, said: str, label: str) -> Any:
        if not 1 <= page <= pages or page == place:
            return html.Span(said, className="soft")
        return parts.link(said, address.answers(run.key, choice.query(page=page)), title=label)

    return html.Nav(
        [
            to(1, "« first", "First page"),
            to(place - 1, "‹ previous", "Previous page"),
            html.Span(f"page {place:,} of {pages:,}"),
            to(place + 1, "next ›", "Next page"),
            to(pages, "last »", "Last page"),
            html.Span(f"{first:,} to {min(first + PAGE_ROWS - 1, count):,} of {count:,}", className="soft"),
        ],
        className="pages",
        **parts.aria(label="Pages of answers"),
    )


def register(app: Dash, store: Store) -> None:
    @app.callback(
        Output("address", "search"),
        Input("answers-show", "n_clicks"),
        Input("answers-all", "n_clicks"),
        *(Input(f"answers-{name}", "value") for name in ("verdict", "slice", "sort")),
        *(Input(f"answers-{name}", "n_submit") for name in ("truth", "answer", "text", "least", "below")),
        *(State(f"answers-{name}", "value") for name in FIELDS),
        State("address", "search"),
        prevent_initial_call=True,
    )
    def choose(*given: Any) -> Any:
        if ctx.triggered_id == "answers-all":
            return "" if given[1] else no_update
        said = dict(zip(FIELDS, given[-len(FIELDS) - 1 : -1], strict=True))
        wanted = Choice.of({name: [str(value)] for name, value in said.items() if value not in (None, "")}).query()
        before = Choice.of(address.query(given[-1]))
        return no_update if before.query(page=1) == wanted else f"?{wanted}" if wanted else ""

    for kind, mime in (("csv", "text/csv"), ("parquet", "application/vnd.apache.parquet")):
        app.server.add_url_rule(f"/answers-{kind}/<task>/<run_id>", f"answers-{kind}", _file(store, kind, mime))


def _file(store: Store, kind: str, mime: str) -> Any:
    """What answers the address of those that are chosen as a file."""

    def answer(task: str, run_id: str) -> Response:
        try:
            table = table_of.read(store, store.run(task, run_id))
        except (NotThere, Damaged):
            abort(404)
        if table is None:
            abort(404)
        shown = table_of.chosen(table, Choice.of(request.args.to_dict(flat=False)))
        content = table_of.as_csv(shown).encode() if kind == "csv" else table_of.as_parquet(shown)
        name = f"{task}-{run_id}-answers.{kind}"
        return Response(content, mimetype=mime, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    return answer
