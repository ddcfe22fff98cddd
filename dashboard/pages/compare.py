"""Runs of one task beside each other: metrics, what differs in their making, slices, curves, the same examples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from dash import html

from components.report.page import ReportData, curve_lines, has_step_curves, plain
from dashboard import address, charts, parts, previews
from dashboard.address import Query
from dashboard.paging import Long, in_pages
from dashboard.sections import differences
from dashboard.store import NotThere, Run, Store
from trainer.preview.wording import number

MOST_RUNS = 6
MOST_SLICES = 20
"""In the chart; the table holds all."""
ROWS, CHARTS, EXAMPLES = 20, 6, 3
"""Of a table, of charts and of examples, so many are shown at once."""

Pair = tuple[Run, ReportData]


def layout(store: Store, found: Query) -> Any:
    runs = _runs(store, found)
    if len(runs) < 2 or len({run.task for run in runs}) > 1:
        said = "Choose two or more runs of one task in the table of runs."
        return html.Div([html.H1("Compare"), parts.empty(said, " ", parts.link("To the runs", "/"))])
    pairs = [(run, store.report(run)) for run in runs]
    return html.Div(
        [
            html.Header([html.H1(f"Compare: {pairs[0][1].get('title') or runs[0].task}"), _legend(runs)]),
            _metrics(pairs),
            _made_of(pairs),
            _slices(pairs),
            _curves(pairs),
            parts.guarded("Where they differ", lambda: differences.section(store, runs)),
            _examples(pairs),
        ]
    )


def _runs(store: Store, found: Query) -> list[Run]:
    keys = list(dict.fromkeys(found.get("run", ())))[:MOST_RUNS]
    return [store.run_of(key) for key in keys if "/" in key]


def long_list(store: Store, found: Query, name: str) -> Long:
    """A list of the comparison that is shown in pages. Raises NotThere or Damaged."""
    lists: dict[str, Callable[[Sequence[Pair]], Long]] = {
        "slices": _slice_rows,
        "training": _curve_charts,
        "examples": _shared,
        "differences": lambda pairs: differences.rows(store, [run for run, _ in pairs]),
    }
    pairs = [(run, store.report(run)) for run in _runs(store, found)]
    if name not in lists or not pairs:
        raise NotThere(name)
    return lists[name](pairs)


def _legend(runs: Sequence[Run]) -> Any:
    rows = [
        [
            html.B(parts.letter(i)),
            parts.link(run.id, address.run(run.key)),
            parts.outcome(run.outcome),
            run.started.strftime("%Y-%m-%d %H:%M %Z") if run.started else "",
            number(round(run.seconds, 1)),
        ]
        for i, run in enumerate(runs)
    ]
    return parts.table(["", "Run", "Outcome", "Started", "Seconds"], rows, "Runs compared", numbers=(4,))


def _headings(pairs: Sequence[Pair], first: str) -> list[Any]:
    return [first, *(parts.letter(i) for i in range(len(pairs)))]


def _metrics(pairs: Sequence[Pair]) -> html.Section:
    ways = {gate["metric"]: gate["higher_is_better"] for _, report in pairs for gate in report.get("gates", [])}
    ways = {run.key_metric: run.higher_is_better for run, _ in pairs} | ways
    is_fair = len({run.data.get("fingerprint") for run, _ in pairs}) == 1
    rows = []
    for name in dict.fromkeys(name for run, _ in pairs for name in run.metrics):
        values = [run.metrics.get(name) for run, _ in pairs]
        known = [value for value in values if value is not None]
        best = (max if ways[name] else min)(known) if is_fair and name in ways and len(set(known)) > 1 else None
        limits = [run.intervals.get(name) for run, _ in pairs]
        found = list(zip(values, limits, strict=True))
        first = found[0] if is_fair else (None, None)
        apart = ["", *(_apart(first, other) for other in found[1:])]
        rows.append([name, *(_score(*one, best, said) for one, said in zip(found, apart, strict=True))])
    if not rows:
        return parts.section("metrics", "Metrics", parts.empty("None of these runs reached the Evaluator."))
    table = parts.table(_headings(pairs, "Metric"), rows, "Metrics", numbers=range(1, len(pairs) + 1))
    if not is_fair:
        warning = "! These runs read different data: their values cannot be compared."
        said = html.Div(warning, className="empty bad", role="note")
        return parts.section("metrics", "Metrics", said, table, note="Below each value stands its interval at 95 %.")
    note = (
        "★ is the best, where a gate says what is better. Below each value stand its interval at 95 % and its distance "
        "from A's, whose sampling error is that of runs judged on samples of their own: on the same examples it is "
        "usually smaller."
    )
    return parts.section("metrics", "Metrics", table, note=note)


Judged = tuple[float | None, Sequence[float] | None]
"""A value and its interval."""


def _apart(first: Judged, other: Judged) -> str:
    """How far a value lies from the first run's, and whether by more than chance; nothing where one is missing."""
    (before, around_before), (after, around_after) = first, other
    if before is None or after is None:
        return ""
    difference = after - before
    said = f"{'−' if difference < 0 else '+'}{number(abs(difference))}"
    if not around_before or not around_after:
        return f"{said} from A"
    error = math.hypot(*((high - low) / 2 for low, high in (around_before, around_after)))
    return f"{said} ± {number(error)} from A{'' if abs(difference) > error else ', maybe chance'}"


def _score(value: float | None, interval: Sequence[float] | None, best: float | None, apart: str) -> Any:
    is_best = value is not None and value == best
    star = html.Span("★ ", className="good") if is_best else ""
    return html.Span([star, parts.with_limits(value, interval), html.Div(apart, className="soft apart")])


def _made_of(pairs: Sequence[Pair]) -> html.Section:
    """What differs in data, code, settings, hyper-parameters and versions."""
    made = [dict(_ingredients(report)) for _, report in pairs]
    names = dict.fromkeys(name for one in made for name in one)
    differing = [name for name in names if len({one.get(name) for one in made}) > 1]
    rows = [[name, *(html.Code(one.get(name, "–")) for one in made)] for name in differing]
    same = len(names) - len(differing)
    if not rows:
        return parts.section("made-of", "What differs", parts.empty(f"Nothing of the {same} things that are recorded."))
    table = parts.table(_headings(pairs, "Of these"), rows, "What differs")
    return parts.section("made-of", "What differs", table, note=f"{same} others are the same.")


def _ingredients(report: ReportData) -> Iterator[tuple[str, str]]:
    yield from ((f"data {name}", said) for name, said in report.get("data", {}).items())
    yield "code digest", report.get("code_digest", "")
    settings = {name: value for name, value in report.get("settings", {}).items() if name not in ("task", "workspace")}
    for kind, values in (("", report.get("hparams", {})), ("setting ", settings), ("", report.get("versions", {}))):
        yield from ((f"{kind}{name}", plain(value)) for name, value in values.items())


def _slices(pairs: Sequence[Pair]) -> html.Section:
    metric, rows = pairs[0][0].key_metric, _slice_rows(pairs)
    if not rows.rows:
        return parts.section("slices", "Slices", parts.empty("These runs were judged as a whole."))
    shown = rows.rows[:MOST_SLICES]
    series = {parts.letter(i): [values[i] for _, values in shown] for i in range(len(pairs))}
    chart = charts.graph(charts.grouped_bars([name for name, _ in shown], series, metric), f"{metric} by slice")
    note = f"{metric}, those first in which the runs differ most."
    table = parts.folded(f"All {len(rows.rows)} as a table", in_pages("slices", rows))
    return parts.section("slices", "Slices", chart, table, note=note)


def _slice_rows(pairs: Sequence[Pair]) -> Long:
    """Each slice with its value in each run, None where a run lacks it."""
    metric = pairs[0][0].key_metric
    found = [
        {entry["slice"]: entry["metrics"].get(metric) for entry in report.get("slices", [])} for _, report in pairs
    ]
    rows = [(name, [one.get(name) for one in found]) for name in dict.fromkeys(name for one in found for name in one)]

    def table(shown: Sequence[tuple[str, Sequence[float | None]]]) -> Any:
        cells = [[name, *map(number, values)] for name, values in shown]
        return parts.table(_headings(pairs, "Slice"), cells, f"{metric} by slice", numbers=range(1, len(pairs) + 1))

    return Long(sorted(rows, key=lambda row: -_spread(row[1])), table, ROWS, "slices")


def _spread(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return max(known) - min(known) if known else 0.0


def _curves(pairs: Sequence[Pair]) -> html.Section:
    drawn = _curve_charts(pairs)
    if not drawn.rows:
        return parts.section("training", "Training", parts.empty("None of these runs trained."))
    return parts.section("training", "Training", charts.curve_choice(_are_by_step(pairs)), in_pages("training", drawn))


def _are_by_step(pairs: Sequence[Pair]) -> bool:
    """One axis holds steps or rounds: by round, which all know, where an older run is among those that trained."""
    return all(has_step_curves(report) for _, report in pairs if report.get("curves"))


def _curve_charts(pairs: Sequence[Pair]) -> Long:
    """One for each quantity in training, and one for it on held-out examples."""
    by_step = _are_by_step(pairs)
    all_lines = [curve_lines(report, by_step) for _, report in pairs]

    def figure(which: tuple[str, str]) -> html.Figure:
        name, who = which
        series = {parts.letter(i): lines[name][who] for i, lines in enumerate(all_lines) if who in lines.get(name, {})}
        is_smooth = who == "training" and charts.is_noisy(name)
        drawn = charts.curves(series, smooth=[is_smooth] * len(series))
        return html.Figure([html.Figcaption(f"{name}, {who}"), charts.graph(drawn, f"{name}, {who}")])

    known = dict.fromkeys((name, who) for lines in all_lines for name in lines for who in lines[name])
    return Long(list(known), lambda some: html.Div([*map(figure, some)], className="charts"), CHARTS, "curves")


def _examples(pairs: Sequence[Pair]) -> html.Section:
    shared = _shared(pairs)
    if not shared.rows:
        said = "These runs show no example in common: they read different data, or one has no report."
        return parts.section("examples", "The same examples", parts.empty(said))
    note = "Those first in which the runs do not agree."
    return parts.section("examples", "The same examples", in_pages("examples", shared), note=note)


def _shared(pairs: Sequence[Pair]) -> Long:
    """The examples that all runs show, those first in which they do not agree."""
    shown = [{p["example"]: p for p in report.get("previews", []) if p.get("example")} for _, report in pairs]
    shared = [example for example in shown[0] if all(example in one for one in shown[1:])]
    shared.sort(key=lambda example: len({_seen(one[example]) for one in shown}) == 1)

    def beside(example: str) -> html.Div:
        seen = [
            previews.figure(one[example], previews.of_run(run.key), f"{parts.letter(i)} ")
            for i, (one, (run, _)) in enumerate(zip(shown, pairs, strict=True))
        ]
        return html.Div(seen, className="beside")

    return Long(shared, lambda some: html.Div([*map(beside, some)]), EXAMPLES, "examples")


def _seen(preview: Mapping[str, Any]) -> tuple[Any, ...]:
    return preview["correct"], preview["title"]
