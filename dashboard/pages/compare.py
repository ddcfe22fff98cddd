"""Runs of one task beside each other: metrics, what differs in their making, slices, curves, the same examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dash import html

from components.report.page import ReportData, plain
from dashboard import address, charts, parts, previews
from dashboard.address import Query
from dashboard.store import Run, Store
from trainer.preview.wording import number

MOST_RUNS = 6
MOST_SLICES = 20
"""In the chart; the table holds all."""

Pair = tuple[Run, ReportData]


def layout(store: Store, found: Query) -> Any:
    keys = list(dict.fromkeys(found.get("run", ())))[:MOST_RUNS]
    runs = [store.run(*key.split("/", 1)) for key in keys if "/" in key]
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
            _examples(pairs),
        ]
    )


def _name(place: int) -> str:
    return chr(ord("A") + place)


def _legend(runs: Sequence[Run]) -> Any:
    rows = [
        [
            html.B(_name(i)),
            parts.link(run.id, address.run(run.key)),
            parts.outcome(run.outcome),
            run.started.strftime("%Y-%m-%d %H:%M %Z") if run.started else "",
            number(round(run.seconds, 1)),
        ]
        for i, run in enumerate(runs)
    ]
    return parts.table(["", "Run", "Outcome", "Started", "Seconds"], rows, "Runs compared", numbers=(4,))


def _headings(pairs: Sequence[Pair], first: str) -> list[Any]:
    return [first, *(_name(i) for i in range(len(pairs)))]


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
        rows.append([name, *(_score(*pair, best) for pair in zip(values, limits, strict=True))])
    if not rows:
        return parts.section("metrics", "Metrics", parts.empty("None of these runs reached the Evaluator."))
    table = parts.table(_headings(pairs, "Metric"), rows, "Metrics", numbers=range(1, len(pairs) + 1))
    best_said = "★ is the best, where a gate says what is better."
    if not is_fair:
        best_said = "These runs read different data: their values cannot be compared, and no ★ says which is the best."
    note = f"{best_said} Below each value stands its interval at 95 %; those that overlap may differ by chance."
    return parts.section("metrics", "Metrics", table, note=note)


def _score(value: float | None, interval: Sequence[float] | None, best: float | None) -> Any:
    is_best = value is not None and value == best
    return html.Span([html.Span("★ ", className="good") if is_best else "", parts.with_limits(value, interval)])


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
    metric = pairs[0][0].key_metric
    values = [
        {entry["slice"]: entry["metrics"].get(metric) for entry in report.get("slices", [])} for _, report in pairs
    ]
    names = list(dict.fromkeys(name for one in values for name in one))
    if not names:
        return parts.section("slices", "Slices", parts.empty("These runs were judged as a whole."))
    names.sort(key=lambda name: -_spread([one.get(name) for one in values]))
    rows = [[name, *(number(one.get(name)) for one in values)] for name in names]
    shown = names[:MOST_SLICES]
    series = {f"{_name(i)}": [one.get(name) for name in shown] for i, one in enumerate(values)}
    chart = charts.graph(charts.grouped_bars(shown, series, metric), f"{metric} by slice")
    table = parts.table(_headings(pairs, "Slice"), rows, f"{metric} by slice", numbers=range(1, len(pairs) + 1))
    note = f"{metric}, those first in which the runs differ most."
    return parts.section("slices", "Slices", chart, parts.folded(f"All {len(names)} as a table", table), note=note)


def _spread(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return max(known) - min(known) if known else 0.0


def _curves(pairs: Sequence[Pair]) -> html.Section:
    names = dict.fromkeys(name for _, report in pairs for name in report.get("curves", {}))
    figures = []
    for name in names:
        series = {
            _name(i): list(enumerate(report["curves"][name], 1))
            for i, (_, report) in enumerate(pairs)
            if report.get("curves", {}).get(name)
        }
        said = f"{name.removeprefix('val_')}, held out" if name.startswith("val_") else f"{name}, training"
        figures.append(
            html.Figure([html.Figcaption(said), charts.graph(charts.lines(series, "round", by_one=True), said)])
        )
    if not figures:
        return parts.section("training", "Training", parts.empty("None of these runs trained."))
    return parts.section("training", "Training", html.Div(figures, className="charts"))


def _examples(pairs: Sequence[Pair]) -> html.Section:
    """The examples that all runs show, those first in which they do not agree."""
    shown = [{p["example"]: p for p in report.get("previews", []) if p.get("example")} for _, report in pairs]
    shared = [example for example in shown[0] if all(example in one for one in shown[1:])]
    if not shared:
        said = "These runs show no example in common: they read different data, or one has no report."
        return parts.section("examples", "The same examples", parts.empty(said))
    shared.sort(key=lambda example: len({_seen(one[example]) for one in shown}) == 1)
    rows = [
        html.Div(
            [
                previews.figure(one[example], run.key, f"{_name(i)} ")
                for i, (one, (run, _)) in enumerate(zip(shown, pairs, strict=True))
            ],
            className="beside",
        )
        for example in shared
    ]
    return parts.section("examples", "The same examples", *rows, note="Those first in which the runs do not agree.")


def _seen(preview: Mapping[str, Any]) -> tuple[Any, ...]:
    return preview["correct"], preview["title"]
