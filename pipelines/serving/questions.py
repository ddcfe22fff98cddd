"""A process that keeps one loaded model and answers question after question: `python -m pipelines.serving.questions`.

It gets SERVING, TASK and VERSION as arguments, as `Served.open` does. Each line on standard input is a question, a JSON
object:

- `files`: paths, `given`: input -> value, as `ask` takes them;
- `output`: the folder for pictures and sounds of the answers;
- `threshold`: as `ask` takes it, or absent;
- `most`: how many answers are wanted, of a table of many rows.

Or it is a line of a conversation: `line`, `turns` before it, and `given`, what is chosen for all lines. Or it is one of
the examples that a run was evaluated on: `split`, `place` and `example`, as `preview_of` takes them, and `output`.

Each gets one line on standard output: a list of answers, each with `values`, `told` and `files` as `Answered` has them,
and its `preview` as `trainer.preview.disk` writes it, with its files in `output`; a list of the one turn, or of one
answer that is a preview alone; or an object with `error`, `fix` and `exit`, as every command prints it beside `--json`.
The process ends when standard input does. What libraries print goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from itertools import islice
from pathlib import Path
from typing import Any

from pipelines.console import logs
from pipelines.console.failures import Failure
from pipelines.serving.conversation import next_turn
from pipelines.serving.evaluated import preview_of
from pipelines.serving.predict import ask
from pipelines.serving.served import Served
from trainer.preview.disk import write


def main(serving: Path, task_name: str, version: int) -> None:
    """Answers until there are no more questions. A model that cannot be opened is tried again at the next one."""
    replies = logs.terminal(sys.stdout)
    os.dup2(2, 1)
    served = None
    for line in sys.stdin:
        try:
            served = served or Served.open(serving, task_name, version)
            reply: Any = _reply(served, json.loads(line))
        except Exception as error:
            reply = Failure.of(error).to_json()
        print(json.dumps(reply, default=str), file=replies, flush=True)


def _reply(served: Served, question: dict[str, Any]) -> list[dict[str, Any]]:
    if "line" in question:
        return [next_turn(served, question["line"], question["turns"], question.get("given")).to_json()]
    if "split" in question:
        shown = preview_of(served, Path(question["split"]), question["place"], question["example"])
        return [{"values": {}, "told": {}, "files": {}, "preview": write([shown], Path(question["output"]))[0]}]
    files, output = [Path(file) for file in question.get("files", [])], Path(question["output"])
    given, threshold = question.get("given"), question.get("threshold")
    asked = ask(served, files, output, given, with_picture=False, threshold=threshold)
    answers = list(islice(asked, question["most"]))
    previews = write((answer.preview for answer in answers), output)
    return [
        {"values": answer.values, "told": answer.told, "files": answer.files, "preview": preview}
        for answer, preview in zip(answers, previews, strict=True)
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
