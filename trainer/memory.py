"""How much memory this process may take, and still may: the machine's, or less where a container is allowed less."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_V1, _V2 = "sys/fs/cgroup/memory", "sys/fs/cgroup"


def free_memory(root: Path = Path("/")) -> int:
    """Bytes that may be taken before the machine, or any control group around this process, has no more.

    Page cache that the kernel would give up counts as free. Control groups of version 1 and 2 are read, each from the
    process's own up to the outermost that can be seen; `root` is where `/proc` and `/sys` lie.
    """
    import psutil

    return min([psutil.virtual_memory().available, *_left_in_groups(root)])


def memory_limit(root: Path = Path("/")) -> int | None:
    """Bytes that the tightest control group around this process may take; None without any limit."""
    found = (_number(folder / limit) for folder, limit, _, _ in control_groups(root))
    return min((number for number in found if number is not None), default=None)


def _left_in_groups(root: Path) -> Iterator[int]:
    for folder, limit, usage, reclaimable in control_groups(root):
        allowed = _number(folder / limit)
        if allowed is not None:  # "max": no limit
            cache = _statistic(folder / "memory.stat", reclaimable)
            yield max(0, allowed - (_number(folder / usage) or 0) + cache)


def control_groups(root: Path = Path("/")) -> Iterator[tuple[Path, str, str, str]]:
    """Folders of the memory control groups around this process, its own first, with the names that their version gives
    the files of the limit, of what is taken, and of what of it can be given up."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux, or /proc is hidden: the machine's own figure has to do
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, names = root / _V2, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            top, names = root / _V1, ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        # Inside a container without a namespace of its own the path is the host's: only the top is there to be read.
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for depth in range(len(parts), -1, -1):
            folder = top.joinpath(*parts[:depth])
            if (folder / names[0]).is_file():
                yield folder, *names


def _number(file: Path) -> int | None:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _statistic(file: Path, name: str) -> int:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(value) for key, _, value in (line.partition(" ") for line in lines) if key == name), 0)
