"""`--data tfds:NAME`: a data set of TensorFlow Datasets, laid out once as a data folder.

Pictures keep the bytes that they were stored in. A set without `validation` or `test` is left unsplit.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from data.columns import Column, Image, Integer, Label, Number, Text
from data.errors import BenisonError, WrongUse
from data.sources.cache import Progress, build, cache_root

# `test` may come without labels, in benchmarks that keep them to themselves.
_EVAL_SPLITS = ("validation", "test")
_MAGIC = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"GIF8": ".gif", b"BM": ".bmp"}
_SCALARS = (Text, Label, Integer, Number)

FeaturePath = tuple[str, ...]


def prepare_tfds(name: str, columns: Mapping[str, Column], *, cache: Path | None = None, progress: Progress) -> Path:
    """The data folder for a task's columns out of `tfds:NAME` or `tfds:NAME/CONFIG[:VERSION]`.

    A column takes the feature of its name, else the only one of its kind (picture, class, text).

    Raises:
      WrongUse: no such data set, or its features do not fit `columns`.
      BenisonError: TensorFlow Datasets is not installed, or cannot fetch it.
    """
    wanted = name.removeprefix("tfds:")
    digest = hashlib.sha256(f"{wanted}\0{dict(columns)!r}".encode() + Path(__file__).read_bytes()).hexdigest()
    entry = (cache or cache_root()) / "data" / f"tfds-{re.sub(r'[^A-Za-z0-9_]+', '-', wanted)}-{digest[:12]}"
    if not entry.is_dir():
        build(entry, lambda folder: _lay_out(wanted, columns, folder, progress), progress)
    return entry / "files"


def _lay_out(wanted: str, columns: Mapping[str, Column], folder: Path, progress: Progress) -> None:
    builder = _builder(wanted)
    features = dict(_flat(builder.info.features))
    paths = _match(wanted, columns, features)
    progress(f"tfds:{wanted}: fetching with TensorFlow Datasets")
    with _explained(wanted):
        builder.download_and_prepare()
    counts = {}
    for split, side in _sides(wanted, builder.info.splits).items():
        progress(f"tfds:{wanted}: laying out {split}")
        rows = _rows(builder, split, columns, paths, features)
        counts[split] = _write(rows, folder / "files" / side, columns)
    info = builder.info
    record = {"name": f"tfds:{info.full_name}", "licence": info.redistribution_info.license, "credit": info.citation}
    (folder / "source.json").write_text(json.dumps(record | {"examples": counts}, indent=2, ensure_ascii=False))


def _builder(wanted: str) -> Any:
    try:
        import tensorflow_datasets
    except ModuleNotFoundError:
        raise BenisonError("TensorFlow Datasets is not installed", "pip install 'benison[tfds]'") from None
    try:
        with _explained(wanted):
            return tensorflow_datasets.builder(wanted, try_gcs=False)
    except tensorflow_datasets.core.registered.DatasetNotFoundError:
        raise WrongUse(f"TensorFlow Datasets has no {wanted}", "Its catalogue lists the names.") from None


@contextlib.contextmanager
def _explained(wanted: str) -> Iterator[None]:
    from tensorflow_datasets.core.registered import DatasetNotFoundError

    try:
        yield
    except DatasetNotFoundError:
        raise
    except Exception as error:  # downloads fail with whatever each data set's own code and host come up with
        raise BenisonError(
            f"TensorFlow Datasets cannot prepare {wanted}: {type(error).__name__}: {str(error).strip()[:300]}",
            "See whether this machine reaches the internet, or prepare it elsewhere and copy the folder that "
            "TFDS_DATA_DIR names (by default ~/tensorflow_datasets).",
        ) from error


def _flat(features: Mapping[str, Any], path: FeaturePath = ()) -> Iterator[tuple[FeaturePath, Any]]:
    from tensorflow_datasets.core.features import FeaturesDict

    for name, feature in features.items():
        if isinstance(feature, FeaturesDict):
            yield from _flat(feature, (*path, name))
        else:
            yield (*path, name), feature


def _match(wanted: str, columns: Mapping[str, Column], features: Mapping[FeaturePath, Any]) -> dict[str, FeaturePath]:
    """Column -> path of the feature that it takes."""
    matched: dict[str, FeaturePath] = {}
    for name, column in columns.items():
        fitting = [path for path, feature in features.items() if _fits(column, path, feature)]
        named = [path for path in fitting if path[-1] == name]
        alike = [path for path in fitting if _is_kind(column, features[path])]
        found = named if len(named) == 1 else alike
        if len(found) == 1:
            matched[name] = found[0]
        elif not column.optional:
            held = ", ".join(
                f"{'/'.join(path)} ({type(feature).__name__})" for path, feature in sorted(features.items())
            )
            raise WrongUse(
                f"tfds:{wanted} has no feature that can be the column {name} (a {column.noun}); it has {held}",
                "Choose a data set that fits the task, or write the data out as a folder (docs/own-data.md).",
            )
    return matched


def _fits(column: Column, path: FeaturePath, feature: Any) -> bool:
    from tensorflow_datasets.core import features as kinds

    if isinstance(column, Image):
        return isinstance(feature, kinds.Image) and len(path) == 1
    return isinstance(column, _SCALARS) and feature.shape == ()


def _is_kind(column: Column, feature: Any) -> bool:
    """Whether a feature says by itself that it is what the column wants, whatever its name."""
    from tensorflow_datasets.core import features as kinds

    kind = {Image: kinds.Image, Label: kinds.ClassLabel, Text: kinds.Text}.get(type(column))
    return kind is not None and isinstance(feature, kind)


def _sides(wanted: str, splits: Mapping[str, Any]) -> dict[str, str]:
    """Split of the data set -> folder to write it to."""
    held_out = next((split for split in _EVAL_SPLITS if split in splits), None)
    if "train" in splits and held_out:
        return {"train": "train", held_out: "eval"}
    for split in ("train", *_EVAL_SPLITS):
        if split in splits:
            return {split: ""}
    raise WrongUse(f"tfds:{wanted} has no split train, validation or test, but {', '.join(splits)}", "Choose another.")


def _rows(
    builder: Any,
    split: str,
    columns: Mapping[str, Column],
    paths: Mapping[str, FeaturePath],
    features: Mapping[FeaturePath, Any],
) -> Iterator[dict[str, Any]]:
    import tensorflow_datasets

    pictures = {
        path[0]: tensorflow_datasets.decode.SkipDecoding() for name, path in paths.items() if columns[name].is_media
    }
    examples = builder.as_dataset(split=split, shuffle_files=False, decoders=pictures or None)
    for example in tensorflow_datasets.as_numpy(examples):
        row = {}
        for name, path in paths.items():
            value = example
            for key in path:
                value = value[key]
            row[name] = value if columns[name].is_media else _plain(value, features[path])
        yield row


def _plain(value: Any, feature: Any) -> Any:
    """A scalar as JSON can hold it, classes by their names; None for a class that is withheld (-1)."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    value = value.item()
    if not hasattr(feature, "int2str"):
        return value
    return feature.int2str(value) if value >= 0 else None


def _write(rows: Iterator[dict[str, Any]], folder: Path, columns: Mapping[str, Column]) -> int:
    """Writes a table and, beside it, the files that its rows name; returns how many rows there were."""
    media = [name for name, column in columns.items() if column.is_media]
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with (folder / ("metadata.jsonl" if media else "rows.jsonl")).open("w", encoding="utf-8") as table:
        for count, row in enumerate(rows, start=1):
            for name in set(media) & set(row):
                content = row.pop(name)
                field = "file_name" if name == media[0] else f"{name}_file_name"
                row[field] = f"{count:07}-{name}{_suffix(content)}"
                (folder / row[field]).write_bytes(content)
            table.write(json.dumps(row, ensure_ascii=False) + "\n")
    return count


def _suffix(content: bytes) -> str:
    return next((suffix for magic, suffix in _MAGIC.items() if content.startswith(magic)), "")
