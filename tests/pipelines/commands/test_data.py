from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.pipelines.command_line import Benison, Ended, fake_module


def test_data_is_listed_prepared_and_credited(benison: Benison, monkeypatch: pytest.MonkeyPatch) -> None:

    source = SimpleNamespace(size_bytes=4_900_000)
    entry = SimpleNamespace(name="mnist", title="Digits", licence="CC0", credit="A. N. Other", sources=((source,),))

    def prepare(name: str, progress: Callable[[str], None]) -> Any:
        progress("fetching")
        return SimpleNamespace(root=Path("/cache") / name)

    members = {"names": lambda: ["mnist"], "get": lambda name: entry, "cached": lambda name: None, "prepare": prepare}
    fake_module(monkeypatch, "data.sources.catalogue", **members)
    row, *assets = benison("data", "list", "--json").json
    assert {one["kind"] for one in assets} == {"asset"} and "efficientnet_lite0" in {one["name"] for one in assets}
    assert (row["name"], row["licence"], row["credit"], row["size_mb"], row["cached"]) == (
        *("mnist", "CC0", "A. N. Other", 4.9),
        None,
    )
    assert "A. N. Other" in benison("data", "list").out
    assert benison("data", "prepare", "mnist") == Ended(0, "/cache/mnist\n", "fetching\n")


def test_an_asset_is_prepared_by_its_name(benison: Benison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.sources.assets.prepare", lambda name, progress: Path("/cache") / name / "tensors.npz")
    assert benison("data", "prepare", "efficientnet_lite0").out == "/cache/efficientnet_lite0/tensors.npz\n"


def test_a_folder_is_checked_and_refused_with_4(benison: Benison, tmp_path: Path) -> None:
    for split in ("train", "eval"):
        (tmp_path / split / "seven").mkdir(parents=True)
        (tmp_path / split / "seven" / "broken.png").write_bytes(b"no picture")
    ended = benison("data", "check", "digits", tmp_path)
    assert ended.code == 4 and "Refused" in ended.out
    assert benison("data", "check", "digits", tmp_path, "--json").json["ok"] is False
