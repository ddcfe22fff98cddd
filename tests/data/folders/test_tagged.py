"""Texts word by word with tags: CoNLL's form, ATIS' with EOS, and `seq.in`, `seq.out` and `label`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data.columns import Label, Tags, Text
from data.errors import DataRefused
from data.folders.folder import DataFolder
from data.folders.layouts import tagged

COLUMNS = {
    "text": Text(),
    "slots": Tags(of="text", open=True, optional=True),
    "intent": Label(open=True),
}
ONE = "# intent = timer\nset O\n5 B-minutes\nor I-minutes\n6 I-minutes\nnow O\n"


def read(root: Path, split: str = "train") -> list[Any]:
    return list(DataFolder(root, COLUMNS).records(split))


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def found(record: Any) -> tuple[str, str, list[tuple[str, str]]]:
    assert record.problem is None, record.problem
    text = record.features["text"].decode()
    spans = json.loads(record.features["slots"])
    marked = [(text[one["start"] : one["end"]], one["label"]) for one in spans]
    return text, record.features["intent"].decode(), marked


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        ONE.replace(" ", "\t").replace("#\tintent\t=\t", "# intent: "),
        "timer\n" + ONE.partition("\n")[2],
        ONE.partition("\n")[2] + "timer\n",
        "BOS O\n" + ONE.partition("\n")[2] + "EOS timer\n",
        "-DOCSTART- O\n\n# text = set 5 or 6 now\n" + ONE,
        ONE.replace("set O", "set VB O").replace("\n", "\r\n"),
        "\ufeff" + ONE.replace("6 I-", "6 E-"),
    ],
)
@pytest.mark.parametrize("suffix", [".conll", ".txt", ".bio"])
def test_words_with_tags_are_a_text_with_passages(tmp_path: Path, text: str, suffix: str) -> None:
    write(tmp_path, {f"train{suffix}": text, f"dev{suffix}": "# intent = a\nyes O\n\n\n# intent = b\nno O\n"})
    [one] = read(tmp_path)
    assert found(one) == ("set 5 or 6 now", "timer", [("5 or 6", "minutes")])
    assert [found(record) for record in read(tmp_path, "eval")] == [("yes", "a", []), ("no", "b", [])]


def test_words_of_scripts_without_spaces_are_put_together(tmp_path: Path) -> None:
    lines = "# intent = 开灯\n打 O\n开 O\n客 B-房间\n厅 I-房间\n的 O\nTV B-x\n灯 O\n"
    write(tmp_path, {"train/a.conll": lines, "eval/a.conll": lines})
    [one] = read(tmp_path)
    assert found(one) == ("打开客厅的 TV 灯", "开灯", [("客厅", "房间"), ("TV", "x")])


@pytest.mark.parametrize(
    ("text", "row", "column", "reason"),
    [
        ("# intent = a\nx O\ny I-b\n", 2, "slots", "I-b of 'y' goes on with what was not begun"),
        ("# intent = a\nx B-c\ny I-b\n", 2, "slots", "I-b of 'y' goes on"),
        ("# intent = a\nx Q-b\n", 2, "slots", "'Q-b' of 'x' is no tag"),
        ("# intent = a\nx O\ny\nz O\n", 2, "slots", "line 3: 'y' has no tag"),
        ("\nx O\ny O\n", 2, "intent", "no intent: write `# intent = NAME` above"),
    ],
)
def test_tags_at_fault_are_told_with_their_line(tmp_path: Path, text: str, row: int, column: str, reason: str) -> None:
    write(tmp_path, {"train.conll": text, "eval.conll": ONE})
    [bad] = read(tmp_path)
    assert (bad.file, bad.row, bad.problem.column) == ("train.conll", row, column)
    assert reason in bad.problem.reason


def test_bytes_that_are_no_text_are_a_bad_record(tmp_path: Path) -> None:
    write(tmp_path, {"train.conll": b"# intent = a\n\xff O\n\n" + ONE.encode(), "eval.conll": ONE})
    bad, good = read(tmp_path)
    assert "line 2: not valid UTF-8" in bad.problem.reason and found(good)[1] == "timer"


def test_lines_of_three_files_are_one_text(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        write(
            tmp_path / split,
            {
                "seq.in": "play jazz now\nplay it\nstop\n",
                "seq.out": "O B-genre O\nO\nI-x\n",
                "label": "Play\nPlay\nStop\n",
            },
        )
    good, *bad = read(tmp_path)
    assert found(good) == ("play jazz now", "Play", [("jazz", "genre")])
    reasons = [(one.file, one.row, one.problem.reason) for one in bad]
    assert reasons[0] == ("train/seq.in", 2, "2 words and 1 tags")
    assert reasons[1][:2] == ("train/seq.in", 3) and "goes on" in reasons[1][2]
    folder = DataFolder(tmp_path, COLUMNS)
    assert folder.layout.startswith("lines of seq.in, seq.out, label")
    shards = [record for shard in range(3) for record in folder.records("train", shard, 3)]
    assert sorted(one.row for one in shards) == [1, 2, 3]


def test_files_of_unequal_lengths_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"seq.in": "a\nb\n", "seq.out": "O\n", "label": "x\ny\n"})
    with pytest.raises(DataRefused, match="seq.in has 2 lines, seq.out has 1 lines"):
        DataFolder(tmp_path, COLUMNS)
    (tmp_path / "label").unlink()
    with pytest.raises(DataRefused, match="no label"):
        DataFolder(tmp_path, COLUMNS)


def test_tables_beside_words_with_tags_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a.conll": ONE, "b.csv": "text,intent\nx,y\n"})
    with pytest.raises(DataRefused, match="both a.conll and b.csv"):
        DataFolder(tmp_path, COLUMNS)


def test_the_forms_are_shown_to_tasks_with_passages_alone() -> None:
    from data.folders import layouts

    shown = layouts.example_tree(COLUMNS)
    assert "train.conll" in shown and "seq.in" in shown
    assert "conll" not in layouts.example_tree({"text": Text(), "intent": Label()})
    assert not tagged.Conll.takes_file({"text": Text()}, "train.conll")
    assert not tagged.Conll.takes_file(COLUMNS, "README.txt")
