"""The command line. Nothing heavy is imported before a command needs it: `benison --help` answers at once."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.errors import BenisonError, WrongUse

if TYPE_CHECKING:
    from pipelines.progress import Listener
    from pipelines.result import RunResult
    from pipelines.settings import RunSettings

app = typer.Typer(
    name="benison",
    help="A folder of data in, a blessed and pushed model out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(help="Default data sets, and a look at your own.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")

ROOT = Path(__file__).resolve().parents[1]
SEVERITY = (0, 3, 4, 1, 2)
"""Exit codes from best to worst: what several runs together end with."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value on standard output and nothing else.")]
Workspace = Annotated[
    Path, typer.Option("--workspace", envvar="BENISON_WORKSPACE", help="Where runs and models are kept.")
]
TaskName = Annotated[str, typer.Argument(metavar="TASK")]
DEFAULT_WORKSPACE = Path("workspace")


@app.command()
def tasks(json_output: Json = False, workspace: Workspace = DEFAULT_WORKSPACE) -> None:
    """Every task: question, data, metric, gate and last score."""
    rows = [_task_row(name, workspace) for name in _task_names()]
    if json_output:
        _print_json(rows)
        return
    _table(rows, {"task": "task", "title": "title", "questions": "Q", "modality": "modality", "data": "data"} | {
        "metric": "metric", "gate": "gate", "last": "last score"})


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(metavar="TASK...")] = None,
    all_tasks: Annotated[bool, typer.Option("--all", help="Run every task.")] = False,
    data: Annotated[
        str | None, typer.Option("--data", metavar="D", help="A folder, a catalogue name or tfds:NAME.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A hyper-parameter or limit; may be repeated.")
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="At most so many training steps.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many records of each split.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Training processes.")] = None,
    from_node: Annotated[str | None, typer.Option("--from", metavar="NODE", help="Run this node and all after it anew.")] = None,
    to_node: Annotated[str | None, typer.Option("--to", metavar="NODE", help="Stop after this node.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Answer nothing from what is on disk.")] = False,
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings as YAML.")] = None,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", envvar="BENISON_WORKSPACE", help="Where runs and models are kept.")
    ] = None,
    json_output: Json = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Copy the full log to standard error.")] = False,
) -> None:
    """Run a task's pipeline: ingest, validate, transform, train, evaluate, report, push."""
    from pipelines import settings

    with _errors(json_output, verbose):
        stored = settings.read_config(config) if config else {}
        chosen = names or ([stored["task"]] if "task" in stored else [])
        if all_tasks == bool(chosen):
            raise WrongUse("name the tasks to run, or give --all", f"tasks: {', '.join(_task_names())}")
        given = {
            "data": data,
            "overrides": settings.parse_overrides(overrides or []),
            "steps": steps,
            "limit": limit,
            "workers": workers,
            "from_node": from_node,
            "to_node": to_node,
            "fresh": fresh or None,
            "workspace": workspace,
        }
        planned = [settings.merge(stored, given | {"task": name}) for name in chosen or _task_names()]
        _check(planned)
        results = [_run_one(one, json_output, verbose) for one in planned]
        if json_output:
            _print_json(results[0] if len(results) == 1 else results)
    raise typer.Exit(max((result["exit"] for result in results), key=SEVERITY.index))


@app.command()
def predict(
    task: TaskName,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...")],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Where pictures go.")] = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
    json_output: Json = False,
    verbose: Annotated[bool, typer.Option("--verbose")] = False,
) -> None:
    """Ask the pushed model, after its digests were verified."""
    from pipelines import logs
    from pipelines.predict import predict as ask
    from pipelines.workspace import task_space

    with _errors(json_output, verbose):
        _load(task)
        space = task_space(workspace, task)
        target = output or (None if json_output else space.predictions)
        out = logs.terminal(sys.stdout)
        with logs.captured(space.root / "predict.log", verbose):
            answers = ask(task, files, space.serving, target)
        if json_output:
            _print_json(answers)
            return
        for answer in answers:
            out.write(_answer_line(answer) + "\n")
        if target:
            out.write(f"pictures: {target}\n")
        out.flush()


@app.command()
def report(
    task: TaskName,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.html", help="Where the page goes.")],
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Write the last run's report as one self-contained page."""
    import shutil

    from pipelines.workspace import task_space

    with _errors(False, False):
        _load(task)
        last = task_space(workspace, task).last_run
        page = Path(last["result"]["places"].get("report", "")) if last else Path()
        if not page.is_file():
            raise BenisonError(f"{task} has no finished run in {workspace}", f"benison run {task}")
        output.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page, output)
        print(output)


@data_app.command("list")
def data_list(json_output: Json = False) -> None:
    """The catalogue: what each set is, whose it is, and whether it is here."""
    from data import catalogue

    rows = [_data_row(catalogue, name) for name in catalogue.names()]
    if json_output:
        _print_json(rows)
        return
    _table(rows, {name: name for name in ("name", "title", "licence", "credit", "sources", "MB", "here")})


@data_app.command("prepare")
def data_prepare(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Fetch a set of the catalogue and lay it out as a folder."""
    from data import catalogue

    with _errors(False, False):
        prepared = catalogue.prepare(name, progress=lambda text: print(text, file=sys.stderr))
        print(prepared.root)


@data_app.command("check")
def data_check(
    task: TaskName, folder: Annotated[Path, typer.Argument(metavar="DIR")], json_output: Json = False
) -> None:
    """Read a folder as a run of TASK would, and say what is wrong with it."""
    from data.check import check

    with _errors(json_output, False):
        found = check(folder, _load(task).columns)
        if json_output:
            _print_json(found.to_json())
        else:
            print(found.text())
    raise typer.Exit(0 if found.ok else 4)


@app.command("new-task")
def new_task(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Write a new task's file, which passes the contract's tests as it stands."""
    from pipelines.new_task import create

    with _errors(False, False):
        path = create(name)
        print(f"{path}\nnext: benison run {name}   then change what it reads, builds and measures")


@app.command()
def doctor(json_output: Json = False) -> None:
    """Versions, cores, memory, GPUs and data clients, each with its fix."""
    from dataclasses import asdict

    from pipelines.doctor import checks

    found = checks()
    if json_output:
        _print_json([asdict(check) for check in found])
    else:
        _table([asdict(check) for check in found], {"state": "", "name": "what", "found": "found", "fix": "fix"})
    raise typer.Exit(1 if any(check.state == "missing" for check in found) else 0)


def main() -> None:
    """Entry point of the console script."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    app()


def _check(planned: list[RunSettings]) -> None:
    """Refuses a misspelt task or setting of any run before the first one starts."""
    from pipelines.settings import apply_overrides

    for settings in planned:
        apply_overrides(_load(settings.task).HParams, settings.overrides)


def _run_one(settings: RunSettings, json_output: bool, verbose: bool) -> dict[str, Any]:
    from pipelines.run import run as run_task

    listener = _listener(json_output)
    try:
        result = run_task(settings, listener, verbose)
        if not json_output:
            listener.message(_closing(result))
    finally:
        listener.close()
    return result.to_json()


def _listener(json_output: bool) -> Listener:
    from pipelines import logs, progress

    if json_output:
        return progress.Listener()
    stream = logs.terminal(sys.stdout)
    return progress.Live(stream) if sys.stdout.isatty() else progress.Plain(stream)


def _closing(result: RunResult) -> str:
    """The closing table: gates, references, examples, where everything lies, what to do next."""
    mark = {True: "BLESSED", False: "NOT BLESSED", None: "DONE"}[result.blessed]
    counts = result.examples
    lines = ["", f"{mark}  {result.task}  {result.verdict}".rstrip()]
    for name, value in result.metrics.items():
        others = [f"{who} {scores[name]:.4g}" for who, scores in _compared(result).items() if name in scores]
        lines.append(f"  {name:<16} {value:<10.4g} {'; '.join(others)}".rstrip())
    for gate in result.gates:
        where = f" [{gate['slice']}]" if gate["slice"] else ""
        sign = "≥" if gate["higher_is_better"] else "≤"
        held = "pass" if gate["passed"] else "FAIL"
        lines.append(f"  {held}  {gate['metric']}{where} {gate['value']:.4g} {sign} {gate['bound']:.4g} ({gate['bound_from']})")
    lines.append(f"  examples         train {counts['train']}, eval {counts['eval']}, quarantined {counts['quarantined']}")
    lines += [f"  {name:<16} {place}" for name, place in result.places.items()]
    lines.append(f"  time             {result.seconds:.1f} s, peak memory {result.peak_rss_mb:.0f} MB")
    if result.pushed:
        lines.append(f"next: benison predict {result.task} FILE...   or open the report")
    elif result.blessed is False:
        lines.append("next: open the report to see which examples are wrong; the model served before stays served")
    return "\n".join(lines)


def _compared(result: RunResult) -> dict[str, dict[str, float]]:
    return {**result.reference, **({"last blessed": result.baseline} if result.baseline else {})}


@contextmanager
def _errors(json_output: bool, verbose: bool) -> Iterator[None]:
    """Turns what went wrong into words and an exit code; a traceback goes to the log, or with --verbose to stderr."""
    try:
        yield
    except (typer.Exit, typer.Abort, SystemExit):
        raise
    except KeyboardInterrupt as error:
        _fail("interrupted", _RESUME, 1, json_output, error)
    except BenisonError as error:
        _fail(error.message, error.fix, error.exit_code, json_output, error)
    except Exception as error:
        if verbose:
            traceback.print_exc()
        _fail(_own_frame(error), _DEFECT, 1, json_output, error)


_RESUME = "run the same command again: finished nodes are kept, and training goes on from its last backup"
_DEFECT = "see the log, or run again with --verbose; if the task's file is not at fault, this is a defect of Benison"


def _fail(message: str, fix: str, code: int, json_output: bool, error: BaseException) -> None:
    log = getattr(error, "benison_log", "")
    if log:
        with open(log, "a", encoding="utf-8") as file:
            file.write("".join(traceback.format_exception(error)))
    if json_output:
        _print_json({"error": message, "fix": fix, "exit": code, "log": log})
    else:
        where = f"\nlog: {log}" if log else ""
        print(f"error: {message}" + (f"\n  -> {fix}" if fix else "") + where, file=sys.stderr)
    raise typer.Exit(code)


def _own_frame(error: BaseException) -> str:
    """The exception and the last frame of this project's code that it went through, preferring a task's."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(ROOT)]
    own = [f for f in frames if ".venv" not in f.filename]
    chosen = [f for f in own if "trainer/tasks/" in f.filename] or own
    where = f" ({os.path.relpath(chosen[-1].filename, ROOT)}:{chosen[-1].lineno} in {chosen[-1].name})" if chosen else ""
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no message'}{where}"


def _task_names() -> list[str]:
    from trainer.task import task_names

    return task_names()


def _load(name: str) -> Any:
    from trainer.task import load

    return load(name)


def _task_row(name: str, workspace: Path) -> dict[str, Any]:
    from pipelines.workspace import task_space

    task = _load(name)
    evaluation = task(task.HParams()).metrics()
    last = task_space(workspace, name).last_run
    metric = evaluation.gates[0].metric
    score = last["result"]["metrics"].get(metric) if last else None
    blessed = last["result"]["blessed"] if last else None
    return {
        "task": name,
        "title": task.title,
        "questions": ", ".join(str(question) for question in task.questions),
        "modality": task.modality,
        "data": task.data,
        "metric": metric,
        "gate": "; ".join(str(gate) for gate in evaluation.gates),
        "last": None if score is None else f"{score:.4g} {'blessed' if blessed else 'not blessed'}",
    }


def _data_row(catalogue: Any, name: str) -> dict[str, Any]:
    entry, here = catalogue.get(name), catalogue.cached(name)
    return {
        "name": name,
        "title": entry.title,
        "licence": entry.licence,
        "credit": entry.credit,
        "sources": ", ".join(f"{source.client}:{source.package}" for source in entry.sources),
        "MB": round(entry.sources[0].size_bytes / 1e6, 1),
        "here": str(here.root) if here else "",
    }


def _answer_line(answer: dict[str, Any]) -> str:
    if "probabilities" not in answer:
        return json.dumps(answer, ensure_ascii=False)
    best = list(answer["probabilities"].items())[:3]
    return f"{answer['file']}: {answer['label']}  ({', '.join(f'{label} {p:.1%}' for label, p in best)})"


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def _table(rows: list[dict[str, Any]], headings: dict[str, str]) -> None:
    """Columns as wide as what they hold; the last one may run on."""
    cells = [list(headings.values())] + [["" if row[k] is None else str(row[k]) for k in headings] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(headings))]
    for line in cells:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()
