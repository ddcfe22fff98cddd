"""Previews as a person sees them: pictures, sounds with their spectrogram, texts with differences, bars and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from components.report.differences import differences
from components.report.page import number, shares
from dashboard import address, charts, parts

TINY = 128
"""Pixels. Pictures below it are enlarged without smoothing."""


def figure(preview: Mapping[str, Any], run_key: str, heading: str = "") -> html.Figure:
    """One preview of the run `run_key`; `heading` stands before its title."""
    correct = preview["correct"]
    kind, sign = {True: ("right", "✓ "), False: ("wrong", "✗ ")}.get(correct, ("unjudged", ""))
    tone = {"right": "good", "wrong": "bad"}.get(kind, "")
    where = ", ".join(f"{column}: {value}" for column, value in preview["slice"].items())
    caption = [html.Span(f"{sign}{heading}", className=tone), preview["title"]]
    pieces = differences(preview["parts"])
    shown = [
        _part(part, preview["title"], run_key, piece) for part, piece in zip(preview["parts"], pieces, strict=True)
    ]
    return html.Figure(
        [html.Figcaption([*caption, *([html.Small(where)] if where else [])]), html.Div(shown, className="parts")],
        className=f"preview {kind}",
    )


def grid(previews: Sequence[Mapping[str, Any]], run_key: str) -> html.Div:
    return html.Div([figure(preview, run_key) for preview in previews], className=grid_class(previews))


def grid_class(previews: Sequence[Mapping[str, Any]]) -> str:
    """Texts, curves, sounds and pictures side by side need more room than single pictures."""
    kinds = [part["kind"] for preview in previews for part in preview["parts"]]
    roomy = bool({"words", "curve", "sound"} & set(kinds)) or kinds.count("picture") > len(previews)
    return "previews roomy" if roomy else "previews"


def _part(part: Mapping[str, Any], title: str, run_key: str, pieces: Sequence[tuple[str, bool]]) -> html.Div:
    caption = [html.P(part["caption"], className="soft")] if part.get("caption") else []
    shown = _SHOWN[part["kind"]](part, title, run_key, pieces)
    full = part["kind"] != "picture" or part.get("marked")
    return html.Div([*caption, *shown], className="part full" if full else "part")


def _picture(part: Mapping[str, Any], title: str, run_key: str, pieces: Any) -> list[Any]:
    tiny = max(part.get("width", 0), part.get("height", 0)) < TINY
    source = address.media(run_key, part["file"])
    alt = part.get("caption") or title
    return [html.Img(src=source, alt=alt, className="tiny" if tiny else "")]


def _sound(part: Mapping[str, Any], title: str, run_key: str, pieces: Any) -> list[Any]:
    player = html.Audio(
        src=address.media(run_key, part["file"]), controls=True, preload="none", **parts.aria(label=f"sound of {title}")
    )
    seen = []
    if part.get("spectrogram"):
        alt = f"spectrogram of {title}, up to {number(part['top_hz'])} Hz"
        seen.append(html.Img(src=address.media(run_key, part["spectrogram"]), alt=alt, className="spectrogram"))
    cut = part["shown_seconds"] < part["seconds"]
    said = f"the first {number(part['shown_seconds'])} of " if cut else ""
    top = f", up to {number(part['top_hz'])} Hz" if seen else ""
    return [*seen, player, html.P(f"{said}{number(part['seconds'])} s{top}", className="soft")]


def _words(part: Mapping[str, Any], title: str, run_key: str, pieces: Sequence[tuple[str, bool]]) -> list[Any]:
    marked = [html.Mark(piece) if differs else piece for piece, differs in pieces]
    return [html.P(marked, className="text", tabIndex=0)]


def _bars(part: Mapping[str, Any], title: str, run_key: str, pieces: Any) -> list[Any]:
    cells = []
    for row in shares(part["values"]):
        cells += [
            html.Span(row["name"], className="name", title=row["name"]),
            parts.bar(row["length"], f"{row['name']} {row['shown']}"),
            html.Span(row["shown"], className="n"),
        ]
    return [html.Div(cells, className="shares")]


def _curve(part: Mapping[str, Any], title: str, run_key: str, pieces: Any) -> list[Any]:
    if not any(value is not None for points in part["series"].values() for _, value in points):
        return [html.P("The curve has no finite value.", className="empty")]
    drawn = charts.lines(part["series"], part["x_label"], part["y_label"], height=230)
    return [charts.graph(drawn, part.get("caption") or title)]


_SHOWN = {"picture": _picture, "sound": _sound, "words": _words, "bars": _bars, "curve": _curve}
