"""The demo as a stock TFX pipeline of nine nodes, the way TFX's own examples write one.

    python -m benchmarks.stock_tfx RECORDS WORKSPACE STEPS

RECORDS holds `train/` and `eval/` with TFRecords of tf.Examples: `image` (PNG bytes) and `label` (text). Imports
nothing of Benison. Its user functions are dotted names: `module_file` would build a wheel with pip in each run.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_model_analysis as tfma
import tensorflow_transform as tft
from tfx import v1 as tfx
from tfx_bsl.public import tfxio

from benchmarks.bare_keras import BATCH, build_model

FEATURE, LABEL = "image_xf", "label_xf"
EVAL_STEPS = 15


def preprocessing_fn(inputs: dict[str, Any]) -> dict[str, Any]:
    def decode(data: Any) -> Any:
        return tf.ensure_shape(tf.io.decode_png(data[0], channels=1), (28, 28, 1))

    pictures = tf.map_fn(decode, inputs["image"], fn_output_signature=tf.TensorSpec((28, 28, 1), tf.uint8))
    return {
        FEATURE: tf.cast(pictures, tf.float32),
        LABEL: tft.compute_and_apply_vocabulary(inputs["label"], vocab_filename="label"),
    }


def run_fn(fn_args: Any) -> None:
    transform = tft.TFTransformOutput(fn_args.transform_output)

    def dataset(files: Any) -> Any:
        options = tfxio.TensorFlowDatasetOptions(batch_size=BATCH, label_key=LABEL)
        batches = fn_args.data_accessor.tf_dataset_factory(files, options, transform.transformed_metadata.schema)
        return batches.map(lambda features, label: (features[FEATURE], label)).repeat()

    model = build_model(transform.vocabulary_size_by_name("label"), fn_args.train_steps)
    model.fit(
        dataset(fn_args.train_files),
        steps_per_epoch=fn_args.train_steps,
        validation_data=dataset(fn_args.eval_files),
        validation_steps=fn_args.eval_steps,
        verbose=0,
    )
    model.tft_layer = transform.transform_features_layer()
    raw_spec = transform.raw_feature_spec()
    serialized = tf.TensorSpec([None], tf.string, "examples")

    @tf.function(input_signature=[serialized])
    def serving_default(examples: Any) -> Any:
        spec = {"image": raw_spec["image"]}
        features = model.tft_layer(tf.io.parse_example(examples, spec))
        return {"probabilities": tf.nn.softmax(model(features[FEATURE]))}

    @tf.function(input_signature=[serialized])
    def transform_features(examples: Any) -> Any:
        return model.tft_layer(tf.io.parse_example(examples, raw_spec))

    signatures = {"serving_default": serving_default, "transform_features": transform_features}
    model.save(fn_args.serving_model_dir, save_format="tf", signatures=signatures)


def eval_config() -> tfma.EvalConfig:
    accuracy = tfma.MetricThreshold(
        value_threshold=tfma.GenericValueThreshold(lower_bound={"value": 0.5}),
        change_threshold=tfma.GenericChangeThreshold(
            direction=tfma.MetricDirection.HIGHER_IS_BETTER, absolute={"value": -0.005}
        ),
    )
    metrics = [
        tfma.MetricConfig(class_name="SparseCategoricalAccuracy", threshold=accuracy),
        tfma.MetricConfig(class_name="SparseCategoricalCrossentropy"),
        tfma.MetricConfig(class_name="ExampleCount"),
    ]
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                signature_name="serving_default",
                prediction_key="probabilities",
                label_key=LABEL,
                preprocessing_function_names=["transform_features"],
            )
        ],
        metrics_specs=[tfma.MetricsSpec(metrics=metrics)],
        slicing_specs=[tfma.SlicingSpec(), tfma.SlicingSpec(feature_keys=["label"])],
    )


def pipeline(records: Path, workspace: Path, steps: int) -> Any:
    splits = [tfx.proto.Input.Split(name=name, pattern=f"{name}/*") for name in ("train", "eval")]
    example_gen = tfx.components.ImportExampleGen(input_base=str(records), input_config=tfx.proto.Input(splits=splits))
    examples = example_gen.outputs["examples"]
    statistics_gen = tfx.components.StatisticsGen(examples=examples)
    schema_gen = tfx.components.SchemaGen(statistics=statistics_gen.outputs["statistics"], infer_feature_shape=True)
    example_validator = tfx.components.ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema_gen.outputs["schema"]
    )
    transform = tfx.components.Transform(
        examples=examples,
        schema=schema_gen.outputs["schema"],
        preprocessing_fn="benchmarks.stock_tfx.preprocessing_fn",
    )
    trainer = tfx.components.Trainer(
        run_fn="benchmarks.stock_tfx.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema_gen.outputs["schema"],
        train_args=tfx.proto.TrainArgs(num_steps=steps),
        eval_args=tfx.proto.EvalArgs(num_steps=EVAL_STEPS),
    )
    baseline = tfx.dsl.Resolver(
        strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id("latest_blessed_model_resolver")
    evaluator = tfx.components.Evaluator(
        examples=examples,
        model=trainer.outputs["model"],
        baseline_model=baseline.outputs["model"],
        eval_config=eval_config(),
    )
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(base_directory=str(workspace / "serving"))
        ),
    )
    return tfx.dsl.Pipeline(
        pipeline_name="stock",
        pipeline_root=str(workspace / "pipeline"),
        components=[
            example_gen,
            statistics_gen,
            schema_gen,
            example_validator,
            transform,
            trainer,
            baseline,
            evaluator,
            pusher,
        ],
        enable_cache=True,
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(workspace / "metadata.db")
        ),
    )


if __name__ == "__main__":
    tfx.orchestration.LocalDagRunner().run(pipeline(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
