"""The reference: classical methods on the same split, which a model must beat to be blessed; and the judge, if any."""

import dataclasses
import json
import logging
from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact
from tfx.types.standard_artifacts import Examples, TransformGraph

from data.sources.assets import files_of
from trainer.inputs import TransformedExamples
from trainer.task import Arrays, Task
from trainer.transform import task_from

_LOG = logging.getLogger(__name__)

JUDGE = "judge"
"""Folder of the judge's SavedModel in the artifact."""


class ReferenceScores(artifact.Artifact):
    """`reference.json`: method -> metric -> value; `judge/` where metrics need one."""

    TYPE_NAME = "BenisonReference"


@component
def Reference(
    transformed_examples: InputArtifact[Examples],
    transform_graph: InputArtifact[TransformGraph],
    reference: OutputArtifact[ReferenceScores],
    config: Parameter[str],
    digest: Parameter[str],
) -> None:
    """Runs the task's `judge` and `reference`.

    `config` is JSON: task and hparams as for `trainer.transform.task_from`, and assets as
    `data.sources.assets.Located` has them, or null. `digest` is for the cache.
    """
    del digest
    settings = json.loads(config)
    task = task_from(settings)
    scores: dict[str, dict[str, float]] = {}
    if any(getattr(type(task), method) is not getattr(Task, method) for method in ("reference", "judge")):
        splits = {
            name: split_examples(transformed_examples.uri, transform_graph.uri, name, task)
            for name in ("train", "eval")
        }
        train = _arrays(splits["train"], "train")
        spec = splits["train"].spec(steps=0, assets=files_of(settings["assets"]))
        judge = task.judge(train, spec)
        if judge is not None:
            judge.save(Path(reference.uri, JUDGE), save_format="tf")
        scores = task.reference(train, _arrays(splits["eval"], "eval"), dataclasses.replace(spec, judge=judge))
    Path(reference.uri, "reference.json").write_text(json.dumps(scores, indent=2), encoding="utf-8")


def _arrays(examples: TransformedExamples, split: str) -> Arrays:
    """As many of a split as the task's references are given, and memory holds."""
    wanted = min(examples.task.reference_examples, examples.count)
    held = examples.fitting(wanted)
    if held < wanted:
        _LOG.warning("references get %d of %d examples of %s: memory holds no more", held, wanted, split)
    return examples.arrays(held)


def split_examples(examples: str, transform_graph: str, split: str, task: Task) -> TransformedExamples:
    """One split of an artifact of transformed examples."""
    files = [str(path) for path in sorted(Path(examples, f"Split-{split}").iterdir())]
    return TransformedExamples(files, transform_graph, task)


def read_scores(reference: str) -> dict[str, dict[str, float]]:
    """Method -> metric -> value, of a reference artifact."""
    return json.loads(Path(reference, "reference.json").read_text(encoding="utf-8"))
