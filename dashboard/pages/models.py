"""Pushed models: which is served, whether its files are what was pushed, how to ask it, and a form that does."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from dashboard import address, conversation, parts, previews
from dashboard.store import Checked, Model, NotThere, Run, Store
from dashboard.try_it import Answer, Asked, Field, Refused, Trial, chosen_fields, fields_of, threshold_field
from data.errors import WrongUse
from data.media.kinds import KINDS
from pipelines.records.workspace import named
from trainer.conversation import Converses
from trainer.preview.wording import as_cell, number
from trainer.task import load

LONGEST_QUESTION = 300
"""Characters of it that are said again."""
SHOWN_ANSWERS = 8
"""Of a table with more rows the others are told of only."""
EVEN = 0.5


def overview(store: Store) -> Any:
    """The tasks that have a model, with the served version of each."""
    found = {task: models for task in store.tasks() if (models := _reachable(store, task))}
    missing = parts.left_out(store.left_out(), "Not among them is what lies behind")
    if not found:
        said = parts.empty(
            "No model has been pushed: only a blessed one is.",
            command=f"benison run image_classification{named(store.root)}",
        )
        return html.Div([html.H1("Models"), said, *missing])
    rows = []
    for task, models in found.items():
        run = _maker(store, models[0])
        rows.append(
            [
                parts.link(task, address.models(task)),
                str(models[0].version),
                _check(store.check(models[0])),
                f"{run.key_metric} {number(run.score)}" if run else "–",
                parts.link(run.id, address.run(run.key)) if run else "–",
                str(len(models)),
            ]
        )
    headings = ["Task", "Served", "Files", "Score", "Made by run", "Versions"]
    return html.Div([html.H1("Models"), *missing, html.Section(parts.table(headings, rows, "Models"))])


def _reachable(store: Store, task: str) -> list[Model]:
    """The versions of a task, none of one whose folder leads elsewhere: the others are shown all the same."""
    try:
        return store.models(task)
    except NotThere:
        return []


def layout(store: Store, task: str) -> Any:
    models = _reachable(store, task)
    if not models:
        if task not in store.tasks():
            raise NotThere(task)
        return html.Div(
            [
                html.H1(task),
                parts.empty("This task has no pushed model.", command=f"benison run {task}{named(store.root)}"),
            ]
        )
    return html.Div(
        [
            html.H1(task),
            html.P(parts.link("All models", "/models"), className="soft"),
            _versions(store, models),
            _try(task, models[0], store.check(models[0])),
            _commands(store, task, models[0]),
            dcc.Store(id="try-task", data=task),
        ]
    )


def _maker(store: Store, model: Model) -> Run | None:
    """The run that pushed it: the first of those that came to this version."""
    return next((run for run in reversed(store.runs(model.task)) if run.pushed == str(model.version)), None)


def _check(found: Checked) -> html.Span:
    if found.problem:
        return html.Span(f"✗ {found.problem}", className="bad")
    return html.Span(f"✓ {found.files} files as pushed", className="good")


def _versions(store: Store, models: Sequence[Model]) -> html.Section:
    rows = []
    for model in models:
        run = _maker(store, model)
        rows.append(
            [
                str(model.version),
                "▶ served" if model.served else "kept",
                _check(store.check(model)),
                f"{run.key_metric} {number(run.score)}" if run else "–",
                parts.link(run.id, address.run(run.key)) if run else "–",
            ]
        )
    note = "The highest version is served. Files are checked against the SHA-256 written when they were pushed."
    table = parts.table(["Version", "State", "Files", "Score", "Made by run"], rows, "Versions")
    return parts.section("versions", "Versions", table, note=note)


def _commands(store: Store, task: str, model: Model) -> html.Section:
    from pipelines.console.usage import usage

    try:
        said = usage(task, store.root)
        ask = [
            html.P("To predict, after the digests were checked, with your own in place of capitals:"),
            parts.command(said),
        ]
        if issubclass(load(task), Converses):
            ask += [html.P("To talk with it:"), parts.command(f"benison chat {task}{named(store.root)}")]
    except WrongUse as error:
        ask = [html.P(f"It cannot be asked by this version of Benison: {error.message}.")]
    serve = f"tensorflow_model_server --rest_api_port=8501 --model_name={task} --model_base_path={model.path.parent}"
    return parts.section(
        "commands",
        "From the command line",
        *ask,
        html.P("To serve over HTTP, with TensorFlow Serving, which takes the highest version by itself:"),
        parts.command(serve),
    )


# --- try it ---


def _try(task: str, model: Model, checked: Checked) -> html.Section:
    if checked.problem:
        return parts.section("try", "Try it", parts.empty(f"The model is not asked: {checked.problem}."))
    try:
        task_class = load(task)
        fields = fields_of(task_class) | threshold_field(task_class)
    except WrongUse as error:
        return parts.section("try", "Try it", parts.empty(f"It cannot be asked from here: {error.message}."))
    inputs = [_field(name, field) for name, field in fields.items()]
    form = html.Div(
        [
            *inputs,
            html.Button("Ask the model", id="try-ask", type="button", className="button"),
            html.Span(id="try-status", role="status", className="soft"),
        ],
        className="form",
    )
    note = (
        f"Version {model.version} answers in a process of its own, which the first question loads: some ten seconds. "
        f"It stays loaded until nobody has asked for {Trial.IDLE_SECONDS / 60:.0f} minutes. What you give is not kept."
    )
    if issubclass(task_class, Converses):
        talk = conversation.form(chosen_fields(task_class), _field)
        return parts.section("try", "Talk with it", *talk, note=note)
    return parts.section("try", "Try it", form, html.Div(id="try-answer", **parts.aria(live="polite")), note=note)


def _field(name: str, field: Field) -> html.Div:
    """What asks for one input."""
    said = name if name == field.said else f"{name}: {field.said}"
    if not field.is_file:
        asks = _input(name, field)
        return html.Div([html.Label(said, htmlFor=parts.dom_id(asks.id), className="label"), asks])
    label = html.Span(said, className="label")
    upload = dcc.Upload(
        html.Button(
            [
                f"Choose or drop a file, up to {Trial.MAX_BYTES / 1e6:.0f} MB",
                html.Span(id={"type": "try-chosen", "name": name}),
            ],
            type="button",
        ),
        id={"type": "try-file", "name": name},
        accept=",".join(field.asked.suffixes),
        max_size=Trial.MAX_BYTES,
        className="upload",
    )
    record = html.Button("● Record", type="button", className="record", id={"type": "try-record", "name": name})
    media = html.Div([upload, *([record] if field.asked.recordable else [])], className="media")
    bounds: dict[str, Any] = {"data-most": Trial.MAX_BYTES}  # which the page checks before it sends
    return html.Div([label, media, html.Div(id={"type": "try-seen", "name": name})], **bounds)


def _input(name: str, field: Field) -> Any:
    identity, asked = {"type": "try-value", "name": name}, field.asked
    if asked.kind == "choice":
        return dcc.Dropdown(id=identity, options=list(asked.choices), value=asked.default, clearable=False)
    if asked.kind == "number":
        bounds: dict[str, Any] = {"min": asked.minimum, "max": asked.maximum, "step": asked.step or "any"}
        known = {key: bound for key, bound in bounds.items() if bound is not None}
        return dcc.Input(id=identity, type="number", value=asked.default, **known)
    written = None if asked.default is None else str(asked.default)
    if asked.multiline:
        return dcc.Textarea(id=identity, rows=3, maxLength=Trial.MAX_TEXT, title=name, value=written)
    return dcc.Input(id=identity, type="text", maxLength=Trial.MAX_TEXT, value=written)


def register(app: Dash, store: Store, trial: Trial) -> None:
    app.clientside_callback(
        ClientsideFunction("benison", "questionChanged"),
        Output({"type": "try-chosen", "name": ALL}, "children"),
        Output({"type": "try-seen", "name": ALL}, "children"),
        Input({"type": "try-file", "name": ALL}, "contents"),
        Input({"type": "try-value", "name": ALL}, "value"),
        State({"type": "try-file", "name": ALL}, "filename"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output("try-answer", "children"),
        Output("try-status", "children"),
        Input("try-ask", "n_clicks"),
        State("try-task", "data"),
        State({"type": "try-value", "name": ALL}, "value"),
        State({"type": "try-value", "name": ALL}, "id"),
        State({"type": "try-file", "name": ALL}, "contents"),
        State({"type": "try-file", "name": ALL}, "filename"),
        State({"type": "try-file", "name": ALL}, "id"),
        running=[
            (Output("try-ask", "disabled"), True, False),
            (Output("try-status", "children"), "The model is being asked …", ""),
        ],
        prevent_initial_call=True,
    )
    def ask(
        clicks: int | None,
        task: str,
        values: list[Any],
        value_ids: list[dict[str, str]],
        contents: list[str | None],
        filenames: list[str | None],
        file_ids: list[dict[str, str]],
    ) -> tuple[Any, Any]:
        if not clicks:
            return no_update, no_update
        given = {id["name"]: value for id, value in zip(value_ids, values, strict=True)}
        files = {
            id["name"]: (name or "", content)
            for id, name, content in zip(file_ids, filenames, contents, strict=True)
            if content
        }
        try:
            answers = trial.ask(store, Asked(task, given, files))
        except Refused as refused:
            return html.Div([html.B("✗ "), str(refused)], className="empty bad", role="alert"), ""
        return [_question(given, files), *_answers(answers)], ""


def _question(given: Mapping[str, Any], files: Mapping[str, tuple[str, str]]) -> html.P:
    """What the answers below it are answers to."""
    said = [name for name, _ in files.values()] + [
        f"{name} {value}" for name, value in given.items() if value is not None
    ]
    return html.P(
        f"Asked: {textwrap.shorten(', '.join(said), LONGEST_QUESTION, placeholder=' …')}", className="soft asked"
    )


def _answers(answers: Sequence[Answer]) -> list[Any]:
    """One as a report shows an example; of several a table, and the first of them so."""
    if len(answers) == 1:
        return [_answer(answers[0])]
    headings = list(dict.fromkeys(name for answer in answers for name in answer.told))
    rows = [
        [str(row), *(as_cell(answer.told.get(name, "")) for name in headings)] for row, answer in enumerate(answers, 1)
    ]
    return [parts.table(["Row", *headings], rows, "Answers"), *map(_answer, answers[:SHOWN_ANSWERS])]


def _answer(answer: Answer) -> html.Div:
    label, probabilities = answer.values.get("label"), answer.values.get("probabilities")
    said = [html.P(str(label), className="answer-label")] if label is not None else []
    doubt = [html.P(_doubt(probabilities), className="doubt")] if isinstance(probabilities, Mapping) else []
    told = [(name, as_cell(value)) for name, value in answer.told.items() if name not in ("label", "probabilities")]
    saved = html.P([_saved(name, uri) for name, uri in answer.media.items()])
    seen = previews.figure(answer.preview, answer.shown.__getitem__)
    return html.Div([html.Div([*said, *doubt, parts.terms(told), saved]), seen], className="answer")


def _doubt(probabilities: Mapping[str, float]) -> str:
    """What is said where the likeliest class is less likely than all others together."""
    likeliest = max(probabilities.values(), default=1.0)
    return f"Unsure: the likeliest has {likeliest:.0%}, less than all others together." if likeliest < EVEN else ""


def _saved(name: str, uri: str) -> html.A:
    suffix = next(kind.suffix for kind in KINDS if uri.startswith(f"data:{kind.mime};"))
    return html.A(f"Save {name}{suffix}", href=uri, download=f"{name}{suffix}", className="button")
