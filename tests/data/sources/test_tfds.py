"""Data sets of TensorFlow Datasets, played by its own mock: real names, features and splits, random examples."""

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from data.columns import Image, Integer, Label, Number, Text
from data.errors import BenisonError, WrongUse
from data.folders.folder import DataFolder
from data.sources.catalogue import resolve
from data.sources.tfds import prepare_tfds

NUM_EXAMPLES = 7
PICTURES = {"image": Image(), "label": Label()}
REVIEWS = {"text": Text(min_characters=0), "label": Label()}


@pytest.fixture
def mocked(tmp_path: Path) -> Callable[..., object]:
    """Begins to mock a data set with the given splits."""
    tfds = pytest.importorskip("tensorflow_datasets")
    folder = tmp_path / "tfds"
    mocks = []

    def mock(name: str, *splits: str) -> None:
        builder = tfds.builder(name, data_dir=folder, try_gcs=False)
        place = folder / builder.info.full_name
        place.mkdir(parents=True)
        described = [{"name": split, "shardLengths": ["9"], "numBytes": "9"} for split in splits]
        info = {"name": builder.name, "version": str(builder.version), "splits": described, "fileFormat": "tfrecord"}
        if builder.builder_config:
            info["configName"] = builder.builder_config.name
        (place / "dataset_info.json").write_text(json.dumps(info))
        builder.info.features.save_config(place)
        data = tfds.testing.mock_data(NUM_EXAMPLES, data_dir=folder, policy=tfds.testing.MockPolicy.USE_FILES)
        data.__enter__()
        mocks.append(data)

    yield mock
    for data in mocks:
        data.__exit__(None, None, None)


def prepare(name: str, columns: dict, tmp_path: Path) -> Path:
    return prepare_tfds(name, columns, cache=tmp_path / "cache", progress=lambda message: None)


def counts(root: Path, columns: dict) -> Counter:
    """Good records by split; fails on a bad one."""
    folder = DataFolder(root, columns)
    records = [record for split in folder.splits for record in folder.records(split)]
    assert [record.problem for record in records if record.problem] == []
    return Counter(record.split for record in records)


def test_pictures_become_a_folder_of_their_own_bytes(mocked, tmp_path: Path) -> None:
    mocked("mnist", "train", "test")
    root = prepare("tfds:mnist", PICTURES, tmp_path)
    assert counts(root, PICTURES) == {"train": NUM_EXAMPLES, "eval": NUM_EXAMPLES}
    rows = [json.loads(line) for line in (root / "train" / "metadata.jsonl").read_text().splitlines()]
    assert all((root / "train" / row["file_name"]).read_bytes().startswith(b"\x89PNG") for row in rows)
    assert {row["label"] for row in rows} <= set("0123456789")
    record = json.loads((root.parent / "source.json").read_text())
    assert record["name"].startswith("tfds:mnist/")
    assert "MNIST" in record["credit"]


def test_texts_become_rows_with_class_names(mocked, tmp_path: Path) -> None:
    mocked("imdb_reviews", "train", "test", "unsupervised")
    root = prepare("tfds:imdb_reviews", REVIEWS, tmp_path)
    assert counts(root, REVIEWS) == {"train": NUM_EXAMPLES, "eval": NUM_EXAMPLES}
    row = json.loads((root / "eval" / "rows.jsonl").read_text().splitlines()[0])
    assert row["label"] in {"neg", "pos"}
    assert isinstance(row["text"], str)


def test_flat_rows_without_an_eval_split_are_left_to_be_split(mocked, tmp_path: Path) -> None:
    columns = {"carat": Number(), "cut": Label(), "price": Number(), "pieces": Integer(optional=True)}
    mocked("diamonds", "train")
    root = prepare("tfds:diamonds", columns, tmp_path)
    assert [path.name for path in root.iterdir()] == ["rows.jsonl"]
    row = json.loads((root / "rows.jsonl").read_text().splitlines()[0])
    assert set(row) == {"carat", "cut", "price"}
    assert sum(counts(root, columns).values()) == NUM_EXAMPLES


def test_validation_is_preferred_to_a_test_split_that_may_hide_its_labels(mocked, tmp_path: Path) -> None:
    mocked("glue/sst2", "train", "validation", "test")
    root = prepare("tfds:glue/sst2", {"sentence": Text(), "label": Label()}, tmp_path)
    examples = json.loads((root.parent / "source.json").read_text())["examples"]
    assert examples == {"train": NUM_EXAMPLES, "validation": NUM_EXAMPLES}


def test_the_second_time_tensorflow_datasets_is_not_needed(
    mocked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mocked("mnist", "train", "test")
    root = resolve("tfds:mnist", PICTURES, cache=tmp_path / "cache")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    assert resolve("tfds:mnist", PICTURES, cache=tmp_path / "cache") == root


def test_features_that_do_not_fit_the_task_are_listed(mocked, tmp_path: Path) -> None:
    mocked("imdb_reviews", "train", "test")
    with pytest.raises(WrongUse, match=r"column image \(a picture\); it has label \(ClassLabel\), text \(Text\)"):
        prepare("tfds:imdb_reviews", PICTURES, tmp_path)
    assert [path for path in (tmp_path / "cache" / "data").iterdir() if path.suffix != ".lock"] == []


def test_an_unknown_name_is_wrong_use(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow_datasets")
    with pytest.raises(WrongUse, match="TensorFlow Datasets has no no_such_set"):
        prepare("tfds:no_such_set", PICTURES, tmp_path)


def test_a_failed_download_is_explained(mocked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow_datasets as tfds

    def fail(self: object) -> None:
        raise ConnectionError("name resolution failed")

    mocked("mnist", "train", "test")
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(BenisonError, match="cannot prepare mnist: ConnectionError: name resolution failed") as error:
        prepare("tfds:mnist", PICTURES, tmp_path)
    assert "TFDS_DATA_DIR" in error.value.fix


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(BenisonError, match="not installed") as error:
        prepare("tfds:mnist", PICTURES, tmp_path)
    assert "benison[tfds]" in error.value.fix
