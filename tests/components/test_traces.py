"""One graph answers what TensorFlow Transform asks of it, and answers the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tensorflow_transform as tft
from tensorflow_transform import graph_context, impl_helper, schema_inference, tf2_utils
from tensorflow_transform.beam import analysis_graph_builder

from components import traces
from trainer.backend import tf

SPECS = {"word": tf.TensorSpec([None], tf.string), "size": tf.TensorSpec([None], tf.float32)}


class Preprocessing:
    """Counts how often it is traced."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, inputs: Any) -> dict[str, Any]:
        self.times += 1
        index = tft.compute_and_apply_vocabulary(inputs["word"], vocab_filename="words")
        return {"index": index, "same": inputs["word"], "scaled": inputs["size"] - tft.mean(inputs["size"])}


def asked(preprocessing: Callable[[Any], Any], folder: str) -> list[Any]:
    """What TFX asks before it transforms anything, in its order."""
    columns = tft.get_analyze_input_columns(preprocessing, dict(SPECS))
    again = tft.get_analyze_input_columns(preprocessing, dict(SPECS))
    needed = tft.get_transform_input_columns(preprocessing, dict(SPECS))
    keys = analysis_graph_builder.get_analysis_cache_entry_keys(preprocessing, dict(SPECS), [], False)
    graph, inputs, outputs = impl_helper.trace_preprocessing_function(preprocessing, dict(SPECS), False, folder)
    context = graph_context.TFGraphContext(tf.Module(), folder, {})
    categories = schema_inference.get_traced_metadata_fn(
        preprocessing_fn=preprocessing,
        structured_inputs=tf2_utils.get_structured_inputs_from_func_graph(graph),
        tf_graph_context=context,
        evaluate_schema_overrides=False,
    )
    schema = schema_inference.infer_feature_schema_v2(outputs, categories, evaluate_schema_overrides=False)
    return [columns, again, needed, keys, sorted(inputs), sorted(outputs), schema]


def test_six_questions_of_one_function_take_two_graphs_and_have_the_same_answers(tmp_path: Any) -> None:
    usual, shared = Preprocessing(), Preprocessing()
    expected = asked(usual, str(tmp_path))
    with traces.shared():
        found = asked(shared, str(tmp_path))
    assert found == expected and [feature.name for feature in found[-1].feature] == ["index", "same", "scaled"]
    assert found[-1].feature[0].int_domain.is_categorical
    assert (usual.times, shared.times) == (6, 2)


def test_other_inputs_and_other_functions_have_graphs_of_their_own() -> None:
    one, other = Preprocessing(), Preprocessing()
    wider = {**SPECS, "size": tf.TensorSpec([None, 2], tf.float32)}
    with traces.shared():
        for preprocessing, specs in ((one, SPECS), (one, wider), (other, SPECS), (one, SPECS)):
            assert sorted(tft.get_transform_input_columns(preprocessing, specs)) == ["size", "word"]
    assert (one.times, other.times) == (2, 1)


def test_afterwards_all_is_traced_anew_also_when_tracing_failed() -> None:
    usual = impl_helper.trace_preprocessing_function, schema_inference.get_traced_metadata_fn

    def fails(inputs: Any) -> Any:
        raise ValueError("no such column")

    with pytest.raises(ValueError, match="no such column"), traces.shared():
        tft.get_analyze_input_columns(fails, SPECS)
    assert (impl_helper.trace_preprocessing_function, schema_inference.get_traced_metadata_fn) == usual
