"""What this machine has and lacks: the findings of `benison doctor`, each with the command that mends it.

Packages are looked up by their metadata, never imported: the answer must come at once, also from a broken install.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from data.sources.cache import cache_root
from trainer.memory import memory_limit

GIB = 2**30
MIN_MEMORY = 4 * GIB
MIN_DISK = 5 * GIB


@dataclass(frozen=True)
class Check:
    """One finding. `missing` stands for what no run can do without, `note` for what some runs lack."""

    name: str
    state: Literal["ok", "missing", "note"]
    found: str
    fix: str = ""


def checks(workspace: Path = Path("workspace")) -> list[Check]:
    """All findings: Python and packages, cores, memory, disks, GPUs, clients that fetch data, extras."""
    return [
        python(),
        *packages(),
        Check("cores", "ok", str(len(os.sched_getaffinity(0)))),
        memory(),
        disk("disk: workspace", workspace, "free some, or give a --workspace on another disk"),
        disk("disk: data cache", cache_root(), "free some, or set BENISON_CACHE to a folder on another disk"),
        gpu(),
        *clients(),
        *extras(),
    ]


def python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == (3, 11):
        return Check("python", "ok", found)
    return Check("python", "missing", found, "make setup (it brings Python 3.11)")


# --- packages ---


def packages() -> Iterator[Check]:
    """What `benison` requires, each against the version that is installed."""
    if _installed("benison") is None:
        yield Check("benison", "missing", "not installed", "make setup")
    for requirement in _requirements(extra=""):
        found = _installed(requirement.name)
        if found is not None and requirement.specifier.contains(found, prereleases=True):
            yield Check(requirement.name, "ok", found)
        else:
            wanted = f"{found or 'not installed'}; needs {requirement.specifier or 'any version'}"
            yield Check(requirement.name, "missing", wanted, f"make setup, or {_install(requirement)}")


def extras() -> Iterator[Check]:
    """What only some users need."""
    names = metadata.metadata("benison").get_all("Provides-Extra") or [] if _installed("benison") else []
    for extra in names:
        absent = [r for r in _requirements(extra) if _installed(r.name) is None]
        if absent:
            found = "lacks " + ", ".join(requirement.name for requirement in absent)
            yield Check(f"extra: {extra}", "note", found, _install(*absent))
        else:
            yield Check(f"extra: {extra}", "ok", "installed")


def _requirements(extra: str) -> list[Requirement]:
    """Those of one extra alone, or for "" those that everybody needs."""
    lines = metadata.requires("benison") or [] if _installed("benison") else []
    everything = [Requirement(line) for line in lines]
    common = [r for r in everything if r.marker is None or r.marker.evaluate({"extra": ""})]
    if not extra:
        return common
    return [r for r in everything if r not in common and r.marker and r.marker.evaluate({"extra": extra})]


def _install(*requirements: Requirement) -> str:
    quoted = " ".join(f"'{r.name}{r.specifier}'" if r.specifier else r.name for r in requirements)
    return f"uv pip install {quoted}"


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


# --- the machine ---


def memory() -> Check:
    """Main memory, or what the control group that this process is in may take of it."""
    import psutil

    machine = psutil.virtual_memory()
    limit = memory_limit()
    limited = limit is not None and limit < machine.total
    usable = limit if limit is not None and limited else machine.total
    found = f"{usable / GIB:.1f} GiB"
    found += f" (limit of the container; the machine has {machine.total / GIB:.1f})" if limited else ""
    if usable >= MIN_MEMORY:
        return Check("memory", "ok", found)
    return Check("memory", "note", found, f"runs may fail below {MIN_MEMORY / GIB:.0f} GiB; use --workers 1")


def disk(name: str, folder: Path, fix: str) -> Check:
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    found = f"{free / GIB:.1f} GiB free for {folder}"
    return Check(name, "ok", found) if free >= MIN_DISK else Check(name, "note", found, fix)


def gpu() -> Check:
    """NVIDIA GPUs, as their own tool lists them."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Check("GPU", "note", "none (no nvidia-smi): training uses the CPU")
    command = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("GPU", "note", f"nvidia-smi did not answer: {error}", "see to the NVIDIA driver")
    devices = [line.strip() for line in answer.stdout.splitlines() if line.strip()]
    if answer.returncode or not devices:
        said = (answer.stderr or answer.stdout).strip() or "it lists none"
        return Check("GPU", "note", f"nvidia-smi: {said.splitlines()[0]}", "see to the NVIDIA driver")
    if _installed("nvidia-cudnn-cu12") is None:
        command_line = f"uv pip install 'tensorflow[and-cuda]=={_installed('tensorflow') or '2.16.2'}'"
        return Check("GPU", "note", f"{'; '.join(devices)}; CUDA's libraries are not in this environment", command_line)
    return Check("GPU", "ok", "; ".join(devices))


# --- clients ---


def clients() -> Iterator[Check]:
    """The package clients that default data sets come through."""
    npm, apt = shutil.which("npm"), shutil.which("apt-get")
    python_client = shutil.which("uv") or shutil.which("pip") or (find_spec("pip") and f"{sys.executable} -m pip")
    yield _client("npm", npm, "apt-get install npm   (or install Node.js)")
    yield _client("uv or pip", python_client or None, "make setup (it brings uv), or python -m ensurepip")
    yield _client("apt-get", apt, "only Debian and its kin have it; use data sets from other sources, or --data DIR")


def _client(name: str, found: str | None, fix: str) -> Check:
    return Check(name, "ok", found) if found else Check(name, "note", "not found", fix)
