"""What a person writes beside a run: a name, a note, tags, and whether it is put away.

It lies in `notes.json` in the run's folder, the one thing that the dashboard writes.
"""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from dashboard import parts
from dashboard.store import KeptNotes, NotThere, Run, Store

MAX_NAME, MAX_NOTE, MAX_TAGS, MAX_TAG = 100, 5000, 20, 40
"""Letters, and how many tags."""
ARCHIVED = "archived"


def section(run: Run, may_write: bool) -> html.Section:
    """The form, or where nothing may be written what stands there."""
    if may_write:
        return parts.section("notes", "Notes", _form(run.notes), note="Kept in notes.json in the run's folder.")
    said = [(name, run.notes[name]) for name in ("name", "note") if run.notes.get(name)]
    tags = [("tags", ", ".join(run.notes["tags"]))] if run.notes.get("tags") else []
    return parts.section("notes", "Notes", parts.terms([*said, *tags]))


def _form(notes: KeptNotes) -> html.Div:
    def labelled(said: str, field: Any) -> html.Div:
        return html.Div([html.Label(said, htmlFor=field.id, className="label"), field])

    archived = dcc.Checklist(
        options=[{"label": "Archived: not in the table", "value": ARCHIVED}],
        value=[ARCHIVED] if notes.get("archived") else [],
        id="notes-archived",
    )
    return html.Div(
        [
            labelled("Name", dcc.Input(id="notes-name", maxLength=MAX_NAME, value=notes.get("name", ""))),
            labelled("Note", dcc.Textarea(id="notes-note", rows=2, maxLength=MAX_NOTE, value=notes.get("note", ""))),
            labelled("Tags, with commas", dcc.Input(id="notes-tags", value=", ".join(notes.get("tags", [])))),
            html.Div(archived, role="group", **parts.aria(label="Where it is shown")),
            html.Div(
                [
                    html.Button("Keep", id="notes-keep", type="button", className="button"),
                    html.Span(id="notes-told", role="status", className="soft"),
                ]
            ),
        ],
        className="form",
    )


def read(name: str | None, note: str | None, tags: str | None, archived: list[str] | None) -> KeptNotes:
    """What a form holds. Raises ValueError, in words for the person who filled it in."""
    listed = list(dict.fromkeys(tag.strip() for tag in (tags or "").split(",") if tag.strip()))
    found = KeptNotes(name=(name or "").strip(), note=(note or "").strip(), tags=listed, archived=bool(archived))
    for what, text, most in (("The name", found["name"], MAX_NAME), ("The note", found["note"], MAX_NOTE)):
        if len(text) > most:
            raise ValueError(f"{what} is longer than {most:,} letters.")
    if len(listed) > MAX_TAGS or any(len(tag) > MAX_TAG for tag in listed):
        raise ValueError(f"There may be {MAX_TAGS} tags of {MAX_TAG} letters each.")
    return found


def register(app: Dash, store: Store) -> None:
    @app.callback(
        Output("notes-told", "children"),
        Input("notes-keep", "n_clicks"),
        State("run-key", "data"),
        State("notes-name", "value"),
        State("notes-note", "value"),
        State("notes-tags", "value"),
        State("notes-archived", "value"),
        prevent_initial_call=True,
    )
    def keep(
        clicks: int | None, key: str, name: str | None, note: str | None, tags: str | None, archived: list[str] | None
    ) -> Any:
        if not clicks:
            return no_update
        if not store.takes_notes:
            return "✗ Nothing is written here: start the dashboard with --notes."
        try:
            store.annotate(store.run_of(key), read(name, note, tags, archived))
        except NotThere:
            return "✗ The run is no longer there."
        except (ValueError, OSError) as error:
            return f"✗ Not kept: {getattr(error, 'strerror', None) or error}"
        return "✓ Kept."
