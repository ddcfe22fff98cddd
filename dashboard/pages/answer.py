"""One answer of a run: what it was worth, and its preview, as the report kept it or as the model makes it now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, dcc, html, no_update

from dashboard import address, parts, previews
from dashboard import answers as table_of
from dashboard.store import Damaged, NotThere, Run, Store
from dashboard.try_it import Refused, Trial
from trainer.preview.wording import number


def layout(store: Store, task: str, run_id: str, example: str) -> Any:
    run = store.run(task, run_id)
    row = _row(store, run, example)
    report, _ = store.readable_report(run)
    kept = [preview for preview in report.get("previews", []) if preview.get("example") == example]
    known = report.get("answers")
    about = {
        "Example": row["asked"],
        "Truth": row["truth"],
        "Answer": row["answer"],
        "Verdict": " ".join(parts.JUDGED[row["correct"]][:2]).strip() or "neither right nor wrong",
        "Confidence": number(row["confidence"]),
        "Loss": f"{number(row['loss'])} ({known['loss']})" if known and row["loss"] is not None else "",
        "Slices": ", ".join(table_of.slice_of(row)),
    }
    return html.Div(
        [
            html.Header(
                [
                    html.H1(f"Example {row['place']:,}"),
                    html.P(
                        [
                            f"{report.get('title') or task} · run ",
                            parts.link(run_id, address.run(run.key)),
                            " · ",
                            parts.link("all answers", address.answers(run.key)),
                        ],
                        className="soft",
                    ),
                ]
            ),
            parts.section("answer", "Answer", parts.terms((name, said) for name, said in about.items() if said)),
            parts.section("preview", "Preview", *(_kept(run, kept[0]) if kept else _to_be_asked(run, example))),
        ]
    )


def _row(store: Store, run: Run, example: str) -> Mapping[str, Any]:
    """Raises NotThere or Damaged."""
    table = table_of.read(store, run)
    row = None if table is None else table_of.row_of(table, example)
    if row is None:
        raise NotThere(f"example {example} among the answers of {run.key}")
    return row


def _kept(run: Run, preview: Mapping[str, Any]) -> list[Any]:
    note = html.P("As the report kept it.", className="note")
    return [note, previews.grid([preview], previews.of_run(run.key))]


def _to_be_asked(run: Run, example: str) -> list[Any]:
    return [
        html.P("The example as the run read it, answered anew by the model that the run pushed.", className="note"),
        html.Div("The model is being asked …", id="answer-preview", role="status"),
        html.P(html.Button("Ask again", id="answer-again", type="button", className="button")),
        dcc.Store(id="answer-asked", data=[run.key, example]),
    ]


def register(app: Dash, store: Store, trial: Trial) -> None:
    @app.callback(
        Output("answer-preview", "children"),
        Input("answer-asked", "data"),
        Input("answer-again", "n_clicks"),
        running=[(Output("answer-again", "disabled"), True, False)],
    )
    def show(asked: list[str], _: int | None) -> Any:
        if not asked:
            return no_update
        try:
            run = store.run_of(asked[0])
            row = _row(store, run, asked[1])
            answer = trial.show(store, run, row["place"], asked[1])
        except (Refused, NotThere, Damaged) as refused:
            return parts.empty("There is no preview. ", str(refused))
        return previews.grid([answer.preview], answer.shown.__getitem__)
