"""TFX's Transform, in batches of one size and with fewer traces of `preprocess`.

TFX leaves the size of batches to Beam, which goes by the time that they take. Sums of floats depend on it: on the same
data means and deviations came out another way in their last digits, and of these another model, from run to run.
"""

from __future__ import annotations

from typing import Any

from tfx.components.transform import component, executor
from tfx.dsl.components.base import executor_spec

from components import traces

BATCH = 256
"""Examples: few enough for decoded pictures, and enough that handing a batch over costs next to nothing."""


class _Processor(executor.TransformProcessor):
    def _GetDesiredBatchSize(self, data_format: Any, schema: Any) -> int:
        return BATCH


class TransformExecutor(executor.Executor):
    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:
        executor.TransformProcessor = _Processor  # TFX takes it by this name, and lets nobody choose
        with traces.shared():
            super().Do(input_dict, output_dict, exec_properties)


class Transform(component.Transform):
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(TransformExecutor)
