"""Bad records as they are shown: never their own bytes, and never what lies outside the data folder."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from components.report.quarantined import MAX_BYTES, SHOWN, previews
from data.media.sounds import wav_of
from trainer.preview import Part, Picture, Sound, Words


def bad(file: str, row: int | None = None, **more: Any) -> dict[str, Any]:
    return {"file": file, "row": row, "column": "image", "reason": "it is bad", "attack": False} | more


def part(folder: Path, record: dict[str, Any]) -> Part:
    [shown] = previews(folder, [record])
    [found] = shown.parts
    return found


def said(folder: Path, record: dict[str, Any]) -> str:
    found = part(folder, record)
    assert isinstance(found, Words)
    return found.text


def picture(size: int = 64, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (size, size, 3), np.uint8)
    Image.fromarray(noise).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("kept", [1.0, 0.6])
def test_a_picture_is_drawn_anew_as_far_as_it_goes(tmp_path: Path, kind: str, kept: float) -> None:
    whole = picture(kind=kind)
    (tmp_path / "a.png").write_bytes(whole[: int(kept * len(whole))] + b"<script>" * (kept == 1))
    found = part(tmp_path, bad("a.png"))
    assert isinstance(found, Picture) and found.caption == f"{kind}, 64 x 64"
    drawn = bytes(found.content)
    assert drawn.startswith(b"\x89PNG") and b"<script>" not in drawn
    pixels = np.asarray(Image.open(io.BytesIO(drawn)).convert("RGB"), int)
    shown = np.asarray(Image.open(io.BytesIO(whole)).convert("RGB"), int)
    assert np.abs(pixels[:20] - shown[:20]).max() == 0 and (kept == 1) == bool(np.abs(pixels - shown).max() == 0)
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("1", (8000, 8000)).save(out, "PNG")
    (tmp_path / "a.png").write_bytes(out.getvalue())
    assert said(tmp_path, bad("a.png")) == "A picture of 8000 x 8000 pixels, which is not drawn."


def test_a_sound_is_written_anew(tmp_path: Path) -> None:
    tone = (np.sin(np.arange(4000) / 5) * 9000).astype("<i2")
    (tmp_path / "a.wav").write_bytes(wav_of(tone.tobytes(), 8000))
    found = part(tmp_path, bad("a.wav"))
    assert isinstance(found, Sound) and found.rate == 8000 and len(found.samples) == 4000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty."),
        (b"<svg><script>alert(1)</script></svg>", "<svg><script>alert(1)</script></svg>"),
        (bytes(range(200)), "A file of 200 bytes that begins with 00 01 02 03 04 05 06 07 and cannot be shown."),
        (
            b"RIFF\x00\x00\x00\x00WAVE\x00\xff\xfe\x01",
            "A file of 16 bytes that begins as audio/wav does and cannot be shown.",
        ),
        ("Ein langer Satz mit einem Wört".encode("latin-1"), "Ein langer Satz mit einem W\ufffdrt"),
        (b"x" * (MAX_BYTES + 1), "A file of more than 8 MiB, which is not shown."),
    ],
)
def test_what_is_no_picture_and_no_sound_is_told_of(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.bin").write_bytes(content)
    assert said(tmp_path, bad("a.bin")) == words


def test_a_row_is_shown_as_its_line(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,label\nfirst,a\nsecond,\n", encoding="utf-8")
    (tmp_path / "train.parquet").write_bytes(b"PAR1")
    assert said(tmp_path, bad("train.csv", 3)) == "second,"
    assert said(tmp_path, bad("train.csv", 30)) == "Row 30 of train.csv is empty or no text."
    assert said(tmp_path, bad("train.parquet", 3)) == "Row 3 of train.parquet."


def test_what_is_not_there_or_leads_out_is_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    assert said(folder, bad("gone.png")) == "It cannot be shown: there is no such file."
    assert "leads out of the data folder" in said(folder, bad("link.txt"))
    assert "leaves its folder" in said(folder, bad("../secret.txt"))
    assert "was not opened" in said(folder, bad("../secret.txt", attack=True))
    assert said(tmp_path / "moved", bad("a.png")) == "It cannot be shown: there is no such file."


def test_few_are_shown_and_each_says_what_is_wrong(tmp_path: Path) -> None:
    found = previews(tmp_path, [bad("a.png", None, column=None), *[bad("b.csv", 7)] * 99])
    assert len(found) == SHOWN
    assert [shown.title for shown in found[:2]] == ["a.png: it is bad", "b.csv, row 7, column image: it is bad"]
