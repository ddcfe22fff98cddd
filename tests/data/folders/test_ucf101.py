"""Folders of clips: what is cut from one film stays on one side, and UCF101's lists are kept to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.columns import ClipSource, Image, Label, samples
from data.errors import DataRefused
from data.folders.folder import DataFolder

COLUMNS = {"image": Image(), "label": Label(), "source": ClipSource(optional=True)}
"""Pictures in place of films, which take longer to write."""
NAMES = ("Archery", "Biking")


def write(root: Path, groups: int = 5, clips: int = 4, name: str = "v_{label}_g{group:02}_c{clip:02}.png") -> Path:
    for label in NAMES:
        (root / label).mkdir(parents=True)
        for group in range(1, groups + 1):
            for clip in range(1, clips + 1):
                picture = samples.picture(
                    samples.subject(100 * group + clip, NAMES.index(label), np.random.default_rng(0))
                )
                (root / label / name.format(label=label, group=group, clip=clip)).write_bytes(
                    samples.png(picture).content
                )
    return root


def sides(folder: DataFolder) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"train": set(), "eval": set()}
    for split in folder.splits:
        for record in folder.records(split):
            assert record.problem is None, record.problem
            found[record.split].add(record.file)
    return found


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("a/v_ApplyEyeMakeup_g08_c01.avi", "v_ApplyEyeMakeup_g08"),
        ("v_Sky_Diving_g10_c3.mp4", "v_Sky_Diving_g10"),
        ("a/v_Archery_g08.avi", None),
        ("a/holiday.mp4", None),
    ],
)
def test_a_name_tells_the_source(path: str, said: str | None) -> None:
    assert ClipSource().said_by_name(path) == said


def test_all_clips_of_a_group_are_on_one_side(tmp_path: Path) -> None:
    folder = DataFolder(write(tmp_path), COLUMNS, split_by="source")
    found = sides(folder)
    groups = {side: {file.rpartition("_")[0] for file in files} for side, files in found.items()}
    assert not groups["train"] & groups["eval"]
    assert len(found["train"]) + len(found["eval"]) == 40 and 4 <= len(found["eval"]) <= 12
    assert "source" in folder.layout


def test_where_names_tell_nothing_the_content_decides(tmp_path: Path) -> None:
    folder = DataFolder(write(tmp_path, name="{group}-{clip}.png"), COLUMNS, split_by="source")
    assert "split 80/20 by content, since source is not there" in folder.layout
    assert all(sides(folder).values())


def lists(folder: Path, train: list[str], test: list[str], number: str = "01") -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"trainlist{number}.txt").write_text("".join(f"{path} 1\n" for path in train), "utf-8")
    (folder / f"testlist{number}.txt").write_text("\r\n".join(test), "utf-8")


@pytest.mark.parametrize(("where", "clips"), [("ucfTrainTestlist", "UCF-101"), (".", "."), ("ucfTrainTestlist", ".")])
def test_lists_say_which_clips_are_for_what(tmp_path: Path, where: str, clips: str) -> None:
    write(tmp_path / clips, groups=2, clips=1)
    train, test = (["Archery/v_Archery_g02_c01.png", "Biking/v_Biking_g02_c01.png"], ["Archery/v_Archery_g01_c01.png"])
    lists(tmp_path / where, train, test)
    lists(tmp_path / where, test, train, number="02")
    (tmp_path / where / "classInd.txt").write_text("1 Archery\n2 Biking\n", "utf-8")
    folder = DataFolder(tmp_path, COLUMNS, split_by="source")
    prefix = "" if clips == "." else f"{clips}/"
    assert sides(folder) == {"train": {prefix + path for path in train}, "eval": {prefix + path for path in test}}
    assert "trainlist01.txt; of 2 pairs of lists the first" in folder.layout
    [record] = folder.records("eval")
    assert (record.features or {})["label"] == b"Archery" and (record.features or {})["source"] == b"v_Archery_g01"


def test_lines_that_name_no_clip_are_told(tmp_path: Path) -> None:
    write(tmp_path, groups=8)
    listed = [
        f"{label}/v_{label}_g{group:02}_c{clip:02}.png" for label in NAMES for group in range(1, 9) for clip in (1, 2)
    ]
    lists(tmp_path, [*listed[:-4], "Archery/v_Archery_g77_c01.png", "Archery, the first"], listed[-4:])
    problems = [record for record in DataFolder(tmp_path, COLUMNS).records("train") if record.problem]
    told = {(record.file, record.row): record.problem.reason for record in problems if record.problem}
    assert told[("Archery/v_Archery_g77_c01.png", None)] == "there is no such file"
    assert "expected `CLASS/NAME.avi`" in told[("trainlist01.txt", 30)] and len(told) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda root: (root / "testlist01.txt").unlink(), "testlist01.txt"),
        (lambda root: (root / "trainlist01.txt").write_bytes(b"\xff\xfe\xff"), "trainlist01.txt cannot be read"),
        (lambda root: [file.unlink() for file in root.rglob("*.png")], "holds no folders of them"),
    ],
)
def test_a_list_that_is_missing_or_no_text_is_refused(tmp_path: Path, change, said: str) -> None:
    write(tmp_path, groups=2, clips=1)
    lists(tmp_path, ["Archery/v_Archery_g01_c01.png"], ["Biking/v_Biking_g01_c01.png"])
    change(tmp_path)
    with pytest.raises(DataRefused, match=said):
        DataFolder(tmp_path, COLUMNS, split_by="source")
