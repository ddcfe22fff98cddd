"""A conversation with a pushed model on its page. The page holds what was said; nothing of it is kept elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from dashboard import parts
from dashboard.store import Store
from dashboard.try_it import Asked, Field, Refused, Trial


def form(fields: Mapping[str, Field], drawn: Callable[[str, Field], Any]) -> list[Any]:
    """What a person talks by. `fields` are chosen for all lines, each as `drawn`."""
    line = dcc.Input(id="chat-line", type="text", maxLength=Trial.MAX_TEXT, debounce=False, autoComplete="off")
    return [
        html.Div(id="chat-turns-shown", className="conversation", role="log", **parts.aria(label="conversation")),
        html.Div(
            [
                html.Div([html.Label("What you say", htmlFor="chat-line", className="label"), line]),
                *(drawn(name, field) for name, field in fields.items()),
                html.Div(
                    [
                        html.Button("Say it", id="chat-say", type="button", className="button"),
                        html.Button("Begin anew", id="chat-reset", type="button", className="button"),
                        html.Span(id="chat-status", role="status", className="soft"),
                    ]
                ),
            ],
            className="form",
        ),
        dcc.Store(id="chat-turns", data=[]),
    ]


def register(app: Dash, store: Store, trial: Trial) -> None:
    @app.callback(
        Output("chat-turns", "data"),
        Output("chat-turns-shown", "children"),
        Output("chat-line", "value"),
        Output("chat-status", "children"),
        Input("chat-say", "n_clicks"),
        Input("chat-line", "n_submit"),
        Input("chat-reset", "n_clicks"),
        State("chat-line", "value"),
        State("chat-turns", "data"),
        State("try-task", "data"),
        State({"type": "try-value", "name": ALL}, "value"),
        State({"type": "try-value", "name": ALL}, "id"),
        running=[
            (Output("chat-say", "disabled"), True, False),
            (Output("chat-status", "children"), "The model is being asked …", ""),
        ],
        prevent_initial_call=True,
    )
    def say(
        clicks: int | None,
        submits: int | None,
        resets: int | None,
        line: str | None,
        turns: list[Any],
        task: str,
        values: list[Any],
        ids: list[dict[str, str]],
    ) -> tuple[Any, ...]:
        if ctx.triggered_id == "chat-reset":
            return ([], [], "", "") if resets else (no_update,) * 4
        if not (clicks or submits) or not (line or "").strip():
            return (no_update,) * 4
        chosen = {one["name"]: value for one, value in zip(ids, values, strict=True)}
        try:
            turn = trial.converse(store, Asked(task, chosen, {}), str(line), turns)
        except Refused as refused:
            said = html.Div([html.B("✗ "), str(refused)], className="empty bad", role="alert")
            return no_update, [*_shown(turns), said], no_update, ""
        turns = [*turns, turn]
        return turns, _shown(turns), "", ""


def _shown(turns: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [html.P(turn[who], className=who) for turn in turns for who in ("said", "answered")]
