"""The SavedModel: the trained model together with the Transform graph, behind named signatures.

- `serving_default`: serialised tf.Examples, string `[batch]`, to all predictions; what has a default may lack in them;
- `raw`: one plain tensor `[batch]` for each raw column (encoded pictures, numbers, texts) to all predictions;
- `transform_features`: serialised tf.Examples to transformed features, as the model gets them;
- `evaluate`: serialised tf.Examples to the predictions that metrics need;
- `begin`, `go_on` and `finish`, of a task that is a `trainer.streaming.Streams`: an answer piece by piece;
- `transform_labels`: serialised tf.Examples to the transformed targets, `TARGET_SUFFIX` added to their names, and to
  the features that `preprocess` makes for slicing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from data.errors import WrongUse
from data.media.kinds import ENCODED, KINDS, kind_of
from trainer.backend import tf
from trainer.inputs import TransformedExamples
from trainer.packing import unpack_batch
from trainer.streaming import BEGIN, ENDED, FINISH, GO_ON, PIECE, Streams
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
    in_serving = {name: _asked(name, task, parsing) for name in task.columns if name not in task.targets}
    fed: dict[str, None] = {}
    beside = [name for name in evaluation.slices if name not in parsing]

    @tf.function  # traced once for all signatures, as long as none of them is left to be traced while saving
    def predict_transformed(features: Features) -> Features:
        fed.update(dict.fromkeys(features))
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

    plain = {name: _tensor_spec(name, one) for name, one in in_serving.items()}
    signatures = {
        "serving_default": serving_default.get_concrete_function(),
        "raw": raw.get_concrete_function(**plain),
        "transform_features": transform_features.get_concrete_function(),
        "evaluate": evaluate.get_concrete_function(),
    }
    if beside or evaluation.transforms_labels:
        signatures["transform_labels"] = transform_labels.get_concrete_function()
    if isinstance(task, Streams):
        signatures |= _streaming(task, model, spec, transform, plain)
    _check_media(task, predict_transformed, fed, examples)
    tf.saved_model.save(module, str(target), signatures=signatures)


def _streaming(
    task: Streams, model: Any, spec: DataSpec, transform: Callable[[Features], Features], plain: Mapping[str, Any]
) -> dict[str, Any]:
    """The signatures of an answer that is given piece by piece. `plain`: a tf.TensorSpec of each raw column."""

    @tf.function
    def begin(**tensors: Any) -> Features:
        return task.begin(model, transform(tensors), spec)

    @tf.function
    def go_on(**state: Any) -> Features:
        piece, ended, after = task.go_on(model, state, spec)
        return {PIECE: piece, ENDED: ended, **after}

    @tf.function
    def finish(**state: Any) -> Features:
        return task.finish(model, state, spec)

    first = begin.get_concrete_function(**plain)
    kept = {
        name: tf.TensorSpec([None, *output.shape[1:]], output.dtype, name)
        for name, output in first.structured_outputs.items()
    }
    return {
        BEGIN: first,
        GO_ON: go_on.get_concrete_function(**kept),
        FINISH: finish.get_concrete_function(**kept),
    }


def _check_media(task: Task, predict: Any, features: Collection[str], examples: TransformedExamples) -> None:
    """Holds one answer to the rule that media in their encoded form, and nothing else, end in `_bytes`.

    `predict` was traced with these `features`, and is not traced again.

    Raises:
      WrongUse: an output breaks the rule, and TensorFlow Serving's REST could not answer it.
    """
    where = f"trainer/tasks/{type(task).__module__.rpartition('.')[2]}.py: predict returns"
    [batch] = examples.batches(limit=1)
    for name, output in predict({feature: tf.constant(batch[feature]) for feature in features}).items():
        value = output.numpy().ravel()[0] if output.dtype == tf.string and output.shape.num_elements() else b""
        kind = kind_of(value)
        if kind and not name.endswith(ENCODED):
            raise WrongUse(f"{where} {name!r}, which is media ({kind.mime})", f"call it {name + ENCODED!r}")
        if name.endswith(ENCODED) and (kind is None or output.shape.rank != 1):
            known = ", ".join(kind.mime for kind in KINDS)
            raise WrongUse(
                f"{where} {name!r}, but not one string an example that is of a known kind of media",
                f"give it another name, or encode it as one of {known}",
            )


def _asked(name: str, task: Task, parsing: Mapping[str, Any]) -> Any:
    """How a column is parsed from the tf.Examples that are served, in which what has a default may lack."""
    default = task.columns[name].default_features(name).get(name)
    given = parsing[name]
    return given if default is None else tf.io.FixedLenFeature(given.shape, given.dtype, default)


def _tensor_spec(name: str, parsing: Any) -> Any:
    return tf.TensorSpec([None, *parsing.shape], parsing.dtype, name)
