"""Drives of the expert: what a record holds, that it is the same each time, and that recoveries are in it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.folders.folder import DataFolder
from data.sets import driving
from trainer.tasks.autonomous_driving import AutonomousDriving


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drives of four records on each of two tracks, driven in this process."""
    root = tmp_path_factory.mktemp("driving") / "files"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driving, "ProcessPoolExecutor", lambda *_: ThreadPoolExecutor(1))
        patch.setattr(driving, "DRIVES", 2)
        patch.setattr(driving, "RECORDS", 4)
        driving.write(root, {"train": [1_000], "eval": [2_000]})
    return root


def rows(folder: Path, split: str = "train") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / split / "metadata.jsonl").read_text().splitlines()]


def test_the_task_reads_it_whole(folder: Path) -> None:
    for split in ("train", "eval"):
        found = list(DataFolder(folder, AutonomousDriving.columns, refuse=AutonomousDriving.refuse).records(split))
        assert len(found) == 8 and not any(record.problem for record in found)


def test_the_first_drive_is_in_the_middle_and_the_others_are_not(folder: Path) -> None:
    found = rows(folder)
    aside = np.abs([row["path"][0] for row in found]).reshape(2, 4)
    assert aside[0].max() < 1 < aside[1].max()
    assert {row["episode"] for row in found} == {"track 1000"} and found[0]["simulator"] == "car_racing"


def test_the_last_action_is_that_of_the_record_before(folder: Path) -> None:
    found = rows(folder)
    assert all(("last_steering" in row) == (number % 4 > 0) for number, row in enumerate(found))
    assert all(now["last_steering"] == before["steering"] for before, now in zip(found[4:7], found[5:8], strict=True))


def test_a_drive_is_the_same_each_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driving, "RECORDS", 4)
    monkeypatch.setattr(driving, "DRIVES", 2)
    again = [row for _, row in driving._drive(1_000, 1, driving.Look(), recovery=True)]
    assert again == [
        {name: value for name, value in row.items() if name not in ("file_name", "episode")} for row in rows(folder)[4:]
    ]


def test_tracks_to_learn_from_and_to_be_judged_by_differ() -> None:
    from trainer.tasks.autonomous_driving import FIRST_LAP

    assert not set(driving.TRACKS["train"]) & set(driving.TRACKS["eval"])
    assert max(max(seeds) for seeds in driving.TRACKS.values()) < FIRST_LAP
