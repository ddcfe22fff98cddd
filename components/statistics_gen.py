"""TFX's StatisticsGen, in batches of one size.

Where Beam sizes batches by the time that they take, means come out another way in their last digits from run to run, as
`components.transform` says.
"""

from __future__ import annotations

from typing import Any

from tfx.components.statistics_gen import component, executor
from tfx.dsl.components.base import executor_spec
from tfx_bsl.coders import batch_util

BATCH = 1000
"""Examples: as many as TFX would have in a batch at most."""


class StatisticsExecutor(executor.Executor):
    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:
        chosen = batch_util.GetBatchElementsKwargs
        batch_util.GetBatchElementsKwargs = lambda *_: {"min_batch_size": BATCH, "max_batch_size": BATCH}
        try:  # TFX lets nobody choose
            super().Do(input_dict, output_dict, exec_properties)
        finally:
            batch_util.GetBatchElementsKwargs = chosen


class StatisticsGen(component.StatisticsGen):
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(StatisticsExecutor)
