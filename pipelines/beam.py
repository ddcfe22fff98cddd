"""Beam as this project runs it: the pipeline options, and one thing that Beam computes over and over remembered.

A node's Beam pipeline has hundreds of steps but, on data that fits a machine, few seconds of real work: most of its
time goes into building and starting it. What is here leans on internals of Beam 2.64 and changes no result.
"""

from __future__ import annotations

import functools
import types
import weakref
from typing import Any

BEAM_ARGS = [
    "--direct_running_mode=in_memory",
    # Without one of the flags that name the workers' software, TFX builds a source distribution of itself for each
    # node, to ship to workers that the in-memory runner does not have: 1 to 3 s a node.
    "--sdk_container_image=in-process",
    "--pickle_library=cloudpickle",  # a third faster than dill on the thousands of small objects that are pickled
    "--no_pipeline_type_check",  # TFX's pipelines were checked when TFX was tested
]


@functools.cache
def remember_dofn_specs() -> None:
    """Makes Beam look for the state and timers of each class of DoFn once.

    It goes through all methods of each of some hundred DoFns by `inspect.signature`, several times over: a tenth of
    the time of Transform and of StatisticsGen. What it finds depends on the methods of the class alone, unless an
    instance was given methods of its own.
    """
    from apache_beam.transforms import userstate

    found: weakref.WeakKeyDictionary[type, Any] = weakref.WeakKeyDictionary()
    look = userstate.get_dofn_specs

    def get_dofn_specs(dofn: Any) -> Any:
        if any(isinstance(value, types.MethodType) for value in vars(dofn).values()):
            return look(dofn)
        kind = type(dofn)
        if kind not in found:
            found[kind] = look(dofn)
        return found[kind]

    userstate.get_dofn_specs = get_dofn_specs
