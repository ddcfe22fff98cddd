"""The building blocks of all pages. Their class names are those of the one-file report's style sheet."""

from __future__ import annotations

import json
import logging
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dash import dcc, html

from components.report.page import limits
from dashboard.store import Damaged, LeftOut, NotThere
from trainer.preview.wording import number

_log = logging.getLogger(__name__)

Child = Any
"""A component, a text or a number; Dash escapes the latter two."""

SIGNS = {
    "blessed": "✓",
    "not blessed": "✗",
    "not judged": "?",
    "running": "▶",
    "failed": "✗",
    "interrupted": "■",
    "stopped": "■",
    "unreadable": "!",
}
JUDGED: Mapping[bool | None, tuple[str, str, str]] = {
    True: ("✓", "right", "good"),
    False: ("✗", "wrong", "bad"),
    None: ("", "", "soft"),
}
"""Of one answer, by whether it is right: sign, word and tone."""
LINKS_SHOWN = 10
TONES = {"blessed": "good", "not blessed": "bad", "failed": "bad", "unreadable": "bad"}


def aria(**said: str) -> dict[str, Any]:
    """ARIA attributes as components take them: `aria(label="x")` is aria-label."""
    return {f"aria-{name}": value for name, value in said.items()}


def dom_id(identity: Mapping[str, str]) -> str:
    """A component's identity of several parts as it stands in the page, for labels."""
    return json.dumps(identity, sort_keys=True, separators=(",", ":"))


def changing(name: Any) -> dict[str, Any]:
    """The identity of what changes by itself while a run goes on."""
    return {"type": "run-part", "name": name}


def letter(place: int) -> str:
    """What one of the runs that are compared is called, the first of them A."""
    return chr(ord("A") + place)


def section(place: str, heading: str, *children: Child, note: str = "") -> html.Section:
    """`place` is what links to it name."""
    said = [html.P(note, className="note")] if note else []
    return html.Section(
        [html.H2(heading, id=f"{place}-heading"), *said, *children], id=place, **aria(labelledby=f"{place}-heading")
    )


def empty(*said: Child, command: str = "") -> html.Div:
    """What stands where there is nothing: why, and the command that changes it."""
    then: list[Child] = [" Next: ", html.Code(command)] if command else []
    return html.Div([*said, *then], className="empty")


def damaged(said: str) -> html.Div:
    """What stands where a file of a run cannot be read."""
    return html.Div(
        [html.B("! "), f"{said}. Remove that file, or the run's folder."], className="empty bad", role="alert"
    )


def left_out(links: Sequence[LeftOut], told: str) -> list[html.Div]:
    """What is said of links that are not followed, and how they are: nothing for none. `told`: what is missing."""
    if not links:
        return []
    shown = [f"{link.place} → {link.target}{'' if link.is_there else ' (which is not there)'}" for link in links]
    listed = html.Ul([html.Li(html.Code(text)) for text in shown[:LINKS_SHOWN]])
    more = [f"and {len(shown) - LINKS_SHOWN} more. "] if len(shown) > LINKS_SHOWN else []
    root = next((str(link.target) for link in links if link.is_there), "")
    how: list[Child] = (
        ["To show what lies there: ", html.Code(f"benison dashboard --follow {shlex.quote(root)}")] if root else []
    )
    words = f"{told} links out of the workspace, which are not followed unless the folder they lead to is named:"
    return [html.Div([words, listed, *more, *how], className="empty left-out", role="note")]


def guarded(what: str, make: Callable[[], Any]) -> Any:
    """What `make` returns; where it fails, words in its place. NotThere and Damaged, of which a page knows more, pass.

    No file of a run should come so far: the store checks them all. What was not thought of takes down no more than it
    must, and is told where the dashboard was started.
    """
    try:
        return make()
    except (NotThere, Damaged):
        raise
    except Exception as error:
        _log.exception("%s cannot be shown", what)
        said = f"{what} cannot be shown ({type(error).__name__}); the dashboard's own output says where it failed."
        return html.Div([html.B("! "), said], className="empty bad", role="alert")


def table(headings: Sequence[Child], rows: Iterable[Sequence[Child]], label: str, numbers: Sequence[int] = ()) -> Child:
    """A table that scrolls by itself. The first cell of a row is its heading; `numbers`: columns set to the right."""

    def kind(column: int) -> str:
        return "n" if column in numbers else "words"

    head = html.Tr([html.Th(said, className=kind(i), scope="col") for i, said in enumerate(headings)])
    body = [
        html.Tr(
            [
                html.Th(cell, className=kind(i), scope="row") if i == 0 else html.Td(cell, className=kind(i))
                for i, cell in enumerate(row)
            ]
        )
        for row in rows
    ]
    return scrolling(html.Table([html.Thead(head), html.Tbody(body)]), label)


def scrolling(child: Child, label: str) -> html.Div:
    return html.Div(child, className="scroll", tabIndex=0, role="region", **aria(label=label))


def terms(pairs: Iterable[tuple[str, Child]]) -> html.Dl:
    return html.Dl([part for term, said in pairs for part in (html.Dt(term), html.Dd(said))])


def tiles(pairs: Iterable[tuple[str, Child]]) -> html.Dl:
    return html.Dl([html.Div([html.Dt(term), html.Dd(said)]) for term, said in pairs], className="tiles")


def bar(length: float, label: str, kind: str = "", at: float = 0.0, mark: float | None = None) -> html.Div:
    """A bar from `at`, both in percent of its track; `mark`: a place on it."""
    fill = {"left": f"{at:.2f}%", "width": f"{min(length, 100 - at):.2f}%"}
    marks = [] if mark is None else [html.Span(className="mark-line", style={"left": f"{mark:.2f}%"})]
    return html.Div(
        [html.Span(className="fill", style=fill), *marks],
        className=f"track {kind}",
        role="img",
        **aria(label=label),
    )


def spark(histogram: Sequence[Sequence[float]], label: str) -> html.Div:
    """The shape of a distribution: [low, high, count] of each stretch."""
    most = max((count for *_, count in histogram), default=0.0) or 1.0
    tops = [96 * (1 - count / most) for *_, count in histogram]  # the least one is seen, too
    edges = [100 * i / len(tops) for i in range(len(tops) + 1)]
    outline = [f"{x:.1f}% {top:.1f}%" for i, top in enumerate(tops) for x in edges[i : i + 2]]
    shape = f"polygon(0% 100%, {', '.join(outline)}, 100% 100%)"
    return html.Div(className="spark-bars", style={"clipPath": shape}, role="img", **aria(label=label))


def shares(rows: Iterable[Mapping[str, Any]]) -> html.Div:
    """Named bars: each row has a name, its length in percent and its value as text (`shown`)."""
    cells: list[Child] = []
    for row in rows:
        cells += [
            html.Span(row["name"], className="name", title=row["name"]),
            bar(row["length"], f"{row['name']} {row['shown']}"),
            html.Span(row["shown"], className="n"),
        ]
    return html.Div(cells, className="shares")


def wave(stretches: Sequence[Sequence[float]], label: str) -> html.Div:
    """The outline of a sound: lowest and highest value of each stretch, from -1 to 1."""
    across = [100 * (i + 0.5) / len(stretches) for i in range(len(stretches))]
    above = [f"{x:.2f}% {50 - 50 * high - 1:.1f}%" for x, (_, high) in zip(across, stretches, strict=True)]
    below = [f"{x:.2f}% {50 - 50 * low + 1:.1f}%" for x, (low, _) in zip(across, stretches, strict=True)]
    outline = f"polygon({', '.join([*above, *below[::-1]])})"
    return html.Div(className="outline", style={"clipPath": outline}, role="img", **aria(label=label))


def outcome(word: str) -> html.Span:
    return html.Span(f"{SIGNS.get(word, '')} {word}", className=f"outcome {TONES.get(word, 'soft')}")


def figures(value: Any) -> html.B:
    return html.B(number(value))


def with_limits(value: Any, interval: Sequence[float] | None) -> html.Span:
    """A value, and below it its interval."""
    said = [html.Br(), html.Span(limits(interval), className="soft")] if interval else []
    return html.Span([figures(value), *said])


def link(said: Child, address: str, **properties: Any) -> dcc.Link:
    return dcc.Link(said, href=address, **properties)


def command(line: str) -> html.Pre:
    return html.Pre(html.Code(line), className="command", tabIndex=0)


def folded(summary: Child, *children: Child, is_open: bool = False) -> html.Details:
    return html.Details([html.Summary(summary), *children], open=is_open)


def or_damage(read: Callable[[], Any]) -> Any:
    """What is read from files of the run, or what is wrong with them: the rest of the page is shown all the same."""
    try:
        return read()
    except Damaged as damage:
        return damaged(str(damage))
