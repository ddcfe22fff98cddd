"""One of the examples that a run was evaluated on, read back as the run read it, and answered anew."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from data.errors import BenisonError
from pipelines.serving.inputs import Example
from pipelines.serving.served import Served
from trainer.backend import load_tensorflow
from trainer.preview import Preview


def preview_of(served: Served, split: Path, place: int, key: str) -> Preview:
    """What a person is shown of the example at this place of the split, with the truth and the model's answer.

    Args:
      split: the folder of its files.
      key: what the table of answers calls the example by, which follows from its content.

    Raises:
      BenisonError: another example lies there, or none; the model was made for other columns.
    """
    load_tensorflow()
    from components.report.answers import example_of, key_of, records_of

    record = next(islice(records_of(split).skip(place).as_numpy_iterator(), 1), b"")
    if key_of(record) != key:
        raise BenisonError(f"{split} does not hold this example any more", f"benison run {served.name}")
    values = example_of(served.task, record)
    [(_, answer)] = served.trained_answers([Example(split, None, values)])
    return served.task.preview(values, answer)
