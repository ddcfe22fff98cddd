"""Workers behind one interface: started together, restarted together, never left behind.

The workers here are small scripts without TensorFlow. They wait for each other through named pipes.
"""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from components.workers.launchers import InProcess, LocalProcesses
from data.errors import BenisonError, DataRefused, WrongUse
from trainer.worker import TrainingSpec

PROJECT_ROOT = Path(__file__).resolve().parents[3]

# What each worker script may use. No script can outlast the alarm, so that a failing test does not hang.
PRELUDE = """
import json, os, signal, sys
from pathlib import Path
signal.alarm(30)
here = Path(json.loads(Path(sys.argv[1]).read_text())["training_dir"])
config = json.loads(os.environ["TF_CONFIG"])
index = config["task"]["index"]
attempt = len(list(here.glob(f"attempt-*-of-{index}"))) + 1
(here / f"attempt-{attempt}-of-{index}").write_text(str(os.getpid()))
def meet():  # returns in both workers once both are here
    with open(here / "pipe", "w" if index else "r") as pipe:
        pipe.write("here") if index else pipe.read()
def reached(step):
    (here / "progress.json").write_text(json.dumps({"step": step}))
"""


@pytest.fixture
def spec(tmp_path):
    training_dir = tmp_path / "training"
    training_dir.mkdir()
    os.mkfifo(training_dir / "pipe")
    return asdict(TrainingSpec("toy", {}, [], "", "", "", str(training_dir)))


@pytest.fixture
def launcher(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")

    def make(script, **options):
        file = tmp_path / "worker.py"
        file.write_text(PRELUDE + textwrap.dedent(script))
        return LocalProcesses(workers=2, command=(sys.executable, str(file)), **options)

    return make


def attempts(spec, index):
    """Process ids of worker `index`, one per attempt."""
    return [int(file.read_text()) for file in sorted(Path(spec["training_dir"]).glob(f"attempt-*-of-{index}"))]


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_in_process_training_is_called_with_the_spec(monkeypatch, spec, tmp_path):
    calls = []
    monkeypatch.setitem(sys.modules, "trainer.worker", SimpleNamespace(train=calls.append))
    InProcess().run(spec, tmp_path)
    assert calls == [spec]


def test_workers_form_one_cluster_and_share_the_cores(launcher, spec, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(6)))
    script = """
    meet()
    names = ("TF_CONFIG", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    (here / f"seen-{index}").write_text(json.dumps([os.environ[name] for name in names]))
    print("trained")
    """
    launcher(script).run(spec, tmp_path / "logs")
    seen = [json.loads((Path(spec["training_dir"]) / f"seen-{index}").read_text()) for index in range(2)]
    configs = [json.loads(values[0]) for values in seen]
    hosts = configs[0]["cluster"]["worker"]
    assert [config["task"] for config in configs] == [{"type": "worker", "index": i} for i in range(2)]
    assert configs[0]["cluster"] == configs[1]["cluster"]
    assert len(set(hosts)) == 2
    assert all(host.startswith("127.0.0.1:") for host in hosts)
    assert seen[0][1:] == seen[1][1:] == ["3", "3", "3"]
    for index in range(2):
        header, line = (tmp_path / "logs" / f"worker-{index}.log").read_text().splitlines()
        assert header.startswith(f"=== worker {index} of 2, attempt 1,")
        assert line == "trained"


def test_a_folder_named_as_ours_where_the_user_stands_is_not_taken_for_it(spec, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trainer").mkdir()
    (tmp_path / "trainer" / "__init__.py").write_text("raise RuntimeError('not the trainer of this project')")
    usual = LocalProcesses(workers=1).command
    assert usual[-1] == "trainer.worker"
    LocalProcesses(workers=1, command=[*usual[:-1], "trainer.distribution"]).run(spec, tmp_path / "logs")


def test_a_worker_can_listen_on_its_port_and_nobody_else_can_take_it(launcher, spec, tmp_path):
    script = """
    import errno, socket
    port = int(config["cluster"]["worker"][index].rpartition(":")[2])
    try:
        socket.socket().bind(("127.0.0.1", port))
        sys.exit("the port was free for anybody")
    except OSError as error:
        assert error.errno == errno.EADDRINUSE
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind(("0.0.0.0", port))
    server.listen()
    meet()
    socket.create_connection(config["cluster"]["worker"][index].split(":"), timeout=10)
    """
    launcher(script).run(spec, tmp_path / "logs")


def test_when_one_worker_dies_all_are_killed_and_started_again(launcher, spec, tmp_path):
    script = """
    meet()
    if attempt == 1 and index == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if attempt == 1:
        signal.pause()  # as a worker waits for a peer that is gone
    """
    launcher(script).run(spec, tmp_path / "logs")
    for index in range(2):
        pids = attempts(spec, index)
        assert len(pids) == 2
        assert not any(map(is_running, pids))
        log = (tmp_path / "logs" / f"worker-{index}.log").read_text()
        assert re.findall(r"attempt \d", log) == ["attempt 1", "attempt 2"]


def test_children_of_a_worker_are_killed_with_it(launcher, spec, tmp_path):
    lifeline = Path(spec["training_dir"]) / "lifeline"
    os.mkfifo(lifeline)
    script = """
    import threading
    if index == 0 and os.fork() == 0:
        with open(here / "lifeline", "w") as lifeline:
            open(here / "pipe")  # lets worker 1 fail
            threading.Event().wait(20)
            lifeline.write("outlived")
    if index == 0:
        signal.pause()
    open(here / "pipe", "w")
    sys.exit(4)
    """
    reader = os.open(lifeline, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(DataRefused):
        launcher(script).run(spec, tmp_path / "logs")
    os.set_blocking(reader, True)
    assert os.read(reader, 100) == b""  # its end comes when the child is gone
    os.close(reader)


def test_a_failure_that_repeats_without_progress_is_not_tried_a_third_time(launcher, spec, tmp_path):
    script = """
    meet()
    if index == 0:
        signal.pause()
    print("W some chatter")
    raise ValueError("no such layer: dense_9")
    """
    with pytest.raises(BenisonError) as caught:
        launcher(script, max_restarts=5).run(spec, tmp_path / "logs")
    assert len(attempts(spec, 1)) == 2
    message = caught.value.message
    assert "training worker 1 of 2 ended with status 1: ValueError: no such layer: dense_9 (attempt 2" in message
    assert str(tmp_path / "logs" / "worker-1.log") in message
    assert "chatter" not in message
    assert "run again" in caught.value.fix


def test_a_full_disk_is_not_tried_again(launcher, spec, tmp_path):
    script = """
    import errno
    if index == 0:
        signal.pause()
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(here / "backup"))
    """
    with pytest.raises(BenisonError, match="No space left on device: .*backup") as caught:
        launcher(script).run(spec, tmp_path / "logs")
    assert caught.value.fix.startswith("free some space there")
    assert len(attempts(spec, 1)) == 1


def test_restarts_are_bounded_even_if_each_attempt_gets_further(launcher, spec, tmp_path):
    script = """
    if attempt > 6:
        sys.exit()
    if index == 0:
        signal.pause()
    reached(10 * attempt)
    os.kill(os.getpid(), signal.SIGKILL)
    """
    with pytest.raises(BenisonError, match="killed by SIGKILL") as caught:
        launcher(script, max_restarts=3).run(spec, tmp_path / "logs")
    assert len(attempts(spec, 1)) == 4
    assert "memory" in caught.value.fix


@pytest.mark.parametrize(("status", "kind"), [(1, BenisonError), (2, WrongUse), (4, DataRefused)])
def test_what_a_worker_explains_is_passed_on_and_not_tried_again(launcher, spec, tmp_path, status, kind):
    script = f"""
    if index == 0:
        signal.pause()
    print("the split holds no examples\\n  -> give it some")
    print("I am leaving now")
    sys.exit({status})
    """
    with pytest.raises(kind) as caught:
        launcher(script).run(spec, tmp_path / "logs")
    assert type(caught.value) is kind
    assert "the split holds no examples" in caught.value.message
    assert caught.value.fix == "give it some"
    assert len(attempts(spec, 1)) == 1


def test_workers_that_end_before_they_are_looked_at_are_not_missed(launcher, spec, tmp_path, monkeypatch):
    waitid = os.waitid
    monkeypatch.setattr(os, "waitid", lambda kind, pid, options: waitid(kind, pid, options & ~os.WNOHANG))
    with pytest.raises(DataRefused):
        launcher("sys.exit(4)").run(spec, tmp_path / "logs")
    launcher("sys.exit(0)").run(spec, tmp_path / "logs")


def test_complaints_while_a_process_ends_do_not_hide_why_it_ended(launcher, spec, tmp_path):
    script = """
    if index == 0:
        signal.pause()
    class Iterator:
        def __del__(self):
            raise RuntimeError("too late")
    kept = Iterator()
    raise ValueError("the reason")
    """
    with pytest.raises(BenisonError, match="ValueError: the reason"):
        launcher(script, max_restarts=0).run(spec, tmp_path / "logs")
    assert "too late" in (tmp_path / "logs" / "worker-1.log").read_text()


def test_an_interrupt_kills_and_reaps_all_workers(launcher, spec, tmp_path):
    script = """
    meet()
    if index == 1:
        os.kill(os.getppid(), signal.SIGINT)
    signal.pause()
    """
    with pytest.raises(KeyboardInterrupt):
        launcher(script).run(spec, tmp_path / "logs")
    pids = [*attempts(spec, 0), *attempts(spec, 1)]
    assert len(pids) == 2
    assert not any(map(is_running, pids))


def test_no_worker_outlives_a_killed_parent(launcher, spec, tmp_path):
    script = """
    import threading
    pipe = open(here / "pipe", "w", buffering=1)
    pipe.write("r")
    pipe.flush()
    threading.Event().wait(20)
    pipe.write("outlived")
    """
    command = launcher(script).command
    (tmp_path / "parent.py").write_text(
        f"""
from pathlib import Path
from components.workers.launchers import LocalProcesses
LocalProcesses(workers=2, command={command!r}).run({spec!r}, Path({str(tmp_path / "logs")!r}))
"""
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    parent = subprocess.Popen([sys.executable, str(tmp_path / "parent.py")], env=environment)
    pipe = os.open(Path(spec["training_dir"]) / "pipe", os.O_RDONLY)  # opens with the first worker
    ready = b""
    while ready != b"rr":
        received = os.read(pipe, 1)
        assert received, "a worker ended before both were ready"
        ready += received
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert os.read(pipe, 100) == b""  # its end comes when the last worker is gone
    os.close(pipe)


def test_each_worker_gets_gpus_of_its_own(launcher, spec, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    launcher('(here / f"gpus-{index}").write_text(os.environ["CUDA_VISIBLE_DEVICES"])').run(spec, tmp_path / "logs")
    seen = [(Path(spec["training_dir"]) / f"gpus-{index}").read_text() for index in range(2)]
    assert seen == ["0,2", "1"]


def test_more_workers_than_gpus_are_refused(launcher, spec, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(WrongUse, match="2 training workers cannot share 1 GPU") as caught:
        launcher("").run(spec, tmp_path / "logs")
    assert "CUDA_VISIBLE_DEVICES=-1" in caught.value.fix
    assert attempts(spec, 0) == []
