"""What made what, from a metadata store as TFX's launcher fills it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from dashboard import lineage
from dashboard.store import Damaged, Run, Store
from pipelines.records.lineage import steps_as_json


class Recorded:
    """A store of two runs: the second one's Trainer was answered from the cache."""

    def __init__(self, space: Path) -> None:
        config = mlmd.ConnectionConfig()
        config.sqlite.filename_uri = str(space / "metadata.db")
        config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        self._store, self._space = metadata_store.MetadataStore(config), space
        store = self._store
        self._contexts = {n: store.put_context_type(mlmd.ContextType(name=n)) for n in ("pipeline_run", "node")}
        self._trainer = store.put_execution_type(mlmd.ExecutionType(name="tfx.Trainer"))
        kinds = {name: store.put_artifact_type(mlmd.ArtifactType(name=name)) for name in ("Examples", "Model")}
        self._examples, self._model = store.put_artifacts(
            [
                mlmd.Artifact(type_id=kinds["Examples"], uri=str(space / "pipeline/ExampleGen/examples/1")),
                mlmd.Artifact(type_id=kinds["Model"], uri=str(space / "pipeline/Trainer/model/2")),
            ]
        )
        self._node = self._context("node", "benison-digits.Trainer")
        self._execute("first", mlmd.Execution.COMPLETE, mlmd.Event.OUTPUT)
        self._execute("second", mlmd.Execution.CACHED, mlmd.Event.OUTPUT)

    def _context(self, kind: str, name: str) -> Any:
        [context] = self._store.put_contexts([mlmd.Context(type_id=self._contexts[kind], name=name)])
        return context

    def _execute(self, run: str, state: Any, output: Any) -> None:
        def event(kind: Any, artifact: int, key: str) -> mlmd.Event:
            path = mlmd.Event.Path(steps=[mlmd.Event.Path.Step(key=key)])
            return mlmd.Event(execution_id=execution, artifact_id=artifact, type=kind, path=path)

        [execution] = self._store.put_executions([mlmd.Execution(type_id=self._trainer, last_known_state=state)])
        for context in (self._node, self._context("pipeline_run", run)):
            link = mlmd.Association(execution_id=execution, context_id=context)
            self._store.put_attributions_and_associations([], [link])
        self._store.put_events(
            [event(mlmd.Event.INPUT, self._examples, "examples"), event(output, self._model, "model")]
        )


def test_each_step_names_what_it_took_and_what_it_made(tmp_path: Path) -> None:
    Recorded(tmp_path)
    [step] = lineage.of_run(tmp_path, "first")
    assert (step.node, step.state) == ("Trainer", "complete")
    [(taken, examples)], [(made, model)] = step.inputs, step.outputs
    assert (taken, examples.kind, examples.made_by) == ("examples", "Examples", "")
    assert (made, model.kind, model.place, model.made_by) == ("model", "Model", "pipeline/Trainer/model/2", "first")


def test_what_came_from_the_cache_names_the_run_that_made_it(tmp_path: Path) -> None:
    Recorded(tmp_path)
    [step] = lineage.of_run(tmp_path, "second")
    assert step.state == "cached" and step.outputs[0][1].made_by == "first"


def test_a_run_on_a_cluster_has_written_it_down(tmp_path: Path) -> None:
    Recorded(tmp_path)
    [step] = lineage.of_run(tmp_path, "second")
    stored, run = Store(tmp_path), Run("digits", "second", "finished")
    written = tmp_path / "digits" / "runs" / "second" / "lineage.json"
    written.parent.mkdir(parents=True)
    written.write_text(json.dumps({"steps": steps_as_json([step])}), encoding="utf-8")
    assert stored.lineage(run) == [step]
    written.write_text('{"steps": [{"node": "Trainer"}]}', encoding="utf-8")
    with pytest.raises(Damaged, match="lineage.json cannot be read"):
        stored.lineage(run)
    written.unlink()
    written.symlink_to(Path(__file__))
    with pytest.raises(Damaged, match="a link out of the workspace"):
        stored.lineage(run)


@pytest.mark.parametrize("content", [None, b""])
def test_no_store_no_steps(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "metadata.db").write_bytes(content)
    before = sorted(tmp_path.iterdir())
    assert lineage.of_run(tmp_path, "first") == []
    assert sorted(tmp_path.iterdir()) == before


def test_a_damaged_store_is_named_not_taken_for_one_that_knows_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "metadata.db").write_bytes(b"no database")
    with pytest.raises(Damaged, match="metadata.db cannot be read: file is not a database.* move the file away"):
        Store(tmp_path).lineage(Run("digits", "first", "finished"))


def test_an_unknown_run_has_no_steps_and_reading_writes_nothing(tmp_path: Path) -> None:
    Recorded(tmp_path)
    before = (tmp_path / "metadata.db").read_bytes()
    assert lineage.of_run(tmp_path, "third") == []
    assert (tmp_path / "metadata.db").read_bytes() == before
