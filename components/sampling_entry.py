"""The function by whose name TFX's Evaluator asks for extractors. TFX loads its module anew each time, so that it holds
nothing but this."""

from __future__ import annotations

from typing import Any

from components import sampling


def extractors(eval_shared_model: Any, eval_config: Any, tensor_adapter_config: Any) -> list[Any]:
    """As `components.sampling.extractors`."""
    return sampling.extractors(eval_shared_model, eval_config, tensor_adapter_config)
