"""Plotly figures as plain dicts: lines, histograms and groups of bars.

Plotly itself is not imported: its Python half only checks what is written here, for half a second of start-up. The
colours are seen on light and on dark ground (3:1 or more); text and grid take theirs from the style sheet. Lines differ
in dashes and marks, too, and bars in their pattern.
"""

from __future__ import annotations

import html
import importlib.metadata
import importlib.util
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dash import html as tags
from dash.fingerprint import build_fingerprint

from components.report.page import CurveLine
from dashboard import parts
from dashboard.compression import SUITES

Figure = dict[str, Any]

SCRIPT = "package_data/plotly.min.js"
"""Within the package of Plotly."""

COLOURS = ("#2f7de1", "#d9660a", "#1f9d6b", "#a35fc7", "#b07d00", "#d1477a")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MARKS = ("circle", "square", "diamond", "cross", "x", "triangle-up")
PATTERNS = ("", "/", "x", ".", "-", "+")
TICKS = 10
MOST_LETTERS = 28
"""Of what stands at an axis."""
FEW_POINTS = 12
"""Lines of so many points have each of them marked."""


def text(value: object) -> str:
    """What Plotly shows as `value`: it reads tags in all texts."""
    return html.escape(str(value), quote=False)


def lines(
    series: Mapping[str, Sequence[Sequence[float | None]]],
    x_label: str = "",
    y_label: str = "",
    height: int = 300,
    by_one: bool = False,
) -> Figure:
    """`series`: name -> [x, y] pairs; y may be None or not finite, which leaves a gap. `by_one`: x counts something."""
    traces = []
    for i, (name, points) in enumerate(series.items()):
        traces.append(
            {
                "type": "scatter",
                "name": text(name),
                "x": [point[0] for point in points],
                "y": [point[1] if _is_finite(point[1]) else None for point in points],
                "mode": "lines+markers" if len(points) <= FEW_POINTS else "lines",
                "line": {"dash": DASHES[i % len(DASHES)], "width": 2, "color": COLOURS[i % len(COLOURS)]},
                "marker": {"symbol": MARKS[i % len(MARKS)], "size": 6, "color": COLOURS[i % len(COLOURS)]},
            }
        )
    layout = _layout(x_label, y_label, height)
    if by_one:
        layout["xaxis"]["dtick"] = math.ceil(max(map(len, series.values()), default=1) / TICKS) or 1
    return {"data": traces, "layout": layout}


def curves(series: Mapping[str, CurveLine], smooth: Sequence[bool]) -> Figure:
    """Lines of trainings, which `assets/curves.js` draws as a person chooses: over steps or seconds, on a logarithmic
    scale, and those of `smooth` smoothed."""
    by_step = any(line.seconds for line in series.values())
    figure = lines(
        {name: line.points for name, line in series.items()}, "step" if by_step else "round", by_one=not by_step
    )
    for trace, line, is_smooth in zip(figure["data"], series.values(), smooth, strict=True):
        trace["meta"] = {"seconds": list(line.seconds), "smooth": is_smooth}
    return figure


def is_noisy(name: str) -> bool:
    """Whether a quantity of a training jumps from step to step; its learning rate follows a schedule."""
    return not name.endswith("learning_rate")


def curve_choice(by_step: bool) -> tags.Div:
    """Where a person chooses how curves are drawn: `assets/curves.js` fills it. Those by round have no time."""
    told: dict[str, Any] = {"data-timed": "yes" if by_step else "no"}
    return tags.Div(className="curve-choice", role="group", **parts.aria(label="How curves are drawn"), **told)


def histogram(edges: Sequence[float], series: Mapping[str, Sequence[int]], x_label: str, y_label: str) -> Figure:
    """The share of each series in each stretch between `edges`; `series`: name -> counts."""
    width = edges[1] - edges[0]
    traces = []
    for i, (name, counts) in enumerate(series.items()):
        total = max(sum(counts), 1)
        traces.append(
            {
                "type": "bar",
                "name": text(f"{name} ({sum(counts):,})"),
                "x": [edge + width / 2 for edge in edges[:-1]],
                "y": [count / total for count in counts],
                "customdata": list(counts),
                "hovertemplate": "%{customdata:,} at %{x:.3g}<extra></extra>",
                "marker": _bar_marker(i),
            }
        )
    layout = _layout(x_label, y_label, 300) | {"barmode": "group", "bargap": 0.08}
    layout["xaxis"]["range"] = [edges[0], edges[-1]]
    return {"data": traces, "layout": layout}


def grouped_bars(groups: Sequence[str], series: Mapping[str, Sequence[float | None]], y_label: str) -> Figure:
    """One group of bars for each of `groups`; `series`: name -> its value in each."""
    traces = [
        {
            "type": "bar",
            "name": text(name),
            "x": list(range(len(groups))),
            "y": [value if _is_finite(value) else None for value in values],
            "hovertext": [text(group) for group in groups],
            "hovertemplate": "%{hovertext}: %{y:.4g}",
            "marker": _bar_marker(i),
        }
        for i, (name, values) in enumerate(series.items())
    ]
    layout = _layout("", y_label, 300) | {"barmode": "group"}
    layout["xaxis"] |= {"tickvals": list(range(len(groups))), "ticktext": [text(_short(group)) for group in groups]}
    return {"data": traces, "layout": layout}


def as_json(figure: Figure) -> str:
    return json.dumps(figure, separators=(",", ":"))


def library() -> str:
    """Where browsers get Plotly, under a name that changes when it does."""
    place = Path(str(importlib.util.find_spec("plotly").origin)).parent / SCRIPT  # type: ignore[union-attr]
    name = build_fingerprint(SCRIPT, importlib.metadata.version("plotly"), f"{int(place.stat().st_mtime)}")
    return f"{SUITES}plotly/{name}"


def graph(figure: Figure, label: str, has_tools: bool = True, **properties: Any) -> tags.Div:
    """The figure as a component, which `assets/charts.js` draws; `label` is what it shows, for those who do not see
    it. `has_tools`: buttons that zoom, move and save it."""
    told: dict[str, Any] = {"data-figure": as_json(figure), "data-tools": "all" if has_tools else "none"}
    return tags.Div(
        className="graph",
        role="img",
        style={"height": f"{figure['layout']['height']}px"},
        **parts.aria(label=label),
        **told,
        **properties,
    )


def _short(name: str) -> str:
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"


def _bar_marker(place: int) -> dict[str, Any]:
    colour = COLOURS[place % len(COLOURS)]
    pattern = {"shape": PATTERNS[place % len(PATTERNS)], "solidity": 0.35, "fgcolor": "#ffffff", "bgcolor": colour}
    return {"color": colour, "pattern": pattern, "line": {"color": colour, "width": 1}}


def _layout(x_label: str, y_label: str, height: int) -> dict[str, Any]:
    axis = {"gridcolor": "rgba(128,128,128,0.25)", "zeroline": False, "automargin": True, "fixedrange": False}
    axis["exponentformat"] = "e"  # not 400µ
    clear = "rgba(0,0,0,0)"
    return {
        "height": height,
        "margin": {"l": 48, "r": 12, "t": 8, "b": 40},
        "paper_bgcolor": clear,
        "plot_bgcolor": clear,
        "font": {"family": "system-ui, sans-serif", "size": 12},
        "showlegend": True,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 11}},
        "hoverlabel": {"namelength": -1},
        "xaxis": axis | {"title": {"text": text(x_label), "standoff": 6}},
        "yaxis": axis | {"title": {"text": text(y_label), "standoff": 6}},
    }


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
