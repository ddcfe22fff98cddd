"""Previews as a person sees them: pictures, sounds with their spectrogram, texts with differences, bars and curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard import address, charts, parts
from trainer.preview.kinds import ShownPart, is_roomy, shown

TINY = 128
"""Pixels. Pictures below it are enlarged without smoothing."""
CURVE_HEIGHT = 230
"""Pixels."""


Source = Callable[[str], str]
"""The address of a file that a preview names."""


def of_run(run_key: str) -> Source:
    return lambda file: address.media(run_key, file)


def figure(preview: Mapping[str, Any], source: Source, heading: str = "") -> html.Figure:
    """One preview; `heading` stands before its title."""
    correct = preview["correct"]
    kind, sign = {True: ("right", "✓ "), False: ("wrong", "✗ ")}.get(correct, ("unjudged", ""))
    tone = {"right": "good", "wrong": "bad"}.get(kind, "")
    where = ", ".join(f"{column}: {value}" for column, value in preview["slice"].items())
    caption = [html.Span(f"{sign}{heading}", className=tone), preview["title"]]
    seen = shown(preview["parts"], preview["title"], Components(source))
    return html.Figure(
        [
            html.Figcaption([*caption, *([html.Small(where)] if where else [])]),
            html.Div([_part(part) for part in seen], className="parts"),
        ],
        className=f"preview {kind}",
    )


def grid(previews: Sequence[Mapping[str, Any]], source: Source) -> html.Div:
    figures = [figure(preview, source) for preview in previews]
    return html.Div(figures, className="previews roomy" if is_roomy(previews) else "previews")


def _part(part: ShownPart[Component]) -> html.Div:
    caption = [html.P(part.caption, className="soft")] if part.caption else []
    return html.Div([*caption, *part.children], className="part full" if part.fills_row else "part")


class Components:
    """What `trainer.preview.part.Page` asks for, as components."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def picture(self, file: str, alt: str, width: int = 0, height: int = 0) -> Component:
        kind = "tiny" if max(width, height) < TINY else ""
        return html.Img(src=self._source(file), alt=alt, className=kind)

    def animation(self, file: str, still: str, alt: str, width: int, height: int) -> Component:
        calm = self._source(still)
        return html.Picture(
            [html.Source(media="(prefers-reduced-motion: reduce)", srcSet=calm), self.picture(file, alt, width, height)]
        )

    def divided(self, files: tuple[str, str], names: tuple[str, str], width: int, height: int) -> Component:
        told: dict[str, Any] = {"data-label": f"Divider between {names[0]} and {names[1]}"}
        both = [self.picture(file, name, width, height) for file, name in zip(files, names, strict=True)]
        sides = html.P([html.Span(name) for name in names], className="sides soft")
        return html.Div([html.Div([*both, html.Div(className="divider", **told)], className="divided"), sides])

    def layers(self, file: str, layers: Sequence[Mapping[str, str]], alt: str, width: int, height: int) -> Component:
        over = [html.Img(src=self._source(one["file"]), alt=one["name"], className="layer") for one in layers]
        switches = [_switch(place, layer) for place, layer in enumerate(layers)]
        group = html.Div(switches, className="switches", role="group", **parts.aria(label=f"Masks of {alt}"))
        stack = html.Div([self.picture(file, alt, width, height), *over], className="stack")
        return html.Div([stack, group], className="layers")

    def roll(self, file: str, seconds: float, alt: str) -> Component:
        told: dict[str, Any] = {"data-seconds": seconds}
        return html.Div(html.Img(src=self._source(file), alt=alt), className="roll", **told)

    def turns(self, turns: Sequence[Mapping[str, Any]], label: str) -> Component:
        said = [
            html.P(
                [*([html.Small(turn["note"])] if turn["note"] else []), turn["text"]],
                className="answered" if turn["answers"] else "said",
            )
            for turn in turns
        ]
        return html.Div(said, className="conversation", role="group", **parts.aria(label=label))

    def spectrogram(self, file: str, alt: str) -> Component:
        return html.Img(src=self._source(file), alt=alt, className="spectrogram")

    def player(self, file: str, label: str) -> Component:
        source = self._source(file)
        return html.Audio(src=source, controls=True, preload="none", **parts.aria(label=label))

    def wave(self, stretches: Sequence[Sequence[float]], label: str) -> Component:
        return parts.wave(stretches, label)

    def text(self, pieces: Sequence[tuple[str, bool]]) -> Component:
        marked = [html.Mark(piece) if differs else piece for piece, differs in pieces]
        return html.P(marked, className="text", tabIndex=0)

    def bars(self, rows: Sequence[Mapping[str, Any]]) -> Component:
        return parts.shares(rows)

    def lines(self, series: Mapping[str, Sequence[Sequence[Any]]], x_label: str, y_label: str, label: str) -> Component:
        return charts.graph(charts.lines(series, x_label, y_label, height=CURVE_HEIGHT), label, has_tools=False)

    def note(self, words: str) -> Component:
        return html.P(words, className="soft")

    def missing(self, words: str) -> Component:
        return html.P(words, className="empty")


def _switch(place: int, layer: Mapping[str, str]) -> html.Button:
    told: dict[str, Any] = {"data-layer": place}
    swatch = html.Span(className="swatch", style={"background": layer["colour"]})
    return html.Button([swatch, layer["name"]], type="button", **parts.aria(pressed="true"), **told)
