"""A real MariaDB for tests: its own data folder, port and user, gone when the block ends."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

HOST, DATABASE, USER, PASSWORD = "127.0.0.1", "benison", "benison", "not-a-secret"
SYSTEM_TABLES = [Path("/usr/share/mysql", name) for name in ("mysql_system_tables.sql", "mysql_system_tables_data.sql")]
START_SECONDS = 60


@dataclass(frozen=True)
class MariaDB:
    port: int

    def settings(self) -> dict[str, str]:
        """The cluster settings under which a pipeline's nodes find it."""
        return {
            "cluster.metadata_host": HOST,
            "cluster.metadata_port": str(self.port),
            "cluster.metadata_database": DATABASE,
            "cluster.metadata_user": USER,
        }


@contextmanager
def running(folder: Path) -> Iterator[MariaDB]:
    """Within, a server with an empty database. Skips the test where there is no MariaDB."""
    server = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")
    if server is None or not all(file.exists() for file in SYSTEM_TABLES):
        pytest.skip("needs a MariaDB server: apt-get install mariadb-server-core")
    data, log, port = folder / "data", folder / "log.txt", _free_port()
    data.mkdir(parents=True)
    command = [server, "--no-defaults", f"--datadir={data}", "--skip-log-bin"]
    command += ["--user=root"] if os.geteuid() == 0 else []
    with log.open("wb") as output:
        subprocess.run([*command, "--bootstrap"], input=_bootstrap(), stdout=output, stderr=output, check=True)
        address = [f"--bind-address={HOST}", f"--port={port}", f"--socket={folder / 'socket'}"]
        process = subprocess.Popen([*command, *address], stdout=output, stderr=output)
    try:
        _await(process, port, log)
        yield MariaDB(port)
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def _bootstrap() -> bytes:
    """One statement a line, as the server reads them while it has no system tables."""
    user = f"'{USER}'@'{HOST}'"
    own = (
        f"create database {DATABASE};\n"
        "flush privileges;\n"
        f"create user {user} identified by '{PASSWORD}';\n"
        f"grant all on {DATABASE}.* to {user};\n"
    )
    system = "".join(file.read_text(encoding="utf-8") for file in SYSTEM_TABLES)
    return f"create database mysql;\nuse mysql;\n{system}\n{own}".encode()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"MariaDB did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
