"""Scores as the Reference node leaves them, up to what the judge makes of them."""

from __future__ import annotations

import json
import math
from pathlib import Path

from components.judgement import finite_references
from components.reference import read_scores


def test_scores_that_are_no_numbers_are_written_and_left_out_of_the_judgement(tmp_path: Path) -> None:
    scores = {"nearest": {"wer": math.nan, "cer": 0.5}, "memory": {"wer": math.inf}, "last": {"wer": 0.25}}
    (tmp_path / "reference.json").write_text(json.dumps(scores), encoding="utf-8")
    kept, left_out = finite_references(read_scores(str(tmp_path)))
    assert kept == {"nearest": {"cer": 0.5}, "last": {"wer": 0.25}}
    assert [words.partition(" is left out")[0] for words in left_out] == ["nearest", "memory"]
