"""The SavedModel: the trained model together with the Transform graph, behind named signatures.

- `serving_default`: serialised tf.Examples, string `[batch]`, to all predictions;
- `raw`: one plain tensor `[batch]` for each raw column (encoded pictures, numbers, texts) to all predictions;
- `transform_features`: serialised tf.Examples to transformed features;
- `evaluate`: serialised tf.Examples to the one prediction that metrics need;
- `transform_labels`: serialised tf.Examples to the transformed targets, `TARGET_SUFFIX` added to their names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data.columns import Feature, raw_features
from trainer.backend import tf
from trainer.task import DataSpec, Features, Task
from trainer.transform import unpack_batch

TARGET_SUFFIX = "_target"
"""Under its own name a transformed target would hide the raw column of that name from TFMA, and slices by class would
be named by vocabulary index."""


def save(task: Task, model: Any, spec: DataSpec, transform_output: Any, target: Path) -> None:
    """Writes the SavedModel to `target`."""
    module = tf.Module()
    module.model = model
    module.transform = transform_output.transform_features_layer()
    columns = {name: c for name, c in task.columns.items() if name not in task.targets}
    inputs = {name: _tensor_spec(name, raw_features({name: column})[name]) for name, column in columns.items()}
    targets = {n: f for n, f in raw_features(task.columns).items() if n in task.targets}
    parsing = {name: tf.io.FixedLenFeature([], value.dtype) for name, value in inputs.items()}
    labels_parsing = {name: tf.io.FixedLenFeature([], getattr(tf, _DTYPES[f.dtype])) for name, f in targets.items()}

    def predict(raw: Features) -> Features:
        features = unpack_batch(module.transform(raw), spec.features)
        return task.predict(model, features, spec)

    def from_examples(examples: Any) -> Features:
        return tf.io.parse_example(examples, parsing)

    serialized = tf.TensorSpec([None], tf.string, "examples")

    @tf.function(input_signature=[serialized])
    def serving_default(examples: Any) -> Features:
        return predict(from_examples(examples))

    @tf.function
    def raw(**tensors: Any) -> Features:
        return predict(tensors)

    @tf.function(input_signature=[serialized])
    def evaluate(examples: Any) -> Features:
        wanted = task.metrics().prediction
        return {wanted: predict(from_examples(examples))[wanted]}

    @tf.function(input_signature=[serialized])
    def transform_features(examples: Any) -> Features:
        return module.transform(tf.io.parse_example(examples, parsing | labels_parsing))

    @tf.function(input_signature=[serialized])
    def transform_labels(examples: Any) -> Features:
        transformed = module.transform(tf.io.parse_example(examples, labels_parsing))
        return {name + TARGET_SUFFIX: target for name, target in transformed.items()}

    signatures = {
        "serving_default": serving_default,
        "raw": raw.get_concrete_function(**inputs),
        "transform_features": transform_features,
        "evaluate": evaluate,
    }
    if targets:
        signatures["transform_labels"] = transform_labels
    tf.saved_model.save(module, str(target), signatures=signatures)


_DTYPES = {"bytes": "string", "int64": "int64", "float32": "float32"}


def _tensor_spec(name: str, feature: Feature) -> Any:
    return tf.TensorSpec([None], getattr(tf, _DTYPES[feature.dtype]), name)
