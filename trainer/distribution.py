"""Who trains with whom: this worker's place in the cluster and its distribution strategy, read from the environment.

`TF_CONFIG` is TensorFlow's own convention: JSON that lists the hosts of all workers and says which of them this is.
Only `strategy` imports TensorFlow.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import WrongUse
from trainer.backend import load_tensorflow

if TYPE_CHECKING:
    import tensorflow as tf


def strategy() -> tf.distribute.Strategy:
    """Several workers in `TF_CONFIG`: one strategy over all of them; else this machine's GPUs; else the default.

    Call it before any other TensorFlow operation: collective operations are set up when the runtime starts. With
    several workers the call returns once all of them have joined.

    Raises:
      WrongUse: `TF_CONFIG` cannot be understood.
    """
    workers = num_workers()
    tf = load_tensorflow()
    gpus = tf.config.list_physical_devices("GPU")
    if workers > 1:
        communication = tf.distribute.experimental.CommunicationImplementation
        options = tf.distribute.experimental.CommunicationOptions(
            implementation=communication.NCCL if gpus else communication.RING
        )
        return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    return tf.distribute.MirroredStrategy() if gpus else tf.distribute.get_strategy()


def is_chief() -> bool:
    """Whether this worker writes what all of them would write: models, logs, progress."""
    return task_index() == 0


def task_index() -> int:
    """This worker's number, 0 to `num_workers() - 1`; a task of type `chief` comes before the workers."""
    return _place().index


def num_workers() -> int:
    """How many workers train together; 1 without a `TF_CONFIG`."""
    return _place().workers


def tf_config(hosts: list[str], index: int) -> str:
    """The `TF_CONFIG` of worker `index` among `hosts` (each `name:port`)."""
    return json.dumps({"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}})


@dataclass(frozen=True)
class _Place:
    index: int
    workers: int


def _place() -> _Place:
    text = os.environ.get("TF_CONFIG", "").strip()
    if not text:
        return _Place(0, 1)
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise _invalid(f"it is not JSON ({error})") from None
    if not isinstance(config, dict):
        raise _invalid("it is not a JSON object")
    cluster, task = config.get("cluster") or {}, config.get("task") or {}
    if not cluster and not task:
        return _Place(0, 1)
    if not isinstance(cluster, dict) or not all(_is_hosts(hosts) for hosts in cluster.values()):
        raise _invalid('"cluster" must map each task type to a list of "host:port"')
    if strangers := sorted(set(cluster) - {"chief", "worker"}):
        raise _invalid(f'"cluster" names {", ".join(strangers)}; all tasks must be of type worker (or chief)')
    if not isinstance(task, dict) or task.get("type") not in cluster:
        raise _invalid(f'the type of "task" must be one of the cluster\'s: {", ".join(cluster) or "none"}')
    kind, index = task["type"], task.get("index")
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(cluster[kind]):
        raise _invalid(f'the index of "task" is {index!r}; the cluster has {len(cluster[kind])} of type {kind}')
    chiefs = len(cluster.get("chief", ()))
    return _Place(index + (chiefs if kind == "worker" else 0), chiefs + len(cluster.get("worker", ())))


def _is_hosts(hosts: object) -> bool:
    return isinstance(hosts, list) and all(isinstance(host, str) and ":" in host for host in hosts)


def _invalid(reason: str) -> WrongUse:
    example = tf_config(["host-0:2222", "host-1:2222"], 0)
    return WrongUse(
        f"the environment variable TF_CONFIG cannot be used: {reason}",
        f"unset TF_CONFIG to train on this machine alone, or give each worker one like {example}",
    )
