"""The command line: its commands, which lie in `pipelines/commands`, and the one place where every error ends.

Nothing heavy is imported before a command needs it: `benison --help` answers at once.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from pipelines.commands import data
from pipelines.commands.chat import chat
from pipelines.commands.compile import compile_package
from pipelines.commands.dashboard import dashboard
from pipelines.commands.doctor import doctor
from pipelines.commands.enrol import enrol
from pipelines.commands.new_task import new_task
from pipelines.commands.output import print_json
from pipelines.commands.predict import predict
from pipelines.commands.report import report
from pipelines.commands.run import run
from pipelines.commands.submit import submit
from pipelines.commands.tasks import tasks
from pipelines.console.failures import Failure, Terminated
from pipelines.records.run_result import EXIT_BLESSED, EXIT_FAILED, EXIT_WRONG_USE

app = typer.Typer(
    name="benison",
    help="A folder of data in, a blessed and pushed model out.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("tasks")(tasks)
app.command("run")(run)
app.command("compile")(compile_package)
app.command("submit")(submit)
app.command("predict")(predict)
app.command("chat")(chat)
app.command("enrol")(enrol)
app.command("report")(report)
app.command("dashboard")(dashboard)
app.add_typer(data.app, name="data")
app.command("new-task")(new_task)
app.command("doctor")(doctor)


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


def _misspelt(error: TyperException) -> Failure:
    """A command line that does not parse."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "benison"
    return Failure(error.format_message(), f"{command} --help", getattr(error, "exit_code", EXIT_WRONG_USE))


def _told(failure: Failure, json_output: bool) -> int:
    if json_output:
        print_json(failure.to_json())
    else:
        print(failure, file=sys.stderr)
    return failure.exit
