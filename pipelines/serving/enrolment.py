"""Adding a name to what a pushed model knows, from files and without training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.errors import DataRefused, WrongUse
from pipelines.serving import gallery
from pipelines.serving.inputs import CheckedExamples, read_examples
from pipelines.serving.served import Served

LONGEST_NAME = 200


def enrol(task_name: str, serving: Path, name: str, files: Sequence[Path]) -> int:
    """Reads the files as `benison predict` does, keeps their embeddings under `name`, and returns how many there are of
    it now. All or none are taken. The pushed model's files stay as they are.

    Raises:
      WrongUse: the task does not enrol, a file is not there, or `name` is none.
      DataRefused: a file is not what the task reads.
      BenisonError: there is no pushed model, or others were enrolled with another version.
    """
    served = Served.open(serving, task_name)
    output = served.task.enrols
    if output is None:
        raise WrongUse(
            f"{task_name} enrols nobody: its model makes no embedding", "docs/faces.md names the tasks that do"
        )
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise WrongUse(f"{name!r} is no name", f"give one of up to {LONGEST_NAME} characters on one line")
    folder = gallery.folder_beside(serving)
    enrolled = gallery.read(folder)
    enrolled.check(served.model)
    examples = CheckedExamples(lambda: read_examples(files, type(served.task), served.names))
    embeddings = np.stack([answer[output] for _, answer in served.trained_answers(examples)]).astype(np.float32)
    if not np.isfinite(embeddings).all():
        raise DataRefused("an embedding is no finite number", "look at the pictures with `benison predict`")
    enrolled = enrolled.with_more(name, embeddings, served.model)
    gallery.write(folder, enrolled)
    return enrolled.counts[name]


def remove(serving: Path, name: str) -> int:
    """Forgets all that is kept of `name`, and returns how many pictures that were.

    Raises:
      WrongUse: nobody of this name is enrolled.
      BenisonError: the file is damaged.
    """
    folder = gallery.folder_beside(serving)
    enrolled = gallery.read(folder)
    count = enrolled.counts.get(name, 0)
    if not count:
        there = ", ".join(sorted(enrolled.counts)) or "nobody"
        raise WrongUse(f"{name!r} is not enrolled", f"enrolled: {there}")
    gallery.write(folder, enrolled.without(name))
    return count
