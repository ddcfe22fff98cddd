"""Files that a person gives in an asset's place, and what is refused of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import BadFile, WrongUse
from data.sources import assets, catalogue
from data.sources.assets import ASSETS

ASSET = "efficientnet_lite0"
WANTED = {"backbone": ASSET}


def tensors() -> dict[str, np.ndarray]:
    return {name: np.ones(shape, np.float16) for name, shape in ASSETS.get(ASSET).tensors.items()}


def given(file: Path) -> dict[str, Any]:
    return assets.locate(WANTED, {"backbone": str(file)})


def test_names_are_of_one_catalogue_and_each_has_a_licence() -> None:
    assert not set(ASSETS.names()) & set(catalogue.names()), "`benison data prepare NAME` means one thing"
    for name in ASSETS.names():
        entry = ASSETS.get(name)
        assert entry.name == name and entry.licence and entry.credit and entry.tensors
        assert all(len(source.sha256) == 64 for sources in entry.sources for source in sources)


def test_a_file_of_the_same_tensors_is_taken_whatever_it_holds_beside(tmp_path: Path) -> None:
    file = tmp_path / "own.npz"
    np.savez(file, **tensors(), more=np.zeros(3))
    found = given(file)["backbone"]
    assert found.file == str(file)
    np.savez(file, **tensors(), more=np.ones(3))
    assert given(file)["backbone"].digest != found.digest, "the digest is of what the file holds"


def test_none_does_without(tmp_path: Path) -> None:
    assert assets.locate(WANTED, {"backbone": "none"}) == {"backbone": None}


class Attack:
    def __reduce__(self) -> Any:
        return print, ("ran",)


def lacks_one() -> dict[str, Any]:
    return {name: array for name, array in tensors().items() if name != "head_conv/kernel"}


def has_another_shape() -> dict[str, Any]:
    return tensors() | {"head_conv/kernel": np.ones((1, 1, 320, 1024))}


def is_not_finite() -> dict[str, Any]:
    return tensors() | {"head_bn/gamma": np.full(1280, np.nan)}


def holds_an_object() -> dict[str, Any]:
    return tensors() | {"head_bn/gamma": np.array([Attack()], object)}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lacks_one, "there is no 'head_conv/kernel'"),
        (has_another_shape, r"'head_conv/kernel' is of shape \[1, 1, 320, 1024\], not \[1, 1, 320, 1280\]"),
        (is_not_finite, "'head_bn/gamma' holds what is no finite number"),
        (holds_an_object, "it is no .npz file of tensors"),
    ],
)
def test_other_content_is_named(tmp_path: Path, content: Any, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.npz"
    np.savez(file, **content())
    with pytest.raises(WrongUse, match=words) as caught:
        given(file)
    assert f"--set backbone={file}" in caught.value.message and "backbone=none" in caught.value.fix
    assert not capsys.readouterr().out, "nothing in a file is run"


def test_no_file_a_folder_and_another_format_are_named(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="is not there"):
        given(tmp_path / "nowhere.npz")
    with pytest.raises(WrongUse, match="is a folder"):
        given(tmp_path)
    (tmp_path / "weights.h5").write_bytes(b"\x89HDF\r\n")
    with pytest.raises(WrongUse, match="it is no .npz file of tensors"):
        given(tmp_path / "weights.h5")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(WrongUse, match="it holds one array, not named tensors"):
        given(tmp_path / "one.npy")


def test_a_cut_file_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "own.npz"
    np.savez(file, kernel=np.random.default_rng(0).random(5000))
    whole = file.read_bytes()
    for cut in (0, 10, 2000, len(whole) - 10):
        file.write_bytes(whole[:cut])
        with pytest.raises(BadFile):
            assets.read_tensors(file)
