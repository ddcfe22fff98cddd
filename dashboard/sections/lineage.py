"""What a run's model was made of: hyper-parameters, settings, digests, artifacts."""

from __future__ import annotations

from typing import Any

from dash import html

from components.report.page import ReportData, plain
from dashboard import address, parts
from dashboard.paging import ROWS, Long, in_pages
from dashboard.store import Run, Store


def section(store: Store, run: Run, report: ReportData) -> html.Section:
    fingerprint = report.get("data", {}).get("fingerprint")
    digests = [("code digest", report.get("code_digest")), ("data fingerprint", fingerprint)]
    made_of = [(name, html.Code(said) if said else "not recorded") for name, said in digests]
    versions = list(report.get("versions", {}).items())
    hparams = [(name, plain(value)) for name, value in report.get("hparams", {}).items()]
    settings = parts.or_damage(lambda: _settings(store, run))
    cards = [
        html.Div([html.H3("Hyper-parameters"), parts.terms(hparams) if hparams else html.P("Not recorded.")]),
        html.Div([html.H3("Settings, for --config"), settings]),
        html.Div([html.H3("Code, data and versions"), parts.terms([*made_of, *versions])]),
    ]
    note = "Equal data, code and settings make an equal run, which is then answered from disk."
    graph = [html.H3("Artifacts"), parts.or_damage(lambda: _artifacts(store, run))]
    made_by = html.Div(cards, className="cards thirds")
    return parts.section("lineage", "What made this model", made_by, *graph, note=note)


def _settings(store: Store, run: Run) -> Any:
    said = store.settings(run)
    return parts.command(said) if said else html.P("Not recorded.")


def _artifacts(store: Store, run: Run) -> Any:
    if store.is_busy(run.task):  # a reader of the metadata store can be in a writer's way
        return parts.empty("They are listed when the run that goes on has ended.")
    made = artifacts(store, run)
    return in_pages("artifacts", made) if made.rows else parts.empty("The metadata store knows of none.")


def artifacts(store: Store, run: Run) -> Long:
    rows = []
    for step in store.lineage(run):
        taken = ", ".join(f"{name} #{artifact.id}" for name, artifact in step.inputs) or "–"
        for name, artifact in step.outputs:
            own = artifact.made_by in ("", run.id)
            maker = "this run" if own else parts.link(artifact.made_by, address.run(f"{run.task}/{artifact.made_by}"))
            rows.append([f"#{artifact.id} {name}", artifact.kind, step.node, maker, taken, html.Code(artifact.place)])
    headings = ["Artifact", "Type", "Node", "Made by", "From", "Lies in"]
    return Long(rows, lambda some: parts.table(headings, some, "Artifacts"), 2 * ROWS, "artifacts")
