"""Folders of tunes: ABC files of many, MIDI files, and what is bad in them."""

from __future__ import annotations

from pathlib import Path

from data.columns import Tune
from data.folders.folder import DataFolder
from data.media.midis import midi

COLUMNS = {"tune": Tune()}
ABC = "% tunes\nX:1\nM:4/4\nK:C\nC4E4|G8|\n\nX:2\nM:4/4\nK:C\nC4??|\n\nX:3\nM:4/4\nK:D\nDFAd DFAd|\n"


def records(root: Path, split: str = "all") -> dict[str, str]:
    found = {}
    for record in DataFolder(root, COLUMNS).records(split):
        good = record.features and record.features["tune"].decode()  # type: ignore[union-attr]
        found[f"{record.file}:{record.row}"] = good or (record.problem.reason if record.problem else "")
    return found


def test_each_tune_of_a_file_is_a_record_by_its_number(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "book.abc").write_text(ABC)
    (tmp_path / "one.mid").write_bytes(midi("on_60 wait_100 off_60 on_64 wait_100 off_64"))
    (tmp_path / "old.abc").write_bytes("X:1\nT:\xe9\nM:4/4\nK:C\nC8|".encode("latin-1"))
    (tmp_path / "empty.abc").write_text("no tunes\n")
    (tmp_path / "notes.doc").write_text("?")
    (tmp_path / "README.txt").write_text("?")
    found = records(tmp_path)
    assert found["deep/book.abc, X:1:2"] == "maj M:4/4 C4 E4 | G8 |"
    assert "is no ABC" in found["deep/book.abc, X:2:7"]
    assert found["deep/book.abc, X:3:12"] == "maj M:4/4 C E G c C E G c |"
    assert found["one.mid:None"].endswith("|")
    assert "not valid UTF-8" in found["old.abc:None"]
    assert "holds no tune" in found["empty.abc:None"]
    assert "does not end in .abc" in found["notes.doc:None"]
    assert len(found) == 7


def test_a_tune_in_two_keys_is_on_one_side(tmp_path: Path) -> None:
    one, other = (f"M:4/4\nK:{key}\n{music}|\n" for key, music in (("C", "CEGc CEGc"), ("D", "DFAd DFAd")))
    (tmp_path / "a.abc").write_text(
        "".join(f"X:{n}\n{one if n % 2 else other}" for n in range(20)) + "X:21\nM:2/4\nK:C\nC4|E4|\n"
    )
    sides = {
        record.split for record in DataFolder(tmp_path, COLUMNS).records("all") if b"4/4" in record.features["tune"]
    }  # type: ignore[index]
    assert len(sides) == 1


def test_files_and_folders_may_be_splits_and_tables_hold_tunes(tmp_path: Path) -> None:
    for name in ("train", "eval"):
        (tmp_path / f"{name}.abc").write_text(ABC)
    assert DataFolder(tmp_path, COLUMNS).splits == ("train", "eval")
    table = tmp_path / "table"
    table.mkdir()
    (table / "tunes.csv").write_text('tune\n"X:1\nM:4/4\nK:C\nC8|"\n')
    assert list(records(table).values()) == ["maj M:4/4 C8 |"]
