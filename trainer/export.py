"""The SavedModel: the trained model together with the Transform graph, behind named signatures.

- `serving_default`: serialised tf.Examples, string `[batch]`, to all predictions;
- `raw`: one plain tensor `[batch]` for each raw column (encoded pictures, numbers, texts) to all predictions;
- `transform_features`: serialised tf.Examples to transformed features, as the model gets them;
- `evaluate`: serialised tf.Examples to the predictions that metrics need;
- `transform_labels`: serialised tf.Examples to the transformed targets, `TARGET_SUFFIX` added to their names, and to
  the features that `preprocess` makes for slicing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainer.backend import tf
from trainer.inputs import TransformedExamples
from trainer.packing import unpack_batch
from trainer.task import DataSpec, Features, Task

TARGET_SUFFIX = "_target"
"""Under its own name a transformed target would hide the raw column of that name from TFMA, and slices by class would
be named by vocabulary index."""


def save(task: Task, model: Any, spec: DataSpec, examples: TransformedExamples, target: Path) -> None:
    """Writes the SavedModel to `target`. `examples`: the train split, by whose graph raw columns are transformed."""
    evaluation, transform_output = task.metrics(), examples.transform_output
    module = tf.Module()
    module.model_variables = model.variables  # not the model: Keras would trace each of its layers again
    module.transform = transform_output.transform_features_layer()
    parsing = transform_output.raw_feature_spec()
    in_serving = {name: parsing[name] for name in task.columns if name not in task.targets}
    beside = [name for name in evaluation.slices if name not in parsing]

    @tf.function  # traced once for all signatures
    def predict_transformed(features: Features) -> Features:
        return task.predict(model, features, spec)

    def transform(raw: Features) -> Features:
        return task.batch(unpack_batch(module.transform(raw), examples.stored), None)

    def predict(raw: Features) -> Features:
        return predict_transformed(transform(raw))

    serialized = tf.TensorSpec([None], tf.string, "examples")

    @tf.function(input_signature=[serialized])
    def serving_default(examples: Any) -> Features:
        return predict(tf.io.parse_example(examples, in_serving))

    @tf.function
    def raw(**tensors: Any) -> Features:
        return predict(tensors)

    @tf.function(input_signature=[serialized])
    def evaluate(examples: Any) -> Features:
        predictions = predict(tf.io.parse_example(examples, parsing if evaluation.targets_seen else in_serving))
        return {name: predictions[name] for name in evaluation.predictions}

    @tf.function(input_signature=[serialized])
    def transform_features(examples: Any) -> Features:
        return transform(tf.io.parse_example(examples, parsing))

    @tf.function(input_signature=[serialized])
    def transform_labels(examples: Any) -> Features:
        transformed = transform(tf.io.parse_example(examples, parsing))
        targets = {name + TARGET_SUFFIX: transformed[name] for name in task.targets if name in transformed}
        return targets | {name: transformed[name] for name in beside}

    signatures = {
        "serving_default": serving_default,
        "raw": raw.get_concrete_function(**{name: _tensor_spec(name, one) for name, one in in_serving.items()}),
        "transform_features": transform_features,
        "evaluate": evaluate,
    }
    if beside or evaluation.transforms_labels:
        signatures["transform_labels"] = transform_labels
    tf.saved_model.save(module, str(target), signatures=signatures)


def _tensor_spec(name: str, parsing: Any) -> Any:
    return tf.TensorSpec([None, *parsing.shape], parsing.dtype, name)
