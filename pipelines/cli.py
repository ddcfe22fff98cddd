"""The command line. Nothing heavy is imported before a command needs it: `benison --help` answers at once."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

from data.errors import BenisonError, WrongUse
from pipelines import node_list
from pipelines.console.failures import Failure, Terminated
from pipelines.records.run_result import (
    EXIT_BLESSED,
    EXIT_DATA_REFUSED,
    EXIT_FAILED,
    EXIT_WRONG_USE,
    RunResult,
    aligned,
    worst,
)

if TYPE_CHECKING:
    from pipelines.console.progress import Listener
    from pipelines.settings import RunSettings

app = typer.Typer(
    name="benison",
    help="A folder of data in, a blessed and pushed model out.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(help="Default data sets, and a look at your own.", rich_markup_mode=None)
app.add_typer(data_app, name="data")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value on standard output and nothing else.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Copy the full log to standard error.")]
_WORKSPACE: Any = typer.Option(
    "--workspace", envvar="BENISON_WORKSPACE", file_okay=False, help="Where runs and models are kept."
)
Workspace = Annotated[Path, _WORKSPACE]
WorkspaceIfGiven = Annotated[Path | None, _WORKSPACE]
TaskName = Annotated[str, typer.Argument(metavar="TASK")]
Data = Annotated[str | None, typer.Option("--data", metavar="D", help="A folder, a catalogue name or tfds:NAME.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A hyper-parameter, limit, beam.* or cluster.*; may be repeated."),
]
Steps = Annotated[int | None, typer.Option("--steps", min=1, help="At most so many training steps.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many records of each split.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Training processes.")]
Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings as YAML; the command line wins.")
]
Image = Annotated[str | None, typer.Option("--image", metavar="I", help="The same as --set cluster.image=I.")]
DEFAULT_WORKSPACE = Path("workspace")
SHOWN_CLASSES = 3
SHOWN_VALUES = 10


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Entry point of the console script: every error ends here, in words and an exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a sign still gets the rest
    try:
        code = _exit_code(list(sys.argv[1:] if arguments is None else arguments) or ["--help"])
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_FAILED
    sys.exit(code)


def _terminate(number: int, frame: object) -> NoReturn:
    raise Terminated


def _exit_code(arguments: list[str]) -> int:
    # Not app(...): that would turn Ctrl-C into an exit code before we can say how to resume.
    command = typer.main.get_command(app)
    json_output, verbose = "--json" in arguments, "--verbose" in arguments
    try:
        with command.make_context("benison", arguments) as context:
            command.invoke(context)
        return EXIT_BLESSED
    except typer.Exit as end:
        return end.exit_code
    except TyperException as error:
        return _told(_misspelt(error), json_output)
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, BrokenPipeError) and not hasattr(error, "benison_log"):
            raise
        if verbose:
            traceback.print_exception(error)
        return _told(Failure.of(error), json_output)


@app.command()
def tasks(json_output: Json = False, workspace: Workspace = DEFAULT_WORKSPACE) -> None:
    """Every task: question, data, metric, gate and last score."""
    from trainer.task import task_names

    rows = [_task_row(name, workspace) for name in task_names()]
    if json_output:
        _print_json(rows)
    else:
        _print_table(rows, {"questions": "Q", "last": "last score"})


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(metavar="TASK...")] = None,
    all_tasks: Annotated[bool, typer.Option("--all", help="Run every task.")] = False,
    data: Data = None,
    overrides: Overrides = None,
    steps: Steps = None,
    limit: Limit = None,
    workers: Workers = None,
    from_node: Annotated[
        str | None, typer.Option("--from", metavar="NODE", help="Run this node and all after it anew.")
    ] = None,
    to_node: Annotated[str | None, typer.Option("--to", metavar="NODE", help="Stop after this node.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Answer nothing from what is on disk.")] = False,
    config: Config = None,
    workspace: WorkspaceIfGiven = None,
    json_output: Json = False,
    verbose: Verbose = False,
) -> None:
    """Run a task's pipeline: ingest, validate, transform, train, evaluate, report, push.

    Exit: 0 blessed and pushed, 1 failed, 2 wrong use, 3 trained but not blessed, 4 data refused; of several tasks the
    worst, and with --json a list.
    """
    from pipelines import settings

    stored = settings.read_config(config) if config else {}
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
    chosen = _chosen(names or [], all_tasks, stored.get("task"))
    planned = [settings.merge(stored, given | {"task": name}) for name in chosen]
    for one in planned:  # a misspelt name in the last one must not show after hours
        settings.check_local(_load(one.task).HParams, one.overrides)
        node_list.check("--from", one.from_node)
        node_list.check("--to", one.to_node)
    if len(planned) == 1:
        result = _run_one(planned[0], json_output, verbose)
        if json_output:
            _print_json(result.to_json())
        raise typer.Exit(result.exit)
    raise typer.Exit(_run_all(planned, json_output, verbose))


@app.command("compile")
def compile_package(
    task: TaskName,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.yaml", dir_okay=False, help="Where the package goes.")
    ],
    image: Image = None,
    data: Data = None,
    overrides: Overrides = None,
    steps: Steps = None,
    limit: Limit = None,
    workers: Workers = None,
    config: Config = None,
    verbose: Verbose = False,
) -> None:
    """Write a task's pipeline as a package for Kubeflow Pipelines.

    --data: a folder on the cluster's shared volume, a catalogue name or tfds:NAME.
    """
    _write_package(_of_cluster(task, image, data, overrides, steps, limit, workers, config), output, verbose)
    print(output)


@app.command()
def submit(
    task: TaskName,
    host: Annotated[str, typer.Option("--host", metavar="URL", help="Of Kubeflow Pipelines.")],
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", metavar="NS", help="On a multi-user Kubeflow; otherwise cluster.namespace."),
    ] = None,
    experiment: Annotated[
        str, typer.Option("--experiment", metavar="NAME", help="Under which the run is filed.")
    ] = "benison",
    wait: Annotated[bool, typer.Option("--wait", help="Follow the run and end with its exit code.")] = False,
    image: Image = None,
    data: Data = None,
    overrides: Overrides = None,
    steps: Steps = None,
    limit: Limit = None,
    workers: Workers = None,
    config: Config = None,
    json_output: Json = False,
    verbose: Verbose = False,
) -> None:
    """Run a task's pipeline on Kubeflow Pipelines. A token for it is read from BENISON_KFP_TOKEN.

    Exit with --wait: 0 blessed and pushed, 1 failed, 3 trained but not blessed, 4 data refused.
    """
    import tempfile

    from pipelines.cluster.submit import Server

    settings = _of_cluster(task, image, data, overrides, steps, limit, workers, config)
    server = Server.reached(host)
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch, "package.yaml")
        _write_package(settings, package, verbose)
        submitted = server.start(settings, package, namespace, experiment)
    listener = _listener(json_output)
    listener.message(f"{task}: {submitted.address}")
    code = submitted.follow(listener) if wait else EXIT_BLESSED
    if json_output:
        _print_json({"task": task, "run_id": submitted.run_id, "address": submitted.address, "exit": code})
    raise typer.Exit(code)


@app.command()
def predict(
    task: TaskName,
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE...]")] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="NAME=VALUE", help="In place of files: one input of an example."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", file_okay=False, help="Where pictures go.")
    ] = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
    json_output: Json = False,
    verbose: Verbose = False,
) -> None:
    """Ask the pushed model, after its digests were verified."""
    from pipelines.console import logs
    from pipelines.records.workspace import task_space
    from pipelines.serving.predict import predict as answers_of
    from pipelines.serving.usage import usage

    _load(task)
    if bool(files) == bool(inputs):
        raise WrongUse("give either files or --input NAME=VALUE", usage(task))
    given = dict(_name_and_value(text) for text in inputs or [])
    space = task_space(workspace, task)
    if not space.serving.is_dir():
        raise BenisonError(f"{task} has no pushed model in {workspace}", f"benison run {task}")
    pictures = output or (None if json_output else space.predictions)
    with logs.captured((output or space.root) / "predict.log", verbose):
        answers = answers_of(task, files or [], space.serving, pictures, given)
    if json_output:
        _print_json(answers)
    else:
        _print_table([_answer_row(answer) for answer in answers], {})


@app.command()
def report(
    task: TaskName,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.html", dir_okay=False, help="Where the page goes.")
    ],
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Write the last run's report as one self-contained page."""
    import shutil

    from pipelines.records.workspace import task_space

    _load(task)
    last = task_space(workspace, task).last_run
    page = Path(last["result"]["places"].get("report", "")) if last else Path()
    if not page.is_file():
        raise BenisonError(f"{task} has no finished run in {workspace}", f"benison run {task}")
    output.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(page, output)
    print(output)


@app.command()
def dashboard(
    host: Annotated[
        str, typer.Option("--host", help="Where to listen; beyond loopback it needs a token.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="The first free one from 8050 on if not given.")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="Holds the token to ask for."),
    ] = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Show all runs and models as web pages, until Ctrl-C; a token may also be in BENISON_DASHBOARD_TOKEN."""
    try:
        from dashboard.app import serve
    except ModuleNotFoundError as missing:
        raise BenisonError(f"the dashboard needs {missing.name}", "pip install 'benison[dashboard]'") from None
    from dashboard.security import Policy

    try:
        token = (
            token_file.read_text(encoding="utf-8").strip() if token_file else os.environ.get("BENISON_DASHBOARD_TOKEN")
        )
    except OSError as error:
        raise WrongUse(f"{token_file} cannot be read: {error.strerror}", "give a file that holds the token") from None
    policy = Policy(host, token or None)
    try:
        serve(workspace, policy, port, lambda line: print(line, flush=True))
    except KeyboardInterrupt:  # that is how it ends
        raise typer.Exit(EXIT_BLESSED) from None


@data_app.command("list")
def data_list(json_output: Json = False) -> None:
    """The catalogue: what each set is, whose it is, and whether it is here."""
    from data.sources import catalogue

    rows = [_data_row(catalogue, name) for name in catalogue.names()]
    if json_output:
        _print_json(rows)
    else:
        _print_table(rows, {"size_mb": "MB"})


@data_app.command("prepare")
def data_prepare(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Fetch a set of the catalogue, lay it out as a folder, and print where."""
    from data.sources import catalogue

    prepared = catalogue.prepare(name, progress=lambda text: print(text, file=sys.stderr, flush=True))
    print(prepared.root)


@data_app.command("check")
def data_check(
    task: TaskName, folder: Annotated[Path, typer.Argument(metavar="DIR")], json_output: Json = False
) -> None:
    """Read a folder as a run of TASK would, and say what is wrong with it; exit 4 if a run would refuse it."""
    from data.folders.check import check

    task_class = _load(task)
    found = check(folder, task_class.columns, split_by=task_class.split_by)
    if json_output:
        _print_json(found.to_json())
    else:
        print(found.text())
    raise typer.Exit(EXIT_BLESSED if found.ok else EXIT_DATA_REFUSED)


@app.command("new-task")
def new_task(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Write a new task's file, which passes the contract's tests as it stands."""
    from pipelines.commands.new_task import create

    print(f"{create(name)}\nnext: benison run {name}   then change what it reads, builds and measures")


@app.command()
def doctor(json_output: Json = False, workspace: Workspace = DEFAULT_WORKSPACE) -> None:
    """Versions, cores, memory, GPUs and data clients, each with its fix."""
    from pipelines.commands.doctor import checks

    found = checks(workspace)
    if json_output:
        _print_json([asdict(check) for check in found])
    else:
        _print_table([asdict(check) for check in found], {"name": "what"})
    raise typer.Exit(EXIT_FAILED if any(check.state == "missing" for check in found) else EXIT_BLESSED)


# --- runs ---


def _chosen(names: list[str], all_tasks: bool, stored: str | None) -> list[str]:
    from trainer.task import task_names

    if all_tasks and names:
        raise WrongUse(f"--all beside {', '.join(names)}", "name the tasks, or give --all")
    chosen = task_names() if all_tasks else names or ([stored] if stored else [])
    if not chosen:
        raise WrongUse("which task?", f"name some of {', '.join(task_names())}, or give --all")
    return chosen


def _of_cluster(
    task: str,
    image: str | None,
    data: str | None,
    overrides: list[str] | None,
    steps: int | None,
    limit: int | None,
    workers: int | None,
    config: Path | None,
) -> RunSettings:
    """What `compile` and `submit` are told."""
    from pipelines import settings

    _load(task)
    named = {"cluster.image": image} if image else {}
    given = {"task": task, "data": data, "steps": steps, "limit": limit, "workers": workers}
    stored = settings.read_config(config) if config else {}
    return settings.merge(stored, given | {"overrides": settings.parse_overrides(overrides or []) | named})


def _write_package(settings: RunSettings, output: Path, verbose: bool) -> None:
    """What libraries say meanwhile goes to a file that is kept if something unexpected is raised."""
    import tempfile

    from pipelines.cluster.package import write_package
    from pipelines.console import logs

    handle, log = tempfile.mkstemp(prefix="benison-", suffix=".log")
    os.close(handle)
    try:
        with logs.captured(Path(log), verbose):
            write_package(settings, output)
    except BenisonError as error:
        del error.__dict__["benison_log"]
        os.unlink(log)
        raise
    os.unlink(log)


def _run_one(settings: RunSettings, json_output: bool, verbose: bool) -> RunResult:
    from pipelines.local.run import run as run_task

    listener = _listener(json_output)
    try:
        result = run_task(settings, listener, verbose)
        listener.message(result.closing())
    finally:
        listener.close()
    return result


def _run_all(planned: list[RunSettings], json_output: bool, verbose: bool) -> int:
    """One after the other; a task that fails does not keep the others from running. Returns the worst exit code."""
    ends: dict[str, RunResult | Failure] = {}
    for settings in planned:
        try:
            ends[settings.task] = _run_one(settings, json_output, verbose)
        except Exception as error:
            failure = ends[settings.task] = Failure.of(error)
            if not json_output:
                print(failure, file=sys.stderr, flush=True)
    if json_output:
        _print_json([{"task": task} | end.to_json() for task, end in ends.items()])
    else:
        print()
        _print_table([_end_row(task, end) for task, end in ends.items()], {})
    return worst([end.exit for end in ends.values()])


def _end_row(task: str, end: RunResult | Failure) -> dict[str, Any]:
    said = end.verdict or "done" if isinstance(end, RunResult) else f"failed: {end.message.splitlines()[0]}"
    return {"task": task, "exit": end.exit, "outcome": said}


def _listener(json_output: bool) -> Listener:
    from pipelines.console import logs, progress

    if json_output:
        return progress.Listener()
    stream = logs.terminal(sys.stdout)
    live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    return progress.Live(stream) if live else progress.Plain(stream)


# --- errors ---


def _misspelt(error: TyperException) -> Failure:
    """A command line that does not parse."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "benison"
    return Failure(error.format_message(), f"{command} --help", getattr(error, "exit_code", EXIT_WRONG_USE))


def _told(failure: Failure, json_output: bool) -> int:
    if json_output:
        _print_json(failure.to_json())
    else:
        print(failure, file=sys.stderr)
    return failure.exit


# --- rows and tables ---


def _load(name: str) -> Any:
    from trainer.task import load

    return load(name)


def _task_row(name: str, workspace: Path) -> dict[str, Any]:
    from pipelines.records.workspace import task_space

    task = _load(name)
    evaluation = task(task.HParams()).metrics()
    metric = evaluation.gates[0].metric
    last = task_space(workspace, name).last_run
    score = last["result"]["metrics"].get(metric) if last else None
    return {
        "task": name,
        "title": task.title,
        "questions": list(task.questions),
        "modality": task.modality,
        "data": task.data,
        "metric": metric,
        "gate": "; ".join(str(gate) for gate in evaluation.gates),
        "last": score,
    }


def _data_row(catalogue: Any, name: str) -> dict[str, Any]:
    entry, here = catalogue.get(name), catalogue.cached(name)
    return {
        "name": name,
        "title": entry.title,
        "size_mb": round(sum(source.size_bytes for source in entry.sources[0]) / 1e6, 1),
        "sources": " or ".join(" + ".join(map(str, archives)) for archives in entry.sources),
        "licence": entry.licence,
        "credit": entry.credit,
        "examples": dict(here.examples) if here else None,
        "cached": str(here.root) if here else None,
    }


def _answer_row(answer: dict[str, Any]) -> dict[str, Any]:
    row = {"file": answer["file"] + (f", row {answer['row']}" if "row" in answer else "")}
    rest = {
        name: value for name, value in answer.items() if name not in ("file", "row", "picture") and not _nested(value)
    }
    if "probabilities" in rest:
        best = list(rest["probabilities"].items())[:SHOWN_CLASSES]
        rest["probabilities"] = ", ".join(f"{label} {probability:.1%}" for label, probability in best)
    return row | rest | ({"picture": answer["picture"]} if "picture" in answer else {})


def _nested(value: Any) -> bool:
    """Whether it is a list of lists, as of boxes, which no cell of a table holds: it is in the picture and in JSON."""
    return isinstance(value, list) and any(isinstance(one, list) for one in value)


def _name_and_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise WrongUse(f"--input {text} has no value", "write it as --input NAME=VALUE")
    return name, value


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, default=str))


def _print_table(rows: list[dict[str, Any]], headings: dict[str, str]) -> None:
    """Rows of the same keys, which are the headings except where `headings` has a better one."""
    if rows:
        cells = [[_cell(value) for value in row.values()] for row in rows]
        print("\n".join(aligned([[headings.get(key, key) for key in rows[0]], *cells])))


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        shown = [_cell(one) for one in value[:SHOWN_VALUES]] + ["…"] * (len(value) > SHOWN_VALUES)
        return ", ".join(one for one in shown if one)
    return "" if value is None else str(value)
