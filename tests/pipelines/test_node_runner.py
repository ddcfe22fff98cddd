"""Nodes of an IR, run in order, answered from the cache, buried and cut out, on components that compute nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline
from tfx.types.standard_artifacts import Model, Schema

from data.errors import BenisonError, DataRefused
from pipelines import node_runner
from pipelines.console.progress import Listener
from pipelines.node_runner import NodeRunner, compile_ir
from pipelines.records import lineage
from pipelines.records.lineage import sqlite_connection

# No `from __future__ import annotations`: TFX reads these annotations as objects.


@component
def Writes(words: Parameter[str], made: OutputArtifact[Schema]):
    if words == "bad":
        raise DataRefused("these words are bad", "say others")
    Path(made.uri, "words.txt").write_text(words)


@component
def Doubles(given: InputArtifact[Schema], made: OutputArtifact[Model]):
    Path(made.uri, "words.txt").write_text(2 * Path(given.uri, "words.txt").read_text())


@pytest.fixture
def ir(tmp_path: Path) -> Callable[[str], Any]:
    def compiled(words: str) -> Any:
        first = Writes(words=words)
        second = Doubles(given=first.outputs["made"])
        other = Writes(words="other").with_id("Yonder")
        return compile_ir(
            Pipeline(
                pipeline_name="toy",
                pipeline_root=str(tmp_path / "root [x]"),
                components=[first, other, second],
                enable_cache=True,
                metadata_connection_config=sqlite_connection(tmp_path / "metadata.db"),
            )
        )

    return compiled


class Heard(Listener):
    def __init__(self) -> None:
        self.told: list[str] = []

    def node_started(self, node: str, index: int, total: int, expected_seconds: float | None) -> None:
        self.told.append(f"{index + 1}/{total} {node}")

    def node_finished(self, node: str, state: str, seconds: float) -> None:
        self.told.append(f"{node} {state}")


def states(found: Iterator[Any]) -> dict[str, str]:
    return {node.id: node.state for node in found}


def test_nodes_run_once_and_are_answered_from_the_cache_until_something_changes(ir: Any) -> None:
    heard = Heard()
    runner = NodeRunner(ir("ab"), "r1")
    assert runner.node_ids == ["Writes", "Yonder", "Doubles"]
    nodes = list(runner.run(heard, {}, None, None))
    assert {node.id: node.state for node in nodes} == dict.fromkeys(runner.node_ids, "ran")
    assert heard.told[:2] == ["1/3 Writes", "Writes ran"]
    assert Path(nodes[2].outputs["made"], "words.txt").read_text() == "abab"
    assert runner.finished("Doubles") == "ran" and NodeRunner(ir("ab"), "r2").finished("Doubles") is None
    again = NodeRunner(ir("ab"), "r2")
    assert set(states(again.run(Listener(), {}, None, None)).values()) == {"cached"}
    assert states(NodeRunner(ir("ab"), "r3").run(Listener(), {}, "Doubles", None)) == {
        "Writes": "cached",
        "Yonder": "cached",
        "Doubles": "ran",
    }
    assert states(NodeRunner(ir("cd"), "r4").run(Listener(), {}, None, "Doubles")) == {
        "Writes": "ran",
        "Yonder": "skipped",
        "Doubles": "ran",
    }


def test_a_refusal_comes_as_it_was_said_and_what_waits_for_it_is_told(ir: Any, tmp_path: Path) -> None:
    heard = Heard()
    with pytest.raises(DataRefused, match="these words are bad") as caught:
        list(NodeRunner(ir("bad"), "r1").run(heard, {}, None, None))
    assert caught.value.fix == "say others" and heard.told == ["1/3 Writes", "Writes failed"]
    runner = NodeRunner(ir("bad"), "r1")
    with pytest.raises(BenisonError, match="node Doubles did not run: what it needs from other nodes is not there"):
        runner.launch("Doubles")
    assert runner.finished("Writes") is None


def test_what_a_killed_run_left_is_ended_and_removed(ir: Any, tmp_path: Path) -> None:
    runner = NodeRunner(ir("ab"), "r1")
    runner.launch("Writes")
    connection = sqlite_connection(tmp_path / "metadata.db")
    with metadata.Metadata(connection) as handle:
        [execution] = handle.store.get_executions()
        execution.last_known_state = metadata_store_pb2.Execution.RUNNING
        handle.store.put_executions([execution])
    half = tmp_path / "root [x]" / "Writes" / "made" / str(execution.id)
    assert (half / "words.txt").is_file()
    runner.bury_the_dead()
    assert not half.exists()
    with metadata.Metadata(connection) as handle:
        assert lineage.state_of(handle.store.get_executions()[0]) == "failed"


def test_one_node_cut_out_goes_as_text_and_runs_alone(ir: Any) -> None:
    whole = ir("ab")
    node_runner.set_parameters(whole, "Writes", {"words": "xy"})
    part = node_runner.from_text(node_runner.to_text(node_runner.slice_of(whole, "Writes")))
    runner = NodeRunner(part, "r1")
    assert runner.node_ids == ["Writes"]
    state, outputs = runner.launch("Writes")
    assert state == "ran" and Path(outputs["made"], "words.txt").read_text() == "xy"


def test_entries_of_a_parameter_that_is_json_are_set_and_others_stay(ir: Any) -> None:
    whole = ir('{"a": 1, "b": 2}')
    node_runner.update_json(whole, "Writes", "words", {"b": 3})
    _, outputs = NodeRunner(whole, "r1").launch("Writes")
    assert Path(outputs["made"], "words.txt").read_text() == '{"a": 1, "b": 3}'
