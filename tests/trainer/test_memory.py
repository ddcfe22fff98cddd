"""Free memory is what the tightest control group leaves, not what the machine has."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.memory import free_memory, memory_limit

MIB = 1 << 20


def group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".", 1)).write_text(text)


def proc(root: Path, text: str) -> None:
    group(root / "proc/self")
    (root / "proc/self/cgroup").write_text(text)


def test_without_control_groups_the_machine_decides(tmp_path: Path) -> None:
    assert free_memory(tmp_path) > 1 * MIB


def test_version_2_the_tightest_group_around_counts(tmp_path: Path) -> None:
    proc(tmp_path, "0::/pod/container\n")
    top = tmp_path / "sys/fs/cgroup"
    group(top / "pod", memory_max=f"{64 * MIB}\n", memory_current=f"{40 * MIB}\n", memory_stat="anon 1\n")
    group(top / "pod/container", memory_max="max\n", memory_current="0\n", memory_stat="")
    assert free_memory(tmp_path) == 24 * MIB


def test_version_2_cache_that_can_be_given_up_is_free(tmp_path: Path) -> None:
    proc(tmp_path, "0::/\n")
    stat = f"anon 5\ninactive_file {10 * MIB}\n"
    group(tmp_path / "sys/fs/cgroup", memory_max=str(64 * MIB), memory_current=str(40 * MIB), memory_stat=stat)
    assert free_memory(tmp_path) == 34 * MIB


def test_version_1_where_the_path_is_the_hosts(tmp_path: Path) -> None:
    proc(tmp_path, "4:memory:/kubepods/burstable/pod7\n3:cpu,cpuacct:/kubepods\n")
    top = tmp_path / "sys/fs/cgroup/memory"
    top.mkdir(parents=True)
    (top / "memory.limit_in_bytes").write_text(str(32 * MIB))
    (top / "memory.usage_in_bytes").write_text(str(30 * MIB))
    (top / "memory.stat").write_text(f"total_inactive_file {MIB}\n")
    assert free_memory(tmp_path) == 3 * MIB


def test_a_group_over_its_limit_has_nothing_left(tmp_path: Path) -> None:
    proc(tmp_path, "0::/\n")
    group(tmp_path / "sys/fs/cgroup", memory_max="100", memory_current="200")
    assert free_memory(tmp_path) == 0


@pytest.mark.parametrize("limit", [str(2**63 - 4096)])
def test_version_1_without_a_limit_the_machine_decides(tmp_path: Path, limit: str) -> None:
    proc(tmp_path, "4:memory:/\n")
    top = tmp_path / "sys/fs/cgroup/memory"
    top.mkdir(parents=True)
    (top / "memory.limit_in_bytes").write_text(limit)
    assert 1 * MIB < free_memory(tmp_path) < 2**60


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": "2000", "memory.max": "3000"}, 2000),
        ("0::/host/path\n", {"memory.max": "1000"}, 1000),
        ("4:memory:/j\n0::/\n", {"memory/j/memory.limit_in_bytes": "500", "memory/memory.limit_in_bytes": "9000"}, 500),
        ("4:cpu,memory:/j\n", {"memory/j/memory.limit_in_bytes": "500"}, 500),
        ("0::/a\n", {"a/memory.max": "max"}, None),
        ("3:cpu:/a\n", {"a/memory.max": "7"}, None),
    ],
)
def test_the_tightest_limit_of_the_container_counts(
    tmp_path: Path, groups: str, files: dict[str, str], limit: int | None
) -> None:
    proc(tmp_path, groups)
    mount = tmp_path / "sys/fs/cgroup"
    for name, text in files.items():
        (mount / name).parent.mkdir(parents=True, exist_ok=True)
        (mount / name).write_text(text + "\n")
    assert memory_limit(tmp_path) == limit
