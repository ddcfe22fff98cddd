"""Benison's pipelines, for code as for the command line: `create_pipeline` and what a run came to.

Importing this package imports nothing heavy. It is to be imported before TensorFlow or TFX: it asks TensorFlow for
legacy Keras, which alone trains under MultiWorkerMirroredStrategy.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline

    from pipelines.local.pipeline import Verdict

if "tensorflow" not in sys.modules:
    os.environ["TF_USE_LEGACY_KERAS"] = "1"


def create_pipeline(
    task: str, data: str | Path | None = None, workspace: str | Path = "workspace", **settings: Any
) -> Pipeline:
    """The TFX pipeline of a task: the same nodes, parameters and places that `benison run` runs.

    Any runner of TFX's runs it, as `LocalDagRunner().run(create_pipeline("image_classification"))`. Default data is
    fetched here, before the pipeline starts. Nothing is locked: run one pipeline of a task in a workspace at a time.

    Args:
      task: its name, as `benison tasks` lists it.
      data: a folder, a name of the catalogue or `tfds:NAME`; None for the task's default data.
      workspace: the folder whose subfolder `task` gets artifacts, metadata and pushed models.
      **settings: `steps`, `limit`, `workers` and `fresh` as the options of `benison run`; every other name is one that
        `--set` knows, such as `epochs=3` or `gate=0.9`; those with a dot are given as `**{"beam.workers": 2}`.

    Raises:
      WrongUse: there is no such task, data or setting, or a value is not of its setting's kind.
      BenisonError: TensorFlow was imported before this package, without legacy Keras.
    """
    from pipelines.local.pipeline import created

    return created(task, data, Path(workspace), settings)


def verdict(task: str, workspace: str | Path = "workspace") -> Verdict:
    """What the last run of a task in a workspace came to, whichever runner ran it, with its report as a page.

    Raises:
      BenisonError: none has come as far as its report.
    """
    from pipelines.local.pipeline import last_verdict

    return last_verdict(task, Path(workspace))
