"""The bridge between a task's `preprocess` and TensorFlow Transform."""

from __future__ import annotations

from typing import Any

from trainer.packing import pack
from trainer.task import Features, Task, load


def task_from(config: dict[str, Any]) -> Task:
    """The task that a node's `custom_config` names: {"task": name, "hparams": {field: value}}."""
    task_class = load(config["task"])
    return task_class(task_class.HParams(**config["hparams"]))


def preprocessing_fn(inputs: Features, custom_config: dict[str, Any]) -> Features:
    """TensorFlow Transform's entry point for all tasks."""
    return pack(task_from(custom_config).preprocess(inputs))
