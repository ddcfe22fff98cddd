"""Several labels and predictions in one evaluation: each pair that some metric compares is one of TFMA's outputs.

TFMA finds an output's label by itself (`ModelSpec.label_keys`), its prediction only where the model answers with one
tensor of that name. Here an output has the tensors that `ModelSpec.prediction_keys`, of which TFMA makes no use where a
model is run, names for it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import apache_beam as beam
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.extractors.predictions_extractor import PREDICTIONS_EXTRACTOR_STAGE_NAME

from trainer.evaluation import Compared
from trainer.export import TARGET_SUFFIX

_SEPARATOR = ","


def describe(pairs: tuple[Compared, ...], spec: tfma.ModelSpec) -> None:
    """Writes into `spec` what is compared: one pair as TFMA's only output, several under their names."""
    if len(pairs) == 1:
        [pair] = pairs
        if len(pair.predictions) == 1:
            spec.prediction_key = pair.predictions[0]
        if pair.label:
            spec.label_key = _key(pair)
    else:
        for pair in pairs:
            spec.prediction_keys[str(pair)] = _SEPARATOR.join(pair.predictions)
            if pair.label:
                spec.label_keys[str(pair)] = _key(pair)


def _key(pair: Compared) -> str:
    return str(pair.label) + ("" if pair.raw_label else TARGET_SUFFIX)


def with_outputs(extractors: Sequence[Any], config: tfma.EvalConfig) -> list[Any]:
    """TFMA's extractors, where there are several pairs with one more: predictions by output in place of by tensor."""
    keys = {spec.name: dict(spec.prediction_keys) for spec in config.model_specs}
    if not any(keys.values()):
        return list(extractors)
    outputs = tfma.extractors.Extractor("Outputs", beam.Map(functools.partial(_with_outputs, keys=keys)))
    place = [one.stage_name for one in extractors].index(PREDICTIONS_EXTRACTOR_STAGE_NAME) + 1
    return [*extractors[:place], outputs, *extractors[place:]]


def _with_outputs(extracts: Mapping[str, Any], keys: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    found = extracts[tfma.PREDICTIONS_KEY]
    if len(keys) == 1:
        [of_model] = keys.values()
        found = _outputs(found, of_model)
    else:
        found = {model: _outputs(found[model], of_model) for model, of_model in keys.items()}
    return {**extracts, tfma.PREDICTIONS_KEY: found}


def _outputs(predictions: Any, keys: Mapping[str, str]) -> dict[str, Any]:
    """Output -> its tensor, or name -> tensor where it has several. A model's only tensor TFMA hands over bare."""
    if not isinstance(predictions, Mapping):
        return dict.fromkeys(keys, predictions)
    named = {output: key.split(_SEPARATOR) for output, key in keys.items()}
    return {
        output: predictions[names[0]] if len(names) == 1 else {name: predictions[name] for name in names}
        for output, names in named.items()
    }
