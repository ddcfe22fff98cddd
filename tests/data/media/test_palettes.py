"""The list of classes of a folder of masks, and Pascal VOC's colours."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import DataRefused
from data.media import palettes


def test_the_palette_is_that_of_voc() -> None:
    colours = palettes.voc_palette().tolist()
    assert colours[:4] == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    assert (colours[15], colours[20], colours[255]) == ([192, 128, 128], [0, 64, 128], [224, 224, 192])
    assert len(palettes.voc_colours()) == 256


@pytest.mark.parametrize(
    ("name", "text", "names", "colours"),
    [
        ("classes.txt", "road\n\nriver bank\n", ("road", "river bank"), {}),
        (
            "classes.txt",
            "road 128 64 128\nsky, 70, 130, 180\n",
            ("road", "sky"),
            {(128, 64, 128): 0, (70, 130, 180): 1},
        ),
        ("class_names.txt", "__ignore__\n_background_\ncat\n", ("_background_", "cat"), {}),
        (
            "labelmap.txt",
            "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:10,20,30::\n",
            ("background", "cat"),
            {(0, 0, 0): 0, (10, 20, 30): 1},
        ),
    ],
)
def test_classes_are_read_in_the_forms_of_several_tools(
    tmp_path: Path, name: str, text: str, names: tuple[str, ...], colours: dict[palettes.Colour, int]
) -> None:
    assert palettes.read_classes(tmp_path) is None
    (tmp_path / name).write_text(text, encoding="utf-8-sig")
    found = palettes.read_classes(tmp_path)
    assert found is not None and found.names == names and found.colours == colours


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("\n", "names no class"),
        ("a\na\n", "the class 'a' twice"),
        ("a 1 2 3\nb\n", "1 of 2 classes a colour"),
        ("a 1 2 3\nb 1 2 3\n", "that of two classes"),
        ("a 1 2 999\n", "no colour"),
        ("\n".join(map(str, range(256))), "256 classes; a mask can number 255"),
    ],
)
def test_a_list_that_is_not_clear_is_refused(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "classes.txt").write_text(text, encoding="utf-8")
    with pytest.raises(DataRefused, match=word):
        palettes.read_classes(tmp_path)
