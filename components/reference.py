"""The reference: classical methods on the same split, which a model must beat to be blessed."""

import json
from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact
from tfx.types.standard_artifacts import Examples, TransformGraph

from trainer.inputs import TransformedExamples
from trainer.task import Task
from trainer.transform import task_from

MAX_TRAIN_EXAMPLES = 20_000
"""Classical methods learn from at most so many examples, in memory; they are always judged on the whole eval split."""


class ReferenceScores(artifact.Artifact):
    """`reference.json`: method -> metric -> value."""

    TYPE_NAME = "BenisonReference"


@component
def Reference(
    transformed_examples: InputArtifact[Examples],
    transform_graph: InputArtifact[TransformGraph],
    reference: OutputArtifact[ReferenceScores],
    config: Parameter[str],
    digest: Parameter[str],
) -> None:
    """Runs the task's `reference`. `config` is JSON as for `trainer.transform.task_from`; `digest` is for the cache."""
    del digest
    task = task_from(json.loads(config))
    scores: dict[str, dict[str, float]] = {}
    if type(task).reference is not Task.reference:
        train, evaluated = (
            split_examples(transformed_examples.uri, transform_graph.uri, split) for split in ("train", "eval")
        )
        scores = task.reference(train.arrays(MAX_TRAIN_EXAMPLES), evaluated.arrays(), train.spec(steps=0))
    Path(reference.uri, "reference.json").write_text(json.dumps(scores, indent=2), encoding="utf-8")


def split_examples(examples: str, transform_graph: str, split: str) -> TransformedExamples:
    """One split of an artifact of transformed examples."""
    files = [str(path) for path in sorted(Path(examples, f"Split-{split}").iterdir())]
    return TransformedExamples(files, transform_graph)


def read_scores(reference: str) -> dict[str, dict[str, float]]:
    """Method -> metric -> value, of a reference artifact."""
    return json.loads(Path(reference, "reference.json").read_text(encoding="utf-8"))
