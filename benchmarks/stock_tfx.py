"""The demo as a stock TFX pipeline of nine nodes, the way TFX's own examples write one.

    python -m benchmarks.stock_tfx RECORDS WORKSPACE STEPS

RECORDS holds `train/` and `eval/` with TFRecords of tf.Examples: `image` (PNG bytes) and `label` (text). Imports
nothing of Benison; its user functions are dotted names, since `module_file` needs pip in the environment.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tfx import v1 as tfx

from benchmarks.bare_keras import BATCH, build_model

FEATURE, LABEL = "image_xf", "label_xf"


def preprocessing_fn(inputs: dict[str, Any]) -> dict[str, Any]:
    def decode(data: Any) -> Any:
        return tf.ensure_shape(tf.io.decode_png(data[0], channels=1), (28, 28, 1))

    pictures = tf.map_fn(decode, inputs["image"], fn_output_signature=tf.TensorSpec((28, 28, 1), tf.uint8))
    labels = tft.compute_and_apply_vocabulary(inputs["label"], vocab_filename="label")
    return {FEATURE: tf.cast(pictures, tf.float32), LABEL: labels}


def run_fn(fn_args: Any) -> None:
    transform = tft.TFTransformOutput(fn_args.transform_output)

    def dataset(files: Any) -> Any:
        batches = fn_args.data_accessor.tf_dataset_factory(
            files,
            tfx.dsl.tfxio_options(BATCH) if False else _dataset_options(),
            transform.transformed_metadata.schema,
        )
        return batches.map(lambda features, label: (features[FEATURE], label)).repeat()

    model = build_model(transform.vocabulary_size_by_name("label"), fn_args.train_steps)
    model.fit(
        dataset(fn_args.train_files),
        steps_per_epoch=fn_args.train_steps,
        validation_data=dataset(fn_args.eval_files),
        validation_steps=fn_args.eval_steps,
        verbose=0,
    )
    _save(model, transform, fn_args.serving_model_dir)
