"""A task's pipeline under TFX's own LocalDagRunner: `python -m pipelines.local_dag_runner TASK [--data DIR] ...`

A file to copy where a pipeline of Benison's is to run under a runner of one's own. The verdict, the artifacts and the
pushed model are those of `benison run TASK`, which adds progress, resuming, locks and an answer from disk where nothing
has changed. Exit: 0 blessed and pushed, 2 wrong use, 3 trained but not blessed, 4 data refused.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pipelines import create_pipeline, verdict
from pipelines.settings import parse_overrides


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.local_dag_runner", description="LocalDagRunner on a task"
    )
    parser.add_argument("task")
    parser.add_argument("--data", metavar="D", help="a folder, a catalogue name or tfds:NAME")
    parser.add_argument("--workspace", default="workspace", help="where artifacts and models are kept")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="overrides")
    for name in ("steps", "limit", "workers"):
        parser.add_argument(f"--{name}", type=int, default=argparse.SUPPRESS)
    given = vars(parser.parse_args(arguments))

    task, data, workspace = given.pop("task"), given.pop("data"), given.pop("workspace")
    pipeline = create_pipeline(task, data, workspace, **parse_overrides(given.pop("overrides")), **given)

    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    LocalDagRunner().run(pipeline)

    blessed, text, report = verdict(task, workspace)
    print(f"{text}\nreport: {report / 'index.html'}")
    return 0 if blessed else 3


if __name__ == "__main__":
    from data.errors import BenisonError

    try:
        sys.exit(main())
    except BenisonError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
