from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.console import logs
from pipelines.console.failures import ROOT


def run(script: str, log: Path) -> subprocess.CompletedProcess[str]:
    """A process of its own, since pytest stands between this one's streams and their descriptors."""
    return subprocess.run(
        [sys.executable, "-c", script, str(log)], capture_output=True, text=True, check=False, cwd=ROOT
    )


CHATTER = """
import logging, os, subprocess, sys, warnings
from pathlib import Path
from pipelines.console import logs
out = logs.terminal(sys.stdout)
print("before")
with logs.captured(Path(sys.argv[1])):
    print("printed")
    print("to stderr", file=sys.stderr)
    os.write(2, b"from C++\\n")
    subprocess.run(["sh", "-c", "echo from a child; echo child error >&2"], check=True)
    logging.getLogger("beam").info("logged")
    warnings.warn("warned")
    out.write("for people\\n")
print("after")
"""


def test_all_that_is_printed_goes_to_the_log_and_only_within(tmp_path: Path) -> None:
    log = tmp_path / "new" / "log.txt"
    ended = run(CHATTER, log)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "before\nfor people\nafter\n", "")
    for words in ("printed", "to stderr", "from C++", "from a child", "child error", "INFO beam: logged", "warned"):
        assert words in log.read_text()


VERBOSE = """
import os, sys
from pathlib import Path
from pipelines.console import logs
with logs.captured(Path(sys.argv[1]), verbose=True):
    os.write(1, b"first\\n")
    print("last")
"""


def test_verbose_copies_what_is_new_to_stderr(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("of an earlier run\n")
    ended = run(VERBOSE, log)
    assert (ended.stdout, ended.stderr) == ("", "first\nlast\n")
    assert log.read_text() == "of an earlier run\nfirst\nlast\n"


def test_an_exception_knows_its_log_and_everything_is_as_before(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    descriptors = len(os.listdir("/proc/self/fd"))
    with pytest.raises(KeyboardInterrupt) as caught, logs.captured(tmp_path / "log.txt", verbose=True):
        raise KeyboardInterrupt
    assert caught.value.benison_log == str(tmp_path / "log.txt")  # type: ignore[attr-defined]
    assert (logging.getLogger().handlers, logging.getLogger().level) == (handlers, level)
    assert len(os.listdir("/proc/self/fd")) == descriptors
    print("still here")
    assert capfd.readouterr().out == "still here\n"


CRASH = """
import os, sys
from pathlib import Path
from pipelines.console import logs
with logs.captured(Path(sys.argv[1])):
    os.write(2, b"last words of C++")
    os.abort()
"""


def test_a_crash_leaves_its_last_words_and_the_stack_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    ended = run(CRASH, log)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGABRT, "", "")
    assert "last words of C++" in log.read_text()
    assert "Fatal Python error: Aborted" in log.read_text()
