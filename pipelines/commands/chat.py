"""`benison chat`: a conversation with the pushed model, on a terminal or in a pipe."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.errors import BenisonError, DataRefused, WrongUse
from pipelines.commands.options import Json, TaskName, Verbose, Workspace, load_task, name_and_value
from pipelines.records.workspace import DEFAULT_WORKSPACE

if TYPE_CHECKING:
    from pipelines.serving.conversation import Conversation

PROMPT = "> "
RESET, QUIT = "/reset", "/quit"
FORGOTTEN = "A new conversation."


def chat(
    task: TaskName,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="NAME=VALUE", help="What no line says, as a temperature; for all of them."),
    ] = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
    json_output: Json = False,
    verbose: Verbose = False,
) -> None:
    """Talk with the pushed model, after its digests were verified.

    /reset begins a new conversation, /quit or Ctrl-D ends. In a pipe each line has one line for its answer; with --json
    each answer is one JSON object a line.
    """
    from pipelines.console import logs
    from pipelines.records.workspace import named, task_space
    from pipelines.serving.conversation import Conversation, check_converses
    from pipelines.serving.served import Served

    check_converses(task, load_task(task))
    chosen = dict(name_and_value(text) for text in inputs or [])
    space = task_space(workspace, task)
    if not space.serving.is_dir():
        raise BenisonError(f"{task} has no pushed model in {workspace}", f"benison run {task}{named(workspace)}")
    conversation = Conversation(Served.open(space.serving, task), chosen)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # a line that is no UTF-8 is refused by itself
    alone = sys.stdin.isatty() and sys.stdout.isatty()
    out = logs.terminal(sys.stdout)
    lines = _typed(out) if alone else (line.rstrip("\r\n") for line in sys.stdin)
    if alone:
        print(f"{task}: {RESET} begins anew, {QUIT} or Ctrl-D ends.", file=out)
    with logs.captured(space.root / "chat.log", verbose):
        for line in lines:
            if line.strip() == QUIT:
                break
            print(_answer(conversation, line, json_output), file=out, flush=True)


def _typed(out: Any) -> Iterator[str]:
    """Lines that a person types, until Ctrl-D."""
    while True:
        print(PROMPT, end="", file=out, flush=True)
        line = sys.stdin.readline()
        if not line:
            print(file=out)
            return
        yield line.rstrip("\r\n")


def _answer(conversation: Conversation, line: str, as_json: bool) -> str:
    """One line, whatever was said: an empty line has an empty answer, and one that cannot be read has the reason."""
    if line.strip() == RESET:
        conversation.reset()
        return json.dumps({"reset": True}) if as_json else FORGOTTEN
    if not line.strip():
        return json.dumps({"said": line, "answered": ""}) if as_json else ""
    try:
        turn = conversation.say(line)
    except (DataRefused, WrongUse) as error:
        said = error.message.removeprefix("--input: ")
        return json.dumps({"said": line, "error": said}, ensure_ascii=False) if as_json else f"✗ {_one_line(said)}"
    return json.dumps(turn.to_json(), ensure_ascii=False) if as_json else _one_line(turn.answered)


def _one_line(text: str) -> str:
    return " ".join(text.split())
