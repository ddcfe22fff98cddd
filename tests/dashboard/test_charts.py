"""Figures as Plotly is given them: no number that is none, no text that it would read as tags."""

from __future__ import annotations

import json
import math

from dashboard import charts
from tests.dashboard.stores import HOSTILE

ESCAPED = "&lt;script&gt;document.title='stolen'&lt;/script&gt;"


def test_what_is_not_finite_leaves_a_gap_and_few_points_are_marked() -> None:
    points = [(0, 1.0), (1, math.nan), (2, None), (3, math.inf), (4, 2.0)]
    few, many = charts.lines({"few": points, "many": [(i, 1.0) for i in range(13)]})["data"]
    assert few["y"] == [1.0, None, None, None, 2.0] and few["x"] == [0, 1, 2, 3, 4]
    assert (few["mode"], many["mode"]) == ("lines+markers", "lines")


def test_lines_differ_in_more_than_their_colour() -> None:
    traces = charts.lines({str(i): [(0, 1.0)] for i in range(6)})["data"]
    for look in ("color", "dash"):
        assert len({trace["line"][look] for trace in traces}) == 6
    assert len({trace["marker"]["symbol"] for trace in traces}) == 6
    bars = charts.grouped_bars(["a"], {str(i): [1.0] for i in range(6)}, "share")["data"]
    assert len({trace["marker"]["pattern"]["shape"] for trace in bars}) == 6


def test_a_hatched_bar_is_filled_with_its_colour() -> None:
    _, second = charts.histogram([0.0, 1.0], {"a": [1], "b": [1]}, "", "")["data"]
    assert second["marker"]["pattern"]["shape"] and second["marker"]["pattern"]["bgcolor"] == charts.COLOURS[1]


def test_counted_x_has_whole_and_few_ticks() -> None:
    def step(rounds: int) -> int:
        figure = charts.lines({"loss": [(i, 1.0) for i in range(rounds)]}, by_one=True)
        return int(figure["layout"]["xaxis"]["dtick"])

    assert [step(rounds) for rounds in (0, 3, 10, 11, 200)] == [1, 1, 1, 2, 20]


def test_a_histogram_shows_shares_in_the_middle_of_each_stretch() -> None:
    few, none = charts.histogram([0.0, 2.0, 4.0], {"few": [1, 3], "none": [0, 0]}, "x", "share")["data"]
    assert few["x"] == [1.0, 3.0] and few["y"] == [0.25, 0.75] and few["customdata"] == [1, 3]
    assert none["y"] == [0, 0] and few["name"] == "few (4)"


def test_long_names_are_cut_at_the_axis_and_whole_where_one_points() -> None:
    figure = charts.grouped_bars(["a" * 40], {"share": [math.nan]}, "")
    [short] = figure["layout"]["xaxis"]["ticktext"]
    assert len(short) == charts.MOST_LETTERS and short.endswith("…")
    assert figure["data"][0]["hovertext"] == ["a" * 40] and figure["data"][0]["y"] == [None]


def test_texts_of_data_are_no_tags() -> None:
    for figure in (
        charts.lines({HOSTILE: [(0, 1.0)]}, HOSTILE, HOSTILE),
        charts.histogram([0.0, 1.0], {HOSTILE: [1]}, HOSTILE, HOSTILE),
        charts.grouped_bars([HOSTILE], {HOSTILE: [1.0]}, HOSTILE),
    ):
        written = charts.as_json(figure)
        assert "<script" not in written and ESCAPED in written and json.loads(written) == figure
