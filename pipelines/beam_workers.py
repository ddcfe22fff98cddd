"""Processes that compute for Beam on the cores of this machine, forked from one that has imported everything.

A process that imports TensorFlow and TFX anew takes seconds of a core for each node that it works for. Here a server is
forked once in a run, after the imports and before TensorFlow's runtime has started, whose threads would not survive a
fork. It forks the workers of each node in milliseconds, which share the imported code with it.

A socket, its *lifeline*, ties each worker to the run. When the run ends, be it by `kill -9`, the lifelines break, and
the workers end; when a worker is killed, its lifeline tells the run. This leans on internals of Beam 2.64.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from apache_beam.internal import pickler
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.worker.sdk_worker import SdkHarness

from data.errors import BenisonError
from trainer.memory import free_memory

STATE_CACHE_BYTES = 100 << 20
FLUSH_MILLISECONDS = 1000
WORKER_BYTES = 700_000_000
"""What a worker takes beside what it shares, with TensorFlow at work in it."""
MEMORY_SHARE = 0.5
"""Of the free memory, that workers may take."""
LAST_SECONDS = 5.0
"""How long a worker whose work is done may take to end."""
_PR_SET_PDEATHSIG = 1
_LOG = logging.getLogger(__name__)

_server: ForkServer | None = None


def current() -> ForkServer | None:
    """The server of the run that goes on in this process; None if it computes in this process alone."""
    return _server


@contextmanager
def forked(processes: int) -> Iterator[None]:
    """Within, Beam may have up to so many workers. With one, or where TensorFlow has started already, it has none: all
    is computed in this process, with the same results."""
    global _server
    if processes < 2 or tensorflow_runs():
        yield
        return
    _server = ForkServer(processes)
    try:
        yield
    finally:
        _server.close()
        _server = None


def tensorflow_runs() -> bool:
    """Whether TensorFlow's runtime has started in this process, which cannot be forked any more."""
    context = sys.modules.get("tensorflow.python.eager.context")
    there = context.context_safe() if context else None
    return there is not None and there._context_handle is not None


class ForkServer:
    """A process that forks workers. It ends when this object is closed, or with the process that made it."""

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self._lock = threading.Lock()
        self._requests, served = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        if os.fork() == 0:
            _serve(served, parent)
        served.close()

    def fork(self, work: dict[str, str]) -> socket.socket:
        """Makes a worker that does this work, and returns its lifeline. Raises BenisonError if the server is gone."""
        lifeline, other_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with self._lock, other_end:
                socket.send_fds(self._requests, [json.dumps(work).encode()], [other_end.fileno()])
        except OSError as error:
            lifeline.close()
            raise lost_worker() from error
        return lifeline

    def processes_now(self) -> int:
        """As many as may be, and fewer where memory is short, be it the machine's or the container's."""
        return min(self.processes, max(1, int(free_memory() * MEMORY_SHARE // WORKER_BYTES)))

    def close(self) -> None:
        self._requests.close()


def lost_worker() -> BenisonError:
    return BenisonError(
        "a worker process was killed before its work was done: most often by the system, for lack of memory",
        "run the same command again: finished nodes are kept; with --set beam.workers=1 it takes the least memory",
    )


# --- in the server, and in the workers ---


def _serve(requests: socket.socket, parent: int) -> NoReturn:
    try:
        _end_with(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the run says what is to end
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # leaves no zombies
        # What else is open is the run's: a lock of the workspace would live on here.
        _log_to_stderr()
        os.closerange(3, requests.fileno())
        os.closerange(requests.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        while True:
            asked, descriptors, _, _ = socket.recv_fds(requests, 1 << 16, 1)
            if not asked:
                break
            server = os.getpid()
            if os.fork() == 0:
                requests.close()
                _end_with(server)
                _work(socket.socket(fileno=descriptors[0]), **json.loads(asked))
            os.close(descriptors[0])
    except BaseException:
        _LOG.exception("the server of worker processes")
    finally:
        os._exit(0)


def _log_to_stderr() -> None:
    """Python's log goes to where the run's log goes, by no file of the run's own."""
    root = logging.getLogger()
    formatter = root.handlers[0].formatter if root.handlers else None
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root.handlers[:] = [handler]


def _end_with(parent: int) -> None:
    """Has the kernel kill this process when its parent ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it had ended before
        os._exit(1)


def _work(lifeline: socket.socket, control: str, worker: str) -> NoReturn:
    """Does what a runner's control service asks for, until it asks for nothing more or the lifeline breaks."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        threading.Thread(target=_end_without, args=(lifeline,), daemon=True).start()
        pickler.set_library(pickler.USE_CLOUDPICKLE)
        SdkHarness(
            control,
            worker_id=worker,
            state_cache_size=STATE_CACHE_BYTES,
            data_buffer_time_limit_ms=FLUSH_MILLISECONDS,
            runner_capabilities=worker_handlers.FNAPI_RUNNER_CAPABILITIES,
        ).run()
        code = 0
    except BaseException:
        _LOG.exception("worker %s", worker)
    finally:
        os._exit(code)


def _end_without(lifeline: socket.socket) -> NoReturn:
    lifeline.recv(1)
    os._exit(1)


# --- in the run ---


class ForkedWorker(worker_handlers.GrpcWorkerHandler):
    """Beam's handle of a worker process."""

    def __init__(self, server: ForkServer, state: Any, provision_info: Any, grpc_server: Any) -> None:
        super().__init__(state, provision_info, grpc_server)
        self._server = server
        self._lifeline: socket.socket | None = None
        self._gone = threading.Event()
        self._closing = False

    def start_worker(self) -> None:
        self._lifeline = self._server.fork({"control": self.control_address, "worker": self.worker_id})
        threading.Thread(target=self._watch, args=(self._lifeline,), daemon=True).start()

    def is_lost(self, within: float = 1.0) -> bool:
        """Whether the process has ended, or ends in so many seconds, though it was not asked to."""
        return self._gone.wait(within) and not self._closing

    def kill(self) -> None:
        """Ends the process, at whatever it is."""
        with suppress(OSError):  # it has ended by itself meanwhile
            if self._lifeline is not None:
                self._lifeline.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._closing = True
        super().close()

    def stop_worker(self) -> None:
        if not self._gone.wait(LAST_SECONDS):
            self.kill()

    def _watch(self, lifeline: socket.socket) -> None:
        lifeline.recv(1)  # returns when the other end is closed: nobody sends anything
        self._gone.set()
        lifeline.close()
        if not self._closing:
            self.control_conn.abort(lost_worker())
            self.data_conn.close()


def workers(manager: worker_handlers.WorkerHandlerManager, server: ForkServer, number: int) -> list[ForkedWorker]:
    """So many workers of a pipeline that runs, made when they are first asked for, which end with it."""
    there = manager._cached_handlers[__name__]
    if manager._grpc_server is None:
        manager._grpc_server = worker_handlers.GrpcServer(manager.state_servicer, manager._job_provision_info, manager)
    while len(there) < number:
        worker = ForkedWorker(server, manager.state_servicer, manager._job_provision_info, manager._grpc_server)
        there.append(worker)
        manager._workers_by_id[worker.worker_id] = worker
        worker.start_worker()
    return there[:number]
