"""Beam's pipelines in parts: each file is read by itself, and any number of processes gives one result.

Beam's own runner hands each of N workers an N-th of the elements and takes results as they come, so that sums of
floats, and of them means and models, change with N. Here a stage that reads is run in one part for each element of its
input, which is a file or a shard, be it in one process or in several, and the outputs of the parts are put together in
the order of the parts. How many files there are depends on the data alone (`data.folders.folder`).

All other stages have little to do: they compute in the run's own process, with no worker to be asked. This leans on
internals of Beam 2.64.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from apache_beam.io import filebasedsink
from apache_beam.metrics import monitoring_infos
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_fn_api_pb2
from apache_beam.runners.direct import direct_runner
from apache_beam.runners.portability.fn_api_runner import fn_runner
from apache_beam.runners.worker import bundle_processor
from apache_beam.transforms import core

from pipelines import beam_workers
from pipelines.beam_workers import ForkedWorker

_READS = common_urns.sdf_components.PROCESS_SIZED_ELEMENTS_AND_RESTRICTIONS.urn
_CHANNELS = (bundle_processor.DATA_INPUT_URN, bundle_processor.DATA_OUTPUT_URN)


@functools.cache
def read_in_parts() -> None:
    """Makes Beam, in this process, take the runner of this module where it would take its own."""
    fn_runner.FnApiRunner = PartsRunner
    # Several files of one writer lie in the order of the parts that they were written by. Beam sorts them by their
    # temporary names, which are drawn.
    vars(filebasedsink)["sorted"] = list
    core._CombinePerKeyWithHotKeyFanout.expand = functools.partialmethod(
        _combine, core._CombinePerKeyWithHotKeyFanout.expand
    )


def _combine(transform: Any, spread: Callable[[Any, Any], Any], values: Any) -> Any:
    """Combines what parts found in their order, where TensorFlow Transform and TFDV ask for a fanout of hot keys.

    `spread`, Beam's own way, draws for each part one of several heaps with which it is combined first. That relieves a
    cluster's machines; here there is nothing to relieve, and sums of floats came out another way in each run.
    """
    if isinstance(values.pipeline.runner, direct_runner.SwitchingDirectRunner):
        return values | core.CombinePerKey(transform._combine_fn)
    return spread(transform, values)


class PartsRunner(fn_runner.FnApiRunner):
    def _get_bundle_manager(self, bundle_context_manager: Any) -> Any:
        stage = bundle_context_manager.stage
        if stage.is_stateful() or not any(transform.spec.urn == _READS for transform in stage.transforms):
            return super()._get_bundle_manager(bundle_context_manager)
        return _InParts(
            bundle_context_manager,
            self._progress_frequency,
            cache_token_generator=self.get_cache_token_generator(static=False),
        )


class _InParts(fn_runner.BundleManager):
    """Runs one stage: each element of its input in a bundle of its own."""

    def process_bundle(
        self,
        inputs: Mapping[str, Any],
        expected_outputs: Any,
        fired_timers: Any,
        expected_output_timers: Any,
        **how: Any,
    ) -> Any:
        context = self.bundle_context_manager
        parts = [{name: [element]} for name, buffer in inputs.items() for element in _elements(context, name, buffer)]
        server = beam_workers.current()
        if len(parts) < 2:
            return super().process_bundle(inputs, expected_outputs, fired_timers, expected_output_timers, **how)
        number = min(len(parts), server.processes_now()) if server else 1
        if server is None or number < 2:
            results = [super(_InParts, self).process_bundle(part, expected_outputs, {}, {}, **how) for part in parts]
            return _merged(results)
        manager = context.execution_context.worker_handler_manager
        workers = beam_workers.workers(manager, server, number)
        descriptor = _descriptor_for(workers[0], context.process_bundle_descriptor)
        manager.register_process_bundle_descriptor(descriptor)
        return _merged(list(self._on(workers, descriptor, parts, expected_outputs, how)))

    def _on(
        self,
        workers: Sequence[ForkedWorker],
        descriptor: Any,
        parts: Sequence[Mapping[str, list[bytes]]],
        expected_outputs: Any,
        how: Mapping[str, Any],
    ) -> Iterator[Any]:
        """The results of the parts in their order, each after its outputs were taken over."""
        idle: SimpleQueue[ForkedWorker] = SimpleQueue()
        for worker in workers:
            idle.put(worker)

        def run(part: Mapping[str, list[bytes]]) -> tuple[Any, _Part]:
            worker = idle.get()
            stage = _Part(worker, descriptor)
            manager = fn_runner.BundleManager(
                stage, self._progress_frequency, cache_token_generator=self._cache_token_generator
            )
            try:
                return manager.process_bundle(part, expected_outputs, {}, {}, **how), stage
            except Exception as error:
                if worker.is_lost():
                    raise beam_workers.lost_worker() from error
                raise
            finally:
                idle.put(worker)

        with ThreadPoolExecutor(len(workers)) as pool:
            running = [pool.submit(run, part) for part in parts]
            try:
                for future in running:
                    result, stage = future.result()
                    for buffer_id, transform_id, data in stage.outputs:
                        self.bundle_context_manager.get_buffer(buffer_id, transform_id).append(data)
                    stage.outputs.clear()
                    yield result
            except BaseException:
                for future in running:
                    future.cancel()
                for worker in workers:
                    worker.kill()
                raise


class _Part:
    """What Beam's manager of a bundle asks of the stage: one worker, and where outputs go, which wait here."""

    split_managers = ()

    def __init__(self, worker: ForkedWorker, descriptor: Any) -> None:
        self.worker_handlers = [worker]
        self.process_bundle_descriptor = descriptor
        self.outputs: list[tuple[bytes, str, bytes]] = []

    def get_buffer(self, buffer_id: bytes, transform_id: str) -> _Output:
        return _Output(self.outputs, buffer_id, transform_id)


class _Output:
    def __init__(self, outputs: list[tuple[bytes, str, bytes]], buffer_id: bytes, transform_id: str) -> None:
        self._outputs, self._place = outputs, (buffer_id, transform_id)

    def append(self, data: bytes) -> None:
        self._outputs.append((*self._place, data))


def _elements(context: Any, name: str, buffer: Any) -> list[bytes]:
    """The encoded elements of an input, one by one."""
    coder = context.get_input_coder_impl(name)
    return [coder.encode_nested(element) for data in buffer for element in coder.decode_all(data)]


def _descriptor_for(worker: ForkedWorker, embedded: Any) -> Any:
    """What tells a worker process of a stage, where `embedded` tells it to this process."""
    descriptor = beam_fn_api_pb2.ProcessBundleDescriptor()
    descriptor.CopyFrom(embedded)
    descriptor.id = f"{embedded.id}_in_processes"
    descriptor.state_api_service_descriptor.CopyFrom(worker.state_api_service_descriptor())
    descriptor.timer_api_service_descriptor.CopyFrom(worker.data_api_service_descriptor())
    for transform in descriptor.transforms.values():
        if transform.spec.urn in _CHANNELS:
            port = beam_fn_api_pb2.RemoteGrpcPort.FromString(transform.spec.payload)
            port.api_service_descriptor.CopyFrom(worker.data_api_service_descriptor())
            transform.spec.payload = port.SerializeToString()
    return descriptor


def _merged(results: Sequence[Any]) -> Any:
    """The results of a stage's parts as that of one bundle: (response, splits)."""
    infos = (response.process_bundle.monitoring_infos for response, _ in results)
    response = beam_fn_api_pb2.InstructionResponse(
        process_bundle=beam_fn_api_pb2.ProcessBundleResponse(
            monitoring_infos=monitoring_infos.consolidate(itertools.chain.from_iterable(infos))
        )
    )
    return response, [split for _, splits in results for split in splits]
