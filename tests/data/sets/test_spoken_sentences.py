"""The spoken sentences: which there are, on which side, and the folder made of the archives. No synthesiser is run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.sets import _voices, spoken_sentences
from data.sets.spoken_sentences import DATA_SET, LONGEST, SENTENCES, SHORTEST, examples, shared_out
from tests.archives import tar_gz
from tests.voices import MEMBERS

WORDNET = """  1 This software and database is being provided "as is, without any warranty of any kind"
00001740 03 n 01 entity 0 000 | that which is; "the sum of all that there is"; "in 1984 there were 12 of them"
00001930 03 n 01 sale 0 000 | an exchange; "he sold his house at a loss"; "Mr. Smith was not there"; "too short"
"""


def test_examples_are_taken_that_can_be_read_in_one_way() -> None:
    assert examples(WORDNET) == ["the sum of all that there is", "he sold his house at a loss", "too short"]


def test_no_sentence_is_on_both_sides_and_none_is_there_twice() -> None:
    letters = "abcdefghijklmnopqrst"
    found = [f"{a} sentence of {b} letters and more" for a in letters * 2 for b in letters]
    of = shared_out([*found, "short", "x" * (LONGEST + 1)])
    assert len(of["train"]) + len(of["eval"]) == len(set(found)) and not set(of["train"]) & set(of["eval"])
    assert 0.05 < len(of["eval"]) / len(set(found)) < 0.2
    assert all(SHORTEST <= len(one) <= LONGEST for texts in of.values() for one in texts)
    assert of == shared_out(reversed(found)) and set(of) == set(SENTENCES)


@pytest.mark.parametrize(("alternative", "voice"), [(0, "flite-slt"), (1, "en-us+f2")])
def test_one_voice_says_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alternative: int, voice: str
) -> None:
    said: list[_voices.Utterance] = []
    monkeypatch.setattr(_voices, "speak", lambda utterances, libraries: said.extend(utterances))
    sources = DATA_SET.sources[alternative]
    members = MEMBERS | {"wordnet-base": ["usr/share/wordnet/data.noun"]}
    archives = [
        tar_gz(tmp_path / one.package, dict.fromkeys(members[one.package], WORDNET.encode())) for one in sources
    ]
    spoken_sentences.prepare(archives, tmp_path / "files", sources)
    rows = {
        f"{split}/{row['file_name']}": row["text"]
        for split in SENTENCES
        for row in map(json.loads, (tmp_path / "files" / split / "metadata.jsonl").read_text().splitlines())
    }
    assert set(rows.values()) == {"the sum of all that there is", "he sold his house at a loss"}
    assert {one.path.removeprefix(f"{tmp_path}/files/"): one.text for one in said} == rows
    assert {(one.voice, one.speed, one.pitch) for one in said} == {(voice, 1.0, 1.0)}
