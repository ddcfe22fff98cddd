"""The push: a blessed model becomes the next served version, whole or not at all.

TFX's Pusher pushes without a blessing input and copies in place, so that a crash leaves a version that a server would
load. This executor refuses what is not blessed, copies to a staging folder, writes digests, syncs to disk and renames.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.pusher.executor import Executor
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, component_spec, standard_artifacts, standard_component_specs
from tfx.utils import json_utils, proto_utils

from components import manifest
from components.example_gen import read_names

STAGING = ".staging"


class PusherExecutor(Executor):
    """Pushes to `<base_directory>/<version>/`, versions counting from 1.

    `custom_config` goes into the manifest, with the `names` under which the user's tables hold the task's columns.
    """

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: dict[str, Any]) -> None:
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        if "model_blessing" not in input_dict or not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        destination = proto_utils.json_to_proto(exec_properties["push_destination"], pusher_pb2.PushDestination())
        about = json_utils.loads(exec_properties["custom_config"])
        about["names"] = read_names(Path(artifact_utils.get_single_uri(input_dict["examples"])))
        version = push(Path(self.GetModelPath(input_dict)), Path(destination.filesystem.base_directory), about)
        Path(pushed.uri).mkdir(parents=True, exist_ok=True)
        Path(pushed.uri, "version.txt").write_text(version.name, encoding="utf-8")
        self._MarkPushed(pushed, pushed_destination=str(version), pushed_version=version.name)


def push(model: Path, serving: Path, about: dict[str, Any]) -> Path:
    """Copies a SavedModel to the next version under `serving` and returns its folder.

    At each moment `serving` holds complete versions only, also where two runs on a cluster push at once. What an
    earlier, killed push left behind is cleared away. A model that is the latest version already, because only what came
    after it ran anew, is not pushed twice.
    """
    serving.mkdir(parents=True, exist_ok=True)
    with _locked(serving):
        return _push(model, serving, about)


@contextmanager
def _locked(serving: Path) -> Iterator[None]:
    """Within, nobody else is, on no machine that shares the folder. The lock goes with its process. It is beside the
    folder, which model servers watch, and a file, since NFS locks no folders."""
    with serving.with_name(f"{serving.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _push(model: Path, serving: Path, about: dict[str, Any]) -> Path:
    latest = serving / str(max(manifest.versions(serving), default=0))
    if manifest.describes(latest, model):
        return latest
    staging = serving / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    version = serving / str(1 + max(manifest.versions(serving), default=0))
    try:
        shutil.copytree(model, staging)
        manifest.write(staging, about)
        for path in [*staging.rglob("*"), staging]:
            _sync(path)
        os.rename(staging, version)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)  # on a full disk it would keep others from writing, too
        raise
    _sync(serving)
    return version


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class PusherSpec(standard_component_specs.PusherSpec):
    """TFX's Pusher with the examples as a further input."""

    INPUTS = {
        **standard_component_specs.PusherSpec.INPUTS,
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }


class Pusher(base_component.BaseComponent):
    """Makes a blessed model the next version under the folder `serving`; `about` goes into its manifest."""

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(PusherExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        serving: str,
        about: dict[str, Any],
    ) -> None:
        destination = pusher_pb2.PushDestination.Filesystem(base_directory=serving)
        spec = PusherSpec(
            examples=examples,
            model=model,
            model_blessing=model_blessing,
            push_destination=pusher_pb2.PushDestination(filesystem=destination),
            custom_config=json_utils.dumps(about),
            pushed_model=types.Channel(type=standard_artifacts.PushedModel),
        )
        super().__init__(spec=spec)
