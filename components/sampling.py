"""How far a metric's value lies from chance: its values without each group of examples in turn, and constant answers.

A branch of TFMA's pipeline, behind its extractors: no example is read and no model is asked a second time. The examples
of the whole split fall into `GROUPS` groups by a hash of their content, so that copies stay together and equal runs
come to equal numbers. Of each group the metrics' own accumulators are kept; merged without one group at a time, they
give the delete-a-group jackknife's values for the candidate and the baseline, on the same groups.

Of a large split some `EXAMPLES` are taken for this, by the same hash. Since a standard error falls with the root of the
number of examples, the values without each group are then drawn together as far as the whole split would draw them.

TFMA's own confidence intervals do the same for every slice in stages of their own, with groups that differ from run to
run; here it is one stage.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import json
import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.evaluators import jackknife
from tensorflow_model_analysis.evaluators import metrics_plots_and_validations_evaluator as of_tfma
from tensorflow_model_analysis.metrics import metric_specs, metric_types

from components import compared
from components.judgement import Estimate

GROUPS = 20
"""As many as TFMA's jackknife takes."""

EXAMPLES = 2_500
"""Examples from which errors are drawn, where there are more; the groups then hold some 125 each."""

SAMPLING = "sampling.json"
"""Model name -> metric -> value and values without each group; of the constant answer under `CONSTANT_ANSWER`."""

CONSTANT_ANSWER = "constant"

_LABELS = "_labels"


@dataclass(frozen=True)
class _Asked:
    directory: str
    share: float
    """Of the examples, errors are drawn from."""


_ASKED: ContextVar[_Asked] = ContextVar("asked")
"""TFX's executor asks for the extractors by the name of a function and has no more to say to it."""


@contextlib.contextmanager
def written_to(directory: str, examples: int) -> Iterator[dict[str, str]]:
    """Execution properties with which TFX's Evaluator writes `SAMPLING` into `directory`, while the context lasts.

    `examples` is how many there are.
    """
    token = _ASKED.set(_Asked(directory, min(1.0, EXAMPLES / max(examples, 1))))
    try:
        yield {"custom_extractors": "components.sampling_entry.extractors"}
    finally:
        _ASKED.reset(token)


def read(directory: Path) -> dict[str, dict[str, Estimate]]:
    """Model name -> metric -> estimate; empty where nothing was written, as of a split without examples."""
    file = directory / SAMPLING
    if not file.exists():
        return {}
    found = json.loads(file.read_text(encoding="utf-8"))
    return {
        model: {name: Estimate(one["value"], tuple(one["without"])) for name, one in metrics.items()}
        for model, metrics in found.items()
    }


def extractors(eval_shared_model: Any, eval_config: tfma.EvalConfig, tensor_adapter_config: Any) -> list[Any]:
    """TFMA's extractors, and one behind them that lets every extract through."""
    usual = tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
    )
    through = _Sampled(eval_config, _ASKED.get())
    return [
        *compared.with_outputs(usual, eval_config),
        tfma.extractors.Extractor(stage_name="Sampling", ptransform=through),
    ]


class _Sampled(beam.PTransform):
    """Extracts, unchanged; as a side effect `SAMPLING` is written."""

    def __init__(self, config: tfma.EvalConfig, asked: _Asked) -> None:
        super().__init__()
        self._config, self._asked = config, asked

    def expand(self, extracts: beam.PCollection) -> beam.PCollection:
        computations, labels = _computations(self._config), _Labels(self._config)
        combiner = of_tfma._ComputationsCombineFn(computations.non_derived_computations)
        counted = (
            extracts
            | "Inputs" >> beam.Map(metric_types.StandardMetricInputs)
            | "CountLabels" >> beam.CombineGlobally(labels)
        )
        _ = (
            extracts
            | "Group" >> beam.ParDo(_Grouped(computations.non_derived_computations, self._asked.share))
            | "CountEachGroup" >> beam.CombinePerKey(jackknife._AccumulateOnlyCombineFn(combiner))
            | "AllGroups" >> beam.combiners.ToList()
            | "LeaveOneOut"
            >> beam.ParDo(
                _LeaveOneOut(combiner, computations.derived_computations, self._config, self._asked),
                beam.pvalue.AsSingleton(counted),
            )
        )
        return extracts


def _computations(config: tfma.EvalConfig) -> Any:
    """Of all metrics but plots, and the counts of labels beside them."""
    specs = [_without_plots(spec) for spec in config.metrics_specs]
    labels = _Labels(config)
    counts = [metric_types.MetricComputation(labels.keys, None, labels)] if labels.keys else []
    return of_tfma._filter_and_separate_computations(
        [*metric_specs.to_computations(specs, eval_config=config), *counts]
    )


def _without_plots(spec: tfma.MetricsSpec) -> tfma.MetricsSpec:
    kept = [metric for metric in spec.metrics if not metric.class_name.endswith("Plot")]
    spec = copy.deepcopy(spec)
    del spec.metrics[:]
    spec.metrics.extend(kept)
    return spec


def _output(spec: tfma.MetricsSpec) -> str:
    """TFMA's output that these metrics are of: one pair of tensors and a label, "" if there is no other."""
    return next(iter(spec.output_names), "")


class _Grouped(of_tfma._PreprocessorDoFn):
    """(group, what the combiners take) of a share of the extracts."""

    def __init__(self, computations: Any, share: float) -> None:
        super().__init__(computations)
        self._share = share

    def process(self, extracts: Mapping[str, Any]) -> Iterable[tuple[int, Any]]:
        content = extracts[tfma.INPUT_KEY]
        place, group = divmod(zlib.crc32(content if isinstance(content, bytes) else np.ravel(content)[0]), GROUPS)
        if place < self._share * 2**32 / GROUPS:
            for prepared in super().process(extracts):
                yield group, prepared


class _Labels(beam.CombineFn):
    """How often each label of an output occurs, where a label is one number: texts and pictures would be kept whole."""

    def __init__(self, config: tfma.EvalConfig) -> None:
        self._model = next((spec.name for spec in config.model_specs if not spec.is_baseline), "")
        outputs = sorted({_output(spec) for spec in config.metrics_specs})
        self.keys = [
            metric_types.MetricKey(_LABELS, output_name=output)
            for output in outputs
            if any(spec.label_key or output in spec.label_keys for spec in config.model_specs)
        ]

    def create_accumulator(self) -> list[Counter[Any]]:
        return [Counter() for _ in self.keys]

    def add_input(self, accumulator: list[Counter[Any]], element: Any) -> list[Counter[Any]]:
        for key, counter in zip(self.keys, accumulator, strict=True):
            label = np.asarray(element.get_labels(self._model, key.output_name))
            if label.size == 1 and label.dtype.kind in "iuf":
                counter[label.ravel()[0].item()] += 1
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[list[Counter[Any]]]) -> list[Counter[Any]]:
        return [sum(counters, Counter()) for counters in zip(*accumulators, strict=True)]

    def extract_output(self, accumulator: list[Counter[Any]]) -> dict[Any, Counter[Any]]:
        return dict(zip(self.keys, accumulator, strict=True))


class _LeaveOneOut(beam.DoFn):
    """From the accumulators of all groups, and the labels of all examples, to `SAMPLING`."""

    def __init__(self, combiner: Any, derived: Sequence[Any], config: tfma.EvalConfig, asked: _Asked) -> None:
        self._combiner, self._derived = combiner, derived
        self._config, self._asked = config, asked

    def setup(self) -> None:
        self._combiner.setup()

    def teardown(self) -> None:
        self._combiner.teardown()

    def process(self, groups: list[tuple[int, Any]], labels: Mapping[Any, Counter[Any]]) -> Iterable[None]:
        accumulators = [accumulator for _, accumulator in sorted(groups, key=lambda pair: pair[0])]
        if accumulators:
            whole, rests = self._metrics(self._merged(accumulators)), list(self._without_each(accumulators))
            found = self._estimates(whole, rests) | {CONSTANT_ANSWER: self._constant_answers(labels, rests)}
            text = json.dumps(found, default=float)
            Path(self._asked.directory, SAMPLING).write_text(text, encoding="utf-8")
        return ()

    def _merged(self, accumulators: Sequence[Any]) -> Any:
        """Copies are merged: merging may change the first accumulator."""
        return self._combiner.merge_accumulators(copy.deepcopy(list(accumulators)))

    def _without_each(self, accumulators: Sequence[Any]) -> Iterator[dict[Any, Any]]:
        """The metrics without each group in turn, from what is merged before it and behind it."""
        behind = [self._combiner.create_accumulator()]
        for accumulator in reversed(accumulators[1:]):
            behind.append(self._merged([behind[-1], accumulator]))
        before = self._combiner.create_accumulator()
        for accumulator in accumulators:
            yield self._metrics(self._merged([before, behind.pop()]))
            before = self._merged([before, accumulator])

    def _metrics(self, accumulator: Any) -> dict[Any, Any]:
        metrics: dict[Any, Any] = dict(self._combiner.extract_output(accumulator))
        for computation in self._derived:
            metrics.update(computation.result(metrics))
        return metrics

    def _estimates(self, whole: Mapping[Any, Any], rests: Sequence[Mapping[Any, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in whole.items():
            if not key.name.startswith("_") and key.sub_key is None and _is_number(value):
                without = [float(np.ravel(rest.get(key, math.nan))[0]) for rest in rests]
                found.setdefault(key.model_name, {})[key.name] = {
                    "value": float(np.ravel(value)[0]),
                    "without": self._of_all(without),
                }
        return found

    def _constant_answers(self, labels: Mapping[Any, Counter[Any]], rests: Sequence[Mapping[Any, Any]]) -> Any:
        found: dict[str, Any] = {}
        for spec in self._config.metrics_specs:
            key = metric_types.MetricKey(_LABELS, output_name=_output(spec))
            for metric in spec.metrics:
                answer = _constant_answer(metric)
                if answer is not None and (value := answer(labels.get(key, Counter()))) is not None:
                    name = json.loads(metric.config or "{}").get("name", metric.class_name)
                    others = [answer(rest.get(key, Counter())) for rest in rests]
                    without = self._of_all([math.nan if other is None else other for other in others])
                    found[name] = {"value": value, "without": without}
        return found

    def _of_all(self, without: list[float]) -> list[float]:
        """As far apart as all examples would draw them, of which these are a share."""
        middle = sum(without) / len(without)
        return [middle + math.sqrt(self._asked.share) * (value - middle) for value in without]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) or (isinstance(value, np.ndarray) and value.size == 1)


# --- constant answers ---


def _constant_answer(metric: tfma.MetricConfig) -> Callable[[Counter[Any]], float | None] | None:
    """The value of a metric for the best constant answer, given how often each label occurs; None if there is none.

    A metric of ours says it in its class attribute `constant_value`, or names in `constant_like` the entry of
    `_OF_LABELS` that comes to the same; of TFMA's it follows from the labels.
    """
    like = metric.class_name
    if metric.module:
        found = getattr(importlib.import_module(metric.module), metric.class_name)
        fixed = getattr(found, "constant_value", None)
        if fixed is not None:
            return lambda labels: float(fixed)
        like = getattr(found, "constant_like", "")
    return _OF_LABELS.get(like)


def _most_frequent(labels: Counter[Any]) -> float | None:
    """The share of the most frequent class. -1 is any class that the train split lacks."""
    known = [count for label, count in labels.items() if label != -1]
    return max(known) / labels.total() if known else None


def _macro_f1(labels: Counter[Any]) -> float | None:
    """Of the most frequent class all are found among all examples; of the others none is."""
    share = _most_frequent(labels)
    return None if share is None else 2 * share / (1 + share) / len(labels)


def _one_of_classes(labels: Counter[Any]) -> float | None:
    """Of one class all are found, of the others none."""
    return 1 / len(labels) if any(label != -1 for label in labels) else None


def _entropy(labels: Counter[Any]) -> float | None:
    """In nats: the cross-entropy of the classes' own shares."""
    if not labels or -1 in labels:
        return None
    total = labels.total()
    return -sum(count / total * math.log(count / total) for count in labels.values()) + 0.0


def _about_median(labels: Counter[Any]) -> float | None:
    values, counts = _numbers(labels)
    if not len(values):
        return None
    median = values[np.searchsorted(np.cumsum(counts), counts.sum() / 2)]
    return float(np.average(np.abs(values - median), weights=counts))


def _about_mean(labels: Counter[Any]) -> float | None:
    values, counts = _numbers(labels)
    if not len(values):
        return None
    return float(np.average((values - np.average(values, weights=counts)) ** 2, weights=counts))


def _root_about_mean(labels: Counter[Any]) -> float | None:
    squared = _about_mean(labels)
    return None if squared is None else math.sqrt(squared)


def _numbers(labels: Counter[Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Numeric labels in order, float64, and how often each occurs."""
    pairs = sorted((float(label), count) for label, count in labels.items() if isinstance(label, (int, float)))
    table = np.array(pairs, np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


_OF_LABELS: dict[str, Callable[[Counter[Any]], float | None]] = {
    "SparseCategoricalAccuracy": _most_frequent,
    "SparseCategoricalCrossentropy": _entropy,
    "MacroF1": _macro_f1,
    "UnweightedAverageRecall": _one_of_classes,
    "MeanAbsoluteError": _about_median,
    "MeanSquaredError": _about_mean,
    "RootMeanSquaredError": _root_about_mean,
}
