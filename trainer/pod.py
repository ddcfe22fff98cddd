"""What one pod of a distributed training runs: its place among the workers, then `trainer.worker`, and nothing else.

    JOB_COMPLETION_INDEX=1 BENISON_WORKER_HOSTS=a-0.a:2222,a-1.a:2222 python -m trainer.pod SPEC.json

Kubernetes gives each pod of an Indexed Job its index; an operator that sets `TF_CONFIG` itself, as TFJob's does, is
believed. Knows no TFX component and no orchestrator.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Mapping

from data.errors import WrongUse
from trainer import distribution

HOSTS = "BENISON_WORKER_HOSTS"
"""All workers, `host:port,...`, in the order of their indices."""

INDEX = "JOB_COMPLETION_INDEX"
"""Which of them this is. Kubernetes' own name for it."""

LOOK_SECONDS = 1.0


def tf_config(environment: Mapping[str, str]) -> str:
    """This pod's `TF_CONFIG`.

    Raises:
      WrongUse: the environment tells neither it nor the index and the hosts.
    """
    if environment.get("TF_CONFIG"):
        return environment["TF_CONFIG"]
    hosts = [host for host in environment.get(HOSTS, "").split(",") if host]
    index = environment.get(INDEX, "")
    if not index.isdecimal() or int(index) >= len(hosts):
        raise WrongUse(
            f"a worker's place is not known: {INDEX} is {index!r}, {HOSTS} names {len(hosts)} worker(s)",
            "start workers through an Indexed Job, or use python -m trainer.worker",
        )
    return distribution.tf_config(hosts, int(index))


def wait_for_names(hosts: list[str]) -> None:
    """Returns once each host (`name:port`) has an address.

    A pod's name has none before the pod is on a node, and TensorFlow may not look again for long. There is no deadline:
    whoever made the pods knows how long to wait for them, and removes them all.
    """
    for host in hosts:
        name, port = host.rsplit(":", 1)
        waiting = False
        while not _has_address(name, int(port)):
            if not waiting:
                print(f"waiting for {name}", flush=True)
                waiting = True
            time.sleep(LOOK_SECONDS)


def _has_address(name: str, port: int) -> bool:
    try:
        return bool(socket.getaddrinfo(name, port))
    except socket.gaierror:
        return False


def main() -> int:
    try:
        os.environ["TF_CONFIG"] = tf_config(os.environ)
    except WrongUse as error:
        print(error, file=sys.stderr)
        return error.exit_code
    config = json.loads(os.environ["TF_CONFIG"])
    wait_for_names([host for hosts in config.get("cluster", {}).values() for host in hosts])

    from trainer import worker

    return worker.main()


if __name__ == "__main__":
    sys.exit(main())
