"""Writers of several pods on one volume: each has process id 7, and all write the same file."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data.atomic import write_atomic


def test_writers_with_equal_process_ids_do_not_get_into_each_others_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 7)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # 400 waits for a disk show nothing of who comes first
    path = tmp_path / "new" / "state.json"
    texts = [json.dumps({"writer": i, "filling": "x" * 20_000}) for i in range(16)]
    write_atomic(path, texts[0])
    over, torn, read = threading.Event(), [], 0

    def reader() -> int:
        count = 0
        while not over.is_set():
            text = path.read_text(encoding="utf-8")
            torn.extend([text] if text not in texts else [])
            count += 1
        return count

    with ThreadPoolExecutor(18) as pool:
        readers = [pool.submit(reader) for _ in range(2)]
        writers = [pool.submit(write_atomic, path, texts[i % len(texts)]) for i in range(400)]
        failed = [error for writer in writers if (error := writer.exception())]
        over.set()
        read = sum(each.result() for each in readers)
    assert failed == [] and torn == [] and read > 0
    assert os.listdir(path.parent) == ["state.json"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_atomic(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomic(path, "new \ud800")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_file_may_be_read_by_whom_the_mask_lets(tmp_path: Path) -> None:
    """A workspace is shared: what is staged must not be for its writer alone."""
    mask = os.umask(0o027)
    try:
        write_atomic(tmp_path / "a.json", "{}")
    finally:
        os.umask(mask)
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o640
