"""The piano: a person's own sound font in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.assets import piano
from data.errors import BadFile


@pytest.mark.parametrize("content", [b"", b"RIFF\x00\x00\x00\x00WAVE", b"PK\x03\x04" + bytes(40)])
def test_what_is_no_sound_font_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "own.sf2").write_bytes(content)
    with pytest.raises(BadFile, match="no sound font"):
        piano.from_own(tmp_path / "own.sf2")
