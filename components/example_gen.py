"""Ingestion: a user's folder of data to tf.Examples, on top of TFX's file-based example gen.

Spans, versions, split configuration, fingerprints and caching are TFX's. Ours is how records are read, checked and
quarantined (`data.folders.folder`), and that the fingerprint covers each file below the folder, by path, size and time
of change in nanoseconds, where TFX's own knows whole seconds.

Memory: a bundle reads, checks, encodes and writes one record after the other. No record's bytes pass through a
shuffle, which the in-memory runner would hold whole; the order is `data.folders.folder`'s.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import tensorflow as tf
from google.protobuf import json_format, struct_pb2
from tfx.components.example_gen import driver, input_processor, utils
from tfx.components.example_gen.base_example_gen_executor import BaseExampleGenExecutor
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.components.util import examples_utils
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.utils import proto_utils

from data.columns import DType, Value, raw_features
from data.folders import verdict
from data.folders.files import tree_digest
from data.folders.folder import DataFolder, Record
from trainer.task import load

QUARANTINE = "quarantine.jsonl"
COUNTS = "counts.json"
CLASSES = "classes.json"
NAMES = "names.json"
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
    """Writes the splits, `quarantine.jsonl`, `counts.json`, of each split, column and class `classes.json` and, of
    tables under their owner's names, `names.json`.

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
        with self._make_beam_pipeline() as pipeline:
            outputs = pipeline | ReadFolder(reading, self._get_tmp_dir())
            for split in SPLITS:
                records = str(output / f"Split-{split}" / "data_tfrecord")
                _ = outputs[split] | f"Write_{split}" >> beam.io.WriteToTFRecord(records, file_name_suffix=".gz")
            _ = outputs.problem | beam.io.WriteToText(str(output / QUARANTINE), shard_name_template="")
            _ = (
                outputs.outcome
                | beam.combiners.Count.PerElement()
                | beam.combiners.ToDict()
                | beam.Map(_counts)
                | "WriteCounts" >> beam.io.WriteToText(str(output / COUNTS), shard_name_template="")
            )
            _ = (
                outputs["class"]
                | "CountClasses" >> beam.combiners.Count.PerElement()
                | "GatherClasses" >> beam.combiners.ToDict()
                | "ClassesAsJson" >> beam.Map(_classes)
                | "WriteClasses" >> beam.io.WriteToText(str(output / CLASSES), shard_name_template="")
            )
        folder = reading.open()
        (output / NAMES).write_text(json.dumps(folder.names), encoding="utf-8")
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
    shards: int
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
            shards=int(settings["shards"]),
            split_by=settings.get("split_by") or task.split_by,
            names=settings.get("names") or {},
        )

    def open(self) -> DataFolder:
        task = load(self.task)
        return DataFolder(self.folder, task.columns, self.split_by, self.names, task.refuse)


class ReadFolder(beam.PTransform):
    """A folder's records as serialised tf.Examples, one output a split, beside `problem` (JSON), `outcome` (the split
    or "quarantined") and `class` (split, column, class name)."""

    def __init__(self, reading: _Reading, progress_dir: str) -> None:
        super().__init__()
        self._reading, self._progress_dir = reading, progress_dir

    def expand(self, pipeline: beam.Pipeline) -> Any:
        return (
            pipeline
            | beam.Create(range(self._reading.shards))
            | beam.ParDo(_ReadShard(self._reading, self._progress_dir)).with_outputs(
                "problem", "outcome", "class", *SPLITS
            )
        )


class _ReadShard(beam.DoFn):
    def __init__(self, reading: _Reading, progress_dir: str) -> None:
        self._reading, self._progress_dir = reading, progress_dir

    def setup(self) -> None:
        # Once for all shards that this worker reads: a large folder takes long to list.
        self._opened = self._reading.open()

    def process(self, shard: int) -> Iterator[Any]:
        reading, folder = self._reading, self._opened
        dtypes: dict[str, DType] = {name: feature.dtype for name, feature in raw_features(folder.columns).items()}
        records = (
            record for split in folder.splits for record in folder.records(split, shard, reading.shards, reading.limit)
        )
        for record in _counted(records, Path(self._progress_dir, ROWS.format(shard=shard))):
            yield from _outputs(record, dtypes)
            for column, name in verdict.classes_of(record.features or {}, folder.columns):
                yield beam.pvalue.TaggedOutput("class", (record.split, column, name))


def _counted(records: Iterator[Record], file: Path) -> Iterator[Record]:
    """The records, while `file` is told now and then, and at the end, how many there were."""
    told, number = time.monotonic(), 0
    for number, record in enumerate(records, start=1):
        yield record
        if time.monotonic() - told > ROWS_SECONDS:
            told = time.monotonic()
            file.write_text(str(number), encoding="utf-8")
    file.write_text(str(number), encoding="utf-8")


def _outputs(record: Record, dtypes: dict[str, DType]) -> Iterator[Any]:
    if record.problem:
        problem = {"split": record.split, "file": record.file, "row": record.row, **asdict(record.problem)}
        yield beam.pvalue.TaggedOutput("problem", json.dumps(problem))
        yield beam.pvalue.TaggedOutput("outcome", "quarantined")
    elif record.features is not None:
        yield beam.pvalue.TaggedOutput(record.split, serialized_example(record.features, dtypes))
        yield beam.pvalue.TaggedOutput("outcome", record.split)


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
          settings: task, limit (records of each split, or None), shards, split_by (as `--set` names it, or ""), names
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


def read_quarantine(examples: Path) -> list[dict[str, Any]]:
    """The bad records of an examples artifact, each with split, file, row, column, reason and attack."""
    return [json.loads(line) for line in (examples / QUARANTINE).read_text(encoding="utf-8").splitlines()]


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
