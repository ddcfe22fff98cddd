"""`benison data`: the catalogue of default data sets, and a look at a folder of one's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.commands.options import Json, Overrides, TaskName, load_task
from pipelines.commands.output import print_json, print_table
from pipelines.records.run_result import EXIT_BLESSED, EXIT_DATA_REFUSED

app = typer.Typer(help="Default data sets, and a look at your own.", rich_markup_mode=None)


@app.command("list")
def data_list(json_output: Json = False) -> None:
    """The catalogue: what each set of data and each asset of a task is, whose it is, and whether it is here."""
    from data.sources import assets, catalogue

    rows = [_data_row(catalogue, name) for name in catalogue.names()]
    rows += [_asset_row(assets, name) for name in assets.ASSETS.names()]
    if json_output:
        print_json(rows)
    else:
        print_table(rows, {"size_mb": "MB"})


@app.command("prepare")
def data_prepare(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Fetch a set or an asset of the catalogue, lay it out as a folder or a file, and print where."""
    from data.sources import assets, catalogue

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    is_asset = name in assets.ASSETS.names()
    print(assets.prepare(name, progress=say) if is_asset else catalogue.prepare(name, progress=say).root)


@app.command("check")
def data_check(
    task: TaskName,
    folder: Annotated[Path, typer.Argument(metavar="DIR")],
    overrides: Overrides = None,
    json_output: Json = False,
) -> None:
    """Read a folder as a run of TASK would, and say what is wrong with it; exit 4 if a run would refuse it."""
    from data.folders.check import check
    from data.folders.verdict import Bounds
    from pipelines import settings

    task_class = load_task(task)
    hparams, options = settings.apply_overrides(task_class.HParams, settings.parse_overrides(overrides or []))
    found = check(
        folder,
        task_class.columns,
        split_by=options.split_by or task_class.split_by,
        names=task_class(hparams).column_names(),
        targets=task_class.targets,
        refuse=task_class.refuse,
        asked_once=task_class.asked_once,
        bounds=Bounds(options.max_quarantined, options.max_skew),
    )
    if json_output:
        print_json(found.to_json())
    else:
        print(found.text())
    raise typer.Exit(EXIT_BLESSED if found.ok else EXIT_DATA_REFUSED)


def _data_row(catalogue: Any, name: str) -> dict[str, Any]:
    here = catalogue.cached(name)
    place = {"examples": dict(here.examples), "cached": str(here.root)} if here else {"examples": None, "cached": None}
    return _row(catalogue.get(name), "data set") | place


def _asset_row(assets: Any, name: str) -> dict[str, Any]:
    here = assets.cached(name)
    return _row(assets.ASSETS.get(name), "asset") | {"examples": None, "cached": str(here) if here else None}


def _row(entry: Any, kind: str) -> dict[str, Any]:
    return {
        "name": entry.name,
        "kind": kind,
        "title": entry.title,
        "size_mb": round(sum(source.size_bytes for source in entry.sources[0]) / 1e6, 1),
        "sources": " or ".join(" + ".join(map(str, archives)) for archives in entry.sources),
        "licence": entry.licence,
        "credit": entry.credit,
    }
