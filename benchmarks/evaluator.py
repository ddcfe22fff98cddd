"""Evaluated rows a second: our Evaluator's executor against TFMA called bare on the same model, records and metrics,
and against itself without intervals.

By the slope between a small and a large number of examples, so that loading and tracing do not count.
"""

from __future__ import annotations

import functools
import json
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks import measure

FEW, MANY = 1_000, 10_000


def rows(options: measure.Options) -> list[measure.Row]:
    with tempfile.TemporaryDirectory() as scratch:
        root = measure.trained_task(Path(scratch), options.steps or 200)
        found = measure.call("evaluator", "rows_per_second", pipeline_root=str(root), repeats=options.repeats)
    what = f"Evaluator, slope from {FEW:,} to {MANY:,} examples"
    return [
        measure.Row(what, found["ours"], found["bare"], "rows/s", "TFMA called bare", at_least=0.8),
        measure.Row(what, found["ours"], found["plain"], "rows/s", "without intervals", at_least=0.9),
    ]


def rows_per_second(pipeline_root: str, repeats: int) -> dict[str, float]:
    from trainer.backend import load_tensorflow

    load_tensorflow()
    examples = measure.newest(pipeline_root, "FolderExampleGen", "examples")
    model = measure.newest(pipeline_root, "Trainer", "model")
    with tempfile.TemporaryDirectory() as scratch:
        few, many = (_records(examples, Path(scratch, str(count)), count) for count in (FEW, MANY))
        sides = {"ours": _ours, "plain": _without_intervals, "bare": _bare}
        for side in sides.values():
            side(model, few)  # what is imported and traced only once

        def seconds(name: str, records: Path) -> float:
            begun = time.perf_counter()
            sides[name](model, records)
            return time.perf_counter() - begun

        median = measure.interleaved(
            repeats,
            **{
                f"{name}_{size}": functools.partial(seconds, name, records)
                for size, records in (("few", few), ("many", many))
                for name in sides
            },
        )
    return {name: (MANY - FEW) / (median[f"{name}_many"] - median[f"{name}_few"]) for name in sides}


def _records(examples: Path, target: Path, count: int) -> Path:
    """`count` examples of both splits as the eval split of an artifact of examples."""
    from components.example_gen import COUNTS
    from trainer.backend import tf

    split = target / "Split-eval"
    split.mkdir(parents=True)
    (target / COUNTS).write_text(json.dumps({"eval": count}), encoding="utf-8")
    files = [str(path) for path in sorted(examples.glob("Split-*/*"))]
    with tf.io.TFRecordWriter(str(split / "data_tfrecord-00000-of-00001.gz"), "GZIP") as writer:
        for record in tf.data.TFRecordDataset(files, "GZIP").repeat().take(count).as_numpy_iterator():
            writer.write(record)
    return target


def _eval_config() -> Any:
    from components.evaluator import eval_config
    from data.columns import raw_features
    from trainer.task import load

    task_class = load("image_classification")
    return eval_config(task_class(task_class.HParams()).metrics(), raw_features(task_class.columns).keys())


def _ours(model: Path, records: Path) -> None:
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
    from tfx.types import standard_artifacts
    from tfx.utils import proto_utils

    from components.evaluator import EvaluatorExecutor
    from components.reference import ReferenceScores
    from pipelines.beam import BEAM_ARGS

    examples = _artifact(standard_artifacts.Examples, records)
    examples.split_names = json.dumps(["eval"])
    with tempfile.TemporaryDirectory() as scratch:
        reference, evaluation, blessing = (Path(scratch, name) for name in ("reference", "evaluation", "blessing"))
        reference.mkdir()
        (reference / "reference.json").write_text("{}", encoding="utf-8")
        EvaluatorExecutor(BaseBeamExecutor.Context(beam_pipeline_args=BEAM_ARGS, tmp_dir=scratch)).Do(
            {
                "examples": [examples],
                "model": [_artifact(standard_artifacts.Model, model)],
                "reference": [_artifact(ReferenceScores, reference)],
            },
            {
                "evaluation": [_artifact(standard_artifacts.ModelEvaluation, evaluation)],
                "blessing": [_artifact(standard_artifacts.ModelBlessing, blessing)],
            },
            {
                "eval_config": proto_utils.proto_to_json(_eval_config()),
                "example_splits": json.dumps(["eval"]),
                "gates": json.dumps([{"metric": "accuracy"}]),
                "runs_model": "[]",
                "may_lack": "[]",
                "strict": 1,
            },
        )


def _without_intervals(model: Path, records: Path) -> None:
    from components import sampling

    with mock.patch.object(sampling._Sampled, "expand", lambda self, extracts: extracts):
        _ours(model, records)


def _bare(model: Path, records: Path) -> None:
    import tensorflow_model_analysis as tfma

    config = _eval_config()
    with tempfile.TemporaryDirectory() as output:
        tfma.run_model_analysis(
            eval_shared_model=tfma.default_eval_shared_model(str(model / "Format-Serving"), eval_config=config),
            eval_config=config,
            data_location=str(records / "Split-eval" / "*"),
            output_path=output,
        )


def _artifact(kind: Any, place: Path) -> Any:
    artifact = kind()
    artifact.uri = str(place)
    return artifact


if __name__ == "__main__":
    measure.main(rows, __doc__)
