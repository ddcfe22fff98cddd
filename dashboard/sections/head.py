"""The top of a run's page: what it came to in words, what went wrong, how far it is."""

from __future__ import annotations

from typing import Any

from dash import html

from components.report import page as report_page
from components.report.page import ReportData
from dashboard import address, parts
from dashboard.store import Run, Store
from pipelines.console.progress import in_words, seconds_left
from pipelines.records.workspace import named
from trainer.preview.wording import number


def head(store: Store, run: Run, report: ReportData) -> html.Header:
    questions = list(map(str, report.get("questions", [])))
    asked = f"question{'s' if len(questions) > 1 else ''} {', '.join(questions)}" if questions else ""
    started = run.started.strftime("%-d %B %Y, %H:%M %Z") if run.started else ""
    about = [run.notes.get("name", ""), run.task, asked, f"run {run.id}", started, _took(run)]
    tone = parts.TONES.get(run.outcome, "soft")
    verdict = html.Div(
        [
            html.Span(parts.SIGNS.get(run.outcome, "?"), className="mark", **parts.aria(hidden="true")),
            html.Div([html.Strong(run.outcome.capitalize(), id="outcome"), html.P(_why(run))]),
        ],
        className=f"verdict {tone}",
        role="status",
    )
    return html.Header(
        [
            html.H1(report.get("title") or run.task),
            html.P(" · ".join(part for part in about if part), className="soft"),
            verdict,
            html.P(_next(store, run), className="next"),
        ]
    )


def _took(run: Run) -> str:
    return f"{run.seconds:,.1f} s" if run.seconds else ""


def _why(run: Run) -> str:
    if run.error.get("message"):
        return run.error["message"].splitlines()[0].rstrip(":")
    at_node = f"Node {len(run.nodes)} of {run.nodes_total}: {run.nodes[-1]['id']}." if run.nodes else "It has begun."
    return {
        "running": at_node,
        "stopped": "The run ended without a word: it was killed, or its machine went down.",
    }.get(run.state, report_page.without_mark(run.verdict) or "The run ended before its model was judged.")


def _next(store: Store, run: Run) -> list[Any]:
    if run.state == "unreadable":
        return ["What it came to cannot be told. What it pushed, if anything, is among the models."]
    same = html.Code(run.command or f"benison run {run.task}{named(store.root)}")
    if run.pushed:
        return ["Pushed as version ", parts.link(run.pushed, address.models(run.task)), ", which can be tried there."]
    if run.is_running:
        return ["This page follows the run."]
    if run.outcome == "not blessed":
        return ["Nothing was pushed: the version served before, if any, stays served."]
    return ["Nothing was pushed. Next: ", same, ", which keeps the nodes that have finished."]


def failure(run: Run) -> html.Section:
    node = next((node["id"] for node in run.nodes if node["state"] == "failed"), "")
    heading = "What cannot be read" if run.state == "unreadable" else f"What went wrong{f' in {node}' if node else ''}"
    return parts.section(
        "failure",
        heading,
        html.Pre(run.error.get("message", ""), className="text", tabIndex=0),
        *([html.P([html.B("What to do: "), run.error["fix"]])] if run.error.get("fix") else []),
    )


def progress(run: Run) -> html.Section:
    said = {
        "rows": "rows read",
        "step": "step",
        "steps_total": "of steps",
        "steps_per_second": "steps a second",
        "loss": "loss",
    }
    known = [(words, number(run.progress[name])) for name, words in said.items() if name in run.progress]
    left = seconds_left(dict(run.progress), 0.0, None) if run.progress.get("steps_total") else None
    known += [("time", in_words(left).strip())] if left is not None else []
    step, total = run.progress.get("step"), run.progress.get("steps_total")
    bar = [parts.bar(100 * step / total, f"step {step} of {total}")] if step and total else []
    if not known:
        return parts.section("progress", "Now", parts.empty("The node that runs tells nothing of its progress."))
    return parts.section("progress", "Now", parts.tiles(known), *bar)
