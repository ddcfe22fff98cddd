"""Ingestion: a user's folder of data to tf.Examples, on top of TFX's file-based example gen.

Spans, versions, split configuration, fingerprints and caching are TFX's. Ours is how records are read, checked and
quarantined (`data.folders.folder`), and that the fingerprint covers each file below the folder, by path, size and time
of change in nanoseconds, where TFX's own knows whole seconds.

The folder is listed once, here, and read in shards, of which each process takes one after the other. How many there are
depends on the data alone, and each writes its own files, so that any number of processes leaves the same files.

Memory: a shard is read, checked, encoded and written one record after the other. No record's bytes pass through Beam.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import apache_beam as beam
import numpy as np
import tensorflow as tf
from apache_beam.io.range_trackers import OffsetRangeTracker, UnsplittableRangeTracker
from google.protobuf import json_format, struct_pb2
from tfx.components.example_gen import driver, input_processor, utils
from tfx.components.example_gen.base_example_gen_executor import BaseExampleGenExecutor
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.components.util import examples_utils
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.utils import proto_utils

from data.columns import DType, Value, content_digest, raw_features
from data.folders import verdict
from data.folders.files import tree_digest
from data.folders.folder import DataFolder, Record
from trainer.task import load

QUARANTINE = "quarantine.jsonl"
COUNTS = "counts.json"
CLASSES = "classes.json"
NAMES = "names.json"
READING = "reading.json"
_BAD = ".bad-"
"""Before the number of a shard the name of a file of what is wrong in it, until they are put together."""
_CONTENTS = ".contents-"
"""Before split and shard the name of a file of the digests of its records, until they are compared. Where an engine
reads a shard twice, both times come to the same bytes."""
ROWS = "rows-{shard}"
"""File in the executor's temporary folder: how many rows a shard has read so far, for whoever watches."""
ROWS_SECONDS = 0.3
SPLITS = {"train": 4, "eval": 1}
"""Hash buckets of each split, for folders that are not split already."""


class _FolderProcessor(input_processor.FileBasedInputProcessor):
    def get_input_fingerprint(self, span: int, version: int | None) -> str:
        patterns = (self.get_pattern_for_span_version(split.pattern, span, version) for split in self._splits)
        return ",".join(tree_digest(Path(self._input_base_uri, pattern).parent) for pattern in patterns)


class _FolderDriver(driver.FileBasedDriver):
    def get_input_processor(self, splits: Any, range_config: Any = None, input_base_uri: Any = None) -> Any:
        return _FolderProcessor(input_base_uri, splits, range_config)


class FolderExampleGenExecutor(BaseExampleGenExecutor):
    """Writes the splits, `quarantine.jsonl`, `counts.json`, of each split, column and class `classes.json`, of tables
    under their owner's names `names.json`, and `reading.json`.

    Raises:
      DataRefused: a path leaves the data folder, or a split has no good record.
    """

    def GetInputSourceToExamplePTransform(self) -> Any:
        return ReadFolder

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: dict[str, Any]) -> None:
        # Not the base class's: it shuffles before it writes.
        artifact = artifact_utils.get_single_instance(output_dict["examples"])
        artifact.split_names = artifact_utils.encode_split_names(list(SPLITS))
        examples_utils.set_payload_format(artifact, exec_properties["output_data_format"])
        output = Path(artifact.uri)
        input_config = proto_utils.json_to_proto(exec_properties["input_config"], example_gen_pb2.Input())
        reading = _Reading.of(exec_properties, input_config.splits[0].pattern)
        folder = reading.open()
        for split in SPLITS:
            (output / f"Split-{split}").mkdir(parents=True, exist_ok=True)
        with self._make_beam_pipeline() as pipeline:
            outputs = pipeline | ReadFolder(reading, folder, output, self._get_tmp_dir())
            _ = (
                outputs.outcome
                | "SumOutcomes" >> beam.CombinePerKey(sum)
                | "GatherOutcomes" >> beam.combiners.ToDict()
                | beam.Map(_counts)
                | "WriteCounts" >> beam.io.WriteToText(str(output / COUNTS), shard_name_template="")
            )
            _ = (
                outputs["class"]
                | "SumClasses" >> beam.CombinePerKey(sum)
                | "GatherClasses" >> beam.combiners.ToDict()
                | "ClassesAsJson" >> beam.Map(_classes)
                | "WriteClasses" >> beam.io.WriteToText(str(output / CLASSES), shard_name_template="")
            )
        _gather_quarantine(output)
        (output / NAMES).write_text(json.dumps(folder.names), encoding="utf-8")
        (output / READING).write_text(json.dumps(asdict(Origin(reading.folder, _copies(output)))), encoding="utf-8")
        _refuse_unreadable(output, folder)


def _refuse_unreadable(output: Path, folder: DataFolder) -> None:
    """Raises DataRefused if there is nothing to compute statistics of: a split is empty, or a path leads out."""
    counts, problems = read_split_counts(output), read_problems(output)
    unsplit = "all" in folder.splits
    if findings := verdict.judge_reading(counts, folder.columns, problems, folder.split_by, unsplit):
        raise verdict.refusal(findings)


@dataclass(frozen=True)
class _Reading:
    """What is read, and how: of the node's parameters."""

    folder: str
    task: str
    limit: int | None
    shards: int | None
    """None for as many as suit the data."""
    split_by: str | None
    names: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, exec_properties: dict[str, Any], split_pattern: str) -> _Reading:
        config = example_gen_pb2.CustomConfig()
        proto_utils.json_to_proto(exec_properties["custom_config"], config)
        struct = struct_pb2.Struct()
        config.custom_config.Unpack(struct)
        settings = json_format.MessageToDict(struct)
        task = load(settings["task"])
        return cls(
            folder=str(Path(exec_properties["input_base"], split_pattern).parent),
            task=settings["task"],
            limit=int(settings["limit"]) if settings.get("limit") else None,
            shards=int(settings["shards"]) if settings.get("shards") else None,
            split_by=settings.get("split_by") or task.split_by,
            names=settings.get("names") or {},
        )

    def open(self) -> DataFolder:
        task = load(self.task)
        return DataFolder(self.folder, task.columns, self.split_by, self.names, task.refuse)


class ReadFolder(beam.PTransform):
    """Writes a folder's records as serialised tf.Examples, a file a shard and split, and what is wrong with bad ones as
    JSON, a file a shard; what is left to gather is `outcome` (the split or "quarantined") with how many there were, and
    `class` (split, column, class name) with how many."""

    def __init__(self, reading: _Reading, folder: DataFolder, output: Path, progress_dir: str) -> None:
        super().__init__()
        self._shards = reading.shards or folder.shards(reading.limit)
        folder.settle(self._shards)
        self._read = _ReadShard(reading, folder, self._shards, output, progress_dir)

    def expand(self, pipeline: beam.Pipeline) -> Any:
        shards = pipeline | beam.io.Read(_Shards(range(self._shards)))
        return shards | beam.ParDo(self._read).with_outputs("outcome", "class")


class _Shards(beam.io.iobase.BoundedSource):
    """Numbers, each of which Beam may have read by another worker."""

    def __init__(self, numbers: range) -> None:
        self._numbers = numbers

    def estimate_size(self) -> int:
        return len(self._numbers)

    def get_range_tracker(self, start_position: int | None, stop_position: int | None) -> Any:
        tracker = OffsetRangeTracker(
            self._numbers.start if start_position is None else start_position,
            self._numbers.stop if stop_position is None else stop_position,
        )
        return UnsplittableRangeTracker(tracker)

    def split(
        self, desired_bundle_size: int, start_position: int | None = None, stop_position: int | None = None
    ) -> Iterator[Any]:
        for number in self._numbers:
            yield beam.io.iobase.SourceBundle(1, _Shards(range(number, number + 1)), number, number + 1)

    def read(self, range_tracker: Any) -> Iterator[int]:
        for number in range(range_tracker.start_position(), range_tracker.stop_position()):
            if range_tracker.try_claim(number):
                yield number


class _ReadShard(beam.DoFn):
    def __init__(self, reading: _Reading, folder: DataFolder, shards: int, output: Path, progress_dir: str) -> None:
        self._folder, self._shards, self._limit = folder, shards, reading.limit
        self._output, self._progress_dir = output, progress_dir

    def process(self, shard: int) -> Iterator[Any]:
        folder = self._folder
        dtypes: dict[str, DType] = {name: feature.dtype for name, feature in raw_features(folder.columns).items()}
        records = (
            record for split in folder.splits for record in folder.records(split, shard, self._shards, self._limit)
        )
        outcomes: Counter[str] = Counter()
        contents = {split: bytearray() for split in SPLITS}
        classes: Counter[tuple[str, str, str]] = Counter()
        name = f"data_tfrecord-{shard:05d}-of-{self._shards:05d}.gz"
        with _Files(self._output, name) as files, _quarantine_of(self._output, shard) as problems:
            for record in _counted(records, Path(self._progress_dir, ROWS.format(shard=shard))):
                if record.problem:
                    outcomes["quarantined"] += 1
                    problem = {"split": record.split, "file": record.file, "row": record.row}
                    problems.write(json.dumps(problem | asdict(record.problem)) + "\n")
                elif record.features is not None:
                    outcomes[record.split] += 1
                    files.write(record.split, serialized_example(record.features, dtypes))
                    contents[record.split] += content_digest(record.features, folder.columns)
                for column, name in verdict.classes_of(record.features or {}, folder.columns):
                    classes[record.split, column, name] += 1
        for split, digests in contents.items():
            (self._output / f"{_CONTENTS}{split}-{shard:05d}").write_bytes(digests)
        for outcome in outcomes.items():
            yield beam.pvalue.TaggedOutput("outcome", outcome)
        for counted in classes.items():
            yield beam.pvalue.TaggedOutput("class", counted)


class _Files:
    """One file in the folder of each split that a record is written to; it has its name once it is whole."""

    def __init__(self, output: Path, name: str) -> None:
        self._output, self._name = output, name
        self._writers: dict[str, Any] = {}

    def write(self, split: str, record: bytes) -> None:
        if split not in self._writers:
            self._writers[split] = tf.io.TFRecordWriter(str(self._unfinished(split)), "GZIP")
        self._writers[split].write(record)

    def _unfinished(self, split: str) -> Path:
        # Beside the split's folder, all of whose files are read, and of this process: an engine may read a shard twice.
        return self._output / f".{split}-{os.getpid()}-{self._name}"

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for split, writer in self._writers.items():
            if kind is None:
                writer.close()
                self._unfinished(split).rename(self._output / f"Split-{split}" / self._name)


@contextmanager
def _quarantine_of(output: Path, shard: int) -> Iterator[TextIO]:
    """A file for what is wrong with the bad records of a shard. Beam would hold all of them in memory."""
    unfinished = output / f".unfinished-{os.getpid()}-{shard}"
    with unfinished.open("w", encoding="utf-8") as file:
        yield file
    unfinished.rename(output / f"{_BAD}{shard:05d}")


def _copies(output: Path) -> int:
    """How many records of eval have the content of one of train. Takes away what the shards left to count them by."""

    def gathered(split: str) -> np.ndarray[Any, Any]:
        files = sorted(output.glob(f"{_CONTENTS}{split}-*"))
        digests = b"".join(file.read_bytes() for file in files)
        for file in files:
            file.unlink()
        return np.frombuffer(digests, "S16")

    return int(np.isin(gathered("eval"), gathered("train")).sum())


def _gather_quarantine(output: Path) -> None:
    """Puts the files of all shards together, in the order in which one who reads all comes upon bad records."""
    with (output / QUARANTINE).open("wb") as whole:
        for part in sorted(output.glob(f"{_BAD}*")):
            with part.open("rb") as file:
                shutil.copyfileobj(file, whole)
            part.unlink()


def _counted(records: Iterator[Record], file: Path) -> Iterator[Record]:
    """The records, while `file` is told now and then, and at the end, how many there were."""
    told, number = time.monotonic(), 0
    for number, record in enumerate(records, start=1):
        yield record
        if time.monotonic() - told > ROWS_SECONDS:
            told = time.monotonic()
            file.write_text(str(number), encoding="utf-8")
    file.write_text(str(number), encoding="utf-8")


def serialized_example(features: dict[str, Value], dtypes: dict[str, DType]) -> bytes:
    """One tf.Example; features that are absent (optional columns) hold no value."""
    example = tf.train.Example()
    for name, value in features.items():
        slot, values = example.features.feature[name], value if isinstance(value, list) else [value]
        if dtypes[name] == "bytes":
            slot.bytes_list.value.extend(values)
        elif dtypes[name] == "int64":
            slot.int64_list.value.extend(values)
        else:
            slot.float_list.value.extend(values)
    return example.SerializeToString(deterministic=True)


class FolderExampleGen(FileBasedExampleGen):
    """Reads a folder in the convention of `docs/own-data.md`. Folders `span-1`, `span-2` ... are TFX's spans."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(FolderExampleGenExecutor)
    DRIVER_CLASS = _FolderDriver

    def __init__(self, folder: Path | None, settings: dict[str, Any]) -> None:
        """
        Args:
          folder: None if `input_parameters` are given later, where the node runs.
          settings: task, limit (records of each split, or None), shards (or None, for as many as suit the
            data), split_by (as `--set` names it, or ""), names
            (column of the task -> columns of the tables, as far as a person named them), and the digest of the reading
            code.
        """
        struct = struct_pb2.Struct()
        struct.update(settings)
        config = example_gen_pb2.CustomConfig()
        config.custom_config.Pack(struct)
        buckets = [example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=n) for name, n in SPLITS.items()]
        super().__init__(
            input_base=str(folder or ""),
            input_config=_input_config("*" if folder is None else _pattern(folder)),
            output_config=example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=buckets)),
            custom_config=config,
        )


def input_parameters(folder: Path) -> dict[str, str]:
    """The node's parameters that say where its data lies."""
    return {"input_base": str(folder), "input_config": proto_utils.proto_to_json(_input_config(_pattern(folder)))}


def rows_read(node_root: Path) -> int:
    """Rows that an example gen has read so far in the execution that goes on, by its folder in the pipeline root."""
    files = node_root.glob(f".system/executor_execution/*/.temp/*/{ROWS.format(shard='*')}")
    return sum(int(file.read_text(encoding="utf-8") or 0) for file in files)


def read_counts(examples: Path) -> dict[str, int]:
    """Good records of each split and quarantined ones, of an examples artifact."""
    return json.loads((examples / COUNTS).read_text(encoding="utf-8"))


def read_split_counts(examples: Path) -> dict[str, verdict.SplitCount]:
    """Good and bad records and classes of each split, of an examples artifact."""
    good, classes = read_counts(examples), json.loads((examples / CLASSES).read_text(encoding="utf-8"))
    bad = Counter(problem["split"] for problem in read_quarantine(examples))
    return {split: verdict.SplitCount(good[split], bad[split], classes.get(split, {})) for split in SPLITS}


def read_names(examples: Path) -> dict[str, list[str]]:
    """Column of the task -> columns of the user's tables, of an examples artifact; empty where they are equal."""
    return json.loads((examples / NAMES).read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Origin:
    """The data folder that records were read from, and how many of eval have an exact copy in train, by their inputs
    alone (`data.columns.content_digest`)."""

    folder: str
    copies: int


def read_origin(examples: Path) -> Origin:
    """Of an examples artifact."""
    return Origin(**json.loads((examples / READING).read_text(encoding="utf-8")))


def read_quarantine(examples: Path) -> Iterator[dict[str, Any]]:
    """The bad records of an examples artifact, each with split, file, row, column, reason and attack, one at a time."""
    with (examples / QUARANTINE).open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def read_fingerprint(examples: Any) -> str:
    """What an examples artifact says of the data that it was read from; other data, other fingerprint."""
    return examples.get_string_custom_property(utils.FINGERPRINT_PROPERTY_NAME)[:16]


def read_problems(examples: Path) -> verdict.Problems:
    """The bad records of an examples artifact as the verdict is told of them."""
    problems = verdict.Problems()
    for bad in read_quarantine(examples):
        problems.see(*(bad[name] for name in ("split", "file", "row", "column", "reason", "attack")))
    return problems


def _counts(outcomes: dict[str, int]) -> str:
    return json.dumps({name: outcomes.get(name, 0) for name in (*SPLITS, "quarantined")})


def _classes(counts: dict[tuple[str, str, str], int]) -> str:
    nested: dict[str, dict[str, dict[str, int]]] = {}
    for (split, column, name), number in sorted(counts.items()):
        nested.setdefault(split, {}).setdefault(column, {})[name] = number
    return json.dumps(nested)


def _input_config(pattern: str) -> example_gen_pb2.Input:
    return example_gen_pb2.Input(splits=[{"name": "all", "pattern": pattern}])


def _pattern(root: Path) -> str:
    folders = [path for path in root.iterdir() if not path.name.startswith(".")]
    spans = folders and all(path.is_dir() and re.fullmatch(r"span-\d+", path.name) for path in folders)
    return "span-{SPAN}/*" if spans else "*"
