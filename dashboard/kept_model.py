"""A pushed model in a process of its own, held to a size and a time, which is kept for the next question."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar


class Died(Exception):
    """The process ended, or was ended, without an answer. The text says why."""


class KeptModel:
    """Starts the process; `pipelines.serving.questions` says what it understands. It ends when this process does, too,
    however that ends: nobody is left who could ask it."""

    MEMORY_BYTES: ClassVar[int] = 16 * 2**30
    """Address space of the process; TensorFlow reserves far more than it uses."""
    WRITTEN_BYTES: ClassVar[int] = 64 * 2**20
    """Of any file that it writes."""
    REPLY_BYTES: ClassVar[int] = 64 * 2**20

    def __init__(self, serving: Path, task: str, version: int) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "BENISON_DASHBOARD_TOKEN"}
        environment["CUDA_VISIBLE_DEVICES"] = ""  # one answer is not worth a GPU, whose driver would break the limit
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `end`)
        fcntl.fcntl(self._complaints, fcntl.F_SETFL, os.O_APPEND)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.serving.questions", str(serving), task, str(version)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env=environment,
            start_new_session=True,
        )
        for limit, most in ((resource.RLIMIT_AS, self.MEMORY_BYTES), (resource.RLIMIT_FSIZE, self.WRITTEN_BYTES)):
            resource.prlimit(self._process.pid, limit, (most, most))

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def ask(self, question: Mapping[str, Any], seconds: float) -> Any:
        """The reply. After Died the process is no more.

        Raises:
          Died: it had not answered when its time was up, or ended by itself.
        """
        with ThreadPoolExecutor(1) as waiting:
            reply = waiting.submit(self._exchange, json.dumps(question).encode() + b"\n")
            try:
                said = reply.result(seconds)
            except TimeoutError:
                self.kill()
                raise Died(f"The model had not answered after {seconds:.0f} s and was stopped.") from None
        if not said.endswith(b"\n"):
            raise self._died(len(said))
        self._complaints.truncate(0)  # what a person gave may be in them
        return json.loads(said)

    def _exchange(self, line: bytes) -> bytes:
        """The line of the reply; what is no whole line is none."""
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except BrokenPipeError:
            return b""
        return self._process.stdout.readline(self.REPLY_BYTES)

    def _died(self, said: int) -> Died:
        if said:
            self.kill()
            return Died(f"The model's answer is longer than {self.REPLY_BYTES:,} bytes.")
        code = self._process.wait()
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        return Died(f"The model's process ended with {code}: {lines[-1] if lines else 'no word'}")

    def kill(self) -> None:
        """Ends the process and all that it started. Whoever waits for its answer is told that it died."""
        if self.lives:
            os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Ends the process, which nobody may be asking, and leaves nothing of it."""
        self.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._complaints):
            with contextlib.suppress(BrokenPipeError):  # of a question that it had not read
                if stream:
                    stream.close()
