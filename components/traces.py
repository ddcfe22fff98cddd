"""TensorFlow Transform's graphs of `preprocess`: what TFX asks of one and the same graph is asked of one.

Before TFX transforms anything it has the function traced six times over, for the columns that analysers read (twice),
those that all of it reads, the analysers' keys, the analysers, and the columns that are numbers of categories. Five are
the same graph, and the sixth can be read off it; on data of this project's size tracing is most of Transform's time.
Only the graphs that are saved, one for each round of analysers, hold what was found before and must be traced anew.

This leans on internals of TensorFlow Transform 1.16 and changes no result.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tensorflow_transform import impl_helper, schema_inference

_CATEGORIES = schema_inference._TF_METADATA_TENSOR_COLLECTION


@contextmanager
def shared() -> Iterator[None]:
    """Within, TensorFlow Transform traces a function of equal inputs once where it would look at the graph only, and
    once more where asset files are laid out for it."""
    traces = _Traces()
    usual = impl_helper.trace_preprocessing_function, schema_inference.get_traced_metadata_fn
    impl_helper.trace_preprocessing_function = functools.partial(traces.traced, usual[0])
    schema_inference.get_traced_metadata_fn = functools.partial(traces.categories, usual[1])
    try:
        yield
    finally:
        impl_helper.trace_preprocessing_function, schema_inference.get_traced_metadata_fn = usual


class _Traces:
    """The graphs of one Transform node."""

    def __init__(self) -> None:
        self._traced: list[tuple[Any, Mapping[str, Any], bool, Any]] = []
        """Function, specs of its inputs, whether asset files were laid out, and what tracing returned."""
        self._outputs: dict[tf.Graph, Mapping[str, Any]] = {}
        """What the function itself returned in each graph: a graph's own outputs may be copies, without annotations."""

    def traced(
        self,
        trace: Callable[..., Any],
        preprocessing_fn: Any,
        input_specs: Mapping[str, Any],
        use_tf_compat_v1: bool,
        base_temp_dir: str | None = None,
    ) -> Any:
        """In place of `trace`: (graph, structured inputs, structured outputs)."""
        with_assets = base_temp_dir is not None
        for function, specs, assets, found in self._traced:
            if function is preprocessing_fn and specs == input_specs and assets == with_assets:
                return found
        found = trace(self._keeping_outputs(preprocessing_fn), input_specs, use_tf_compat_v1, base_temp_dir)
        self._traced.append((preprocessing_fn, input_specs, with_assets, found))
        return found

    def _keeping_outputs(self, preprocessing_fn: Any) -> Callable[[Any], Any]:
        def kept(inputs: Any) -> Any:
            outputs = self._outputs[tf.compat.v1.get_default_graph()] = preprocessing_fn(inputs)
            return outputs

        return kept

    def categories(
        self,
        trace: Callable[..., Any],
        preprocessing_fn: Any,
        structured_inputs: Mapping[str, Any],
        tf_graph_context: Any,
        evaluate_schema_overrides: bool,
    ) -> Callable[[], Mapping[str, Any]]:
        """In place of `trace`: a function that returns the annotations of what `preprocessing_fn` returns. Of those
        that need no value of an analyser, which are all that there are before any has run, it is the names of the
        outputs that are numbers of categories."""
        graph = tf.nest.flatten(structured_inputs, expand_composites=True)[0].graph
        if evaluate_schema_overrides or graph not in self._outputs:
            return trace(preprocessing_fn, structured_inputs, tf_graph_context, evaluate_schema_overrides)
        names = schema_inference._get_tensor_value_to_key_map(self._outputs[graph])
        found = defaultdict(list)
        for tensor in graph.get_collection(_CATEGORIES):
            if tensor.name in names:
                found[_CATEGORIES].append(tf.constant(names[tensor.name]))
        return lambda: found
