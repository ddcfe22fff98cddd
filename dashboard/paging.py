"""Long lists in pages: a run of 1,000 classes weighs no more in a browser than one of ten.

A page of a list is made by the server when it is turned to. Which list it is stands in the address of the page that
shows it, in its name there, and in `of`, what a person has chosen of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dash import ALL, MATCH, Dash, Input, Output, State, ctx, dcc, html, no_update

from dashboard import parts
from dashboard.store import Damaged, NotThere

ROWS, CHARTS, PREVIEWS = 15, 6, 8
"""Of a table, of charts and of previews, so many are shown at once."""


@dataclass(frozen=True)
class Long:
    """A list that may be long. `draw` makes a component of some of its rows, of which at most `size` are shown at once;
    `label` is what it lists."""

    rows: Sequence[Any]
    draw: Callable[[Sequence[Any]], Any]
    size: int
    label: str

    @property
    def pages(self) -> int:
        return -(-len(self.rows) // self.size) or 1

    def page(self, number: int) -> Any:
        """The page of this number, counted from 1; the nearest one, where there is no such page."""
        first = (self.nearest(number) - 1) * self.size
        return self.draw(self.rows[first : first + self.size])

    def nearest(self, number: int) -> int:
        return max(1, min(number, self.pages))

    def told(self, number: int) -> str:
        first = (self.nearest(number) - 1) * self.size + 1
        return f"{first:,} to {min(first + self.size - 1, len(self.rows)):,} of {len(self.rows):,}"


Find = Callable[[str, str | None, str, str], Long]
"""The list of a page's path and query, by its name and what was chosen of it. Raises NotThere or Damaged."""


def in_pages(name: str, long: Long, of: str = "") -> Any:
    """The first page, and where there are others, what leads to them."""
    if long.pages == 1:
        return long.page(1)

    own = functools.partial(_id, name, of)

    def turn(by: int, said: str, label: str) -> html.Button:
        return html.Button(said, id=own("turn", by=by), type="button", className="turn", **parts.aria(label=label))

    number = dcc.Input(
        id=own("number"), type="number", min=1, max=long.pages, step=1, value=1, debounce=True, className="page-number"
    )
    chooser = html.Nav(
        [
            turn(-1, "‹", f"Previous page of {long.label}"),
            html.Label("Page", htmlFor=parts.dom_id(own("number"))),
            number,
            html.Span(f"of {long.pages:,}"),
            turn(1, "›", f"Next page of {long.label}"),
            html.Span(long.told(1), id=own("told"), role="status", className="soft"),
        ],
        className="pages",
        **parts.aria(label=f"Pages of {long.label}"),
    )
    return html.Div([html.Div(long.page(1), id=own("shown")), chooser])


def _id(name: Any, of: Any, what: str, **more: Any) -> dict[str, Any]:
    """The identity of a part of what shows a list."""
    return {"type": f"pages-{what}", "name": name, "of": of, **more}


def register(app: Dash, find: Find) -> None:
    matching = functools.partial(_id, MATCH, MATCH)

    @app.callback(
        Output(matching("shown"), "children"),
        Output(matching("told"), "children"),
        Output(matching("number"), "value"),
        Input(matching("turn", by=ALL), "n_clicks"),
        Input(matching("number"), "value"),
        State(matching("number"), "id"),
        State("address", "pathname"),
        State("address", "search"),
        prevent_initial_call=True,
    )
    def show(
        _: Sequence[int | None], number: float | None, which: dict[str, str], pathname: str, search: str | None
    ) -> Any:
        by = ctx.triggered_id.get("by", 0) if ctx.triggered_id else 0
        try:
            long = find(pathname, search, which["name"], which["of"])
        except (NotThere, Damaged):
            return no_update, "It is no longer there.", no_update
        wanted = long.nearest(int(number or 1) + by)
        return long.page(wanted), long.told(wanted), wanted if by or wanted != number else no_update
