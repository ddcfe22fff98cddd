"""The training executor: TFX's Trainer with workers started by a launcher, and a place to resume from."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from tfx.components.trainer.executor import GenericExecutor
from tfx.types import artifact_utils

from components.workers.cluster_settings import ClusterSettings
from components.workers.launchers import InProcess, Launcher, LocalProcesses
from data.sources.assets import files_of
from trainer.worker import TrainingSpec, as_dict

RUN_FN = "trainer.worker.train"
"""What TFX's Trainer is told to call. This executor starts the same function through a launcher."""


class TrainingExecutor(GenericExecutor):
    """Trains from transformed examples.

    `custom_config`: task, hparams, assets (as `data.sources.assets.Located` has them, or null), steps, workers, digest
    (of the code that training depends on), training_root, worker_log_dir, cluster (fields of ClusterSettings where the
    workers are pods, else None). Where training keeps its backups follows from all that decides its result, so that the
    next run of the same training, after a kill, goes on from there.
    """

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: dict[str, Any]) -> None:
        config = json.loads(exec_properties["custom_config"])
        fn_args = self._GetFnArgs(input_dict, output_dict, exec_properties)
        examples = Path(artifact_utils.get_single_uri(input_dict["examples"]), "Split-train")
        decisive = {name: value for name, value in config.items() if name != "cluster"}
        identity = json.dumps([decisive, str(examples), fn_args.transform_output], sort_keys=True)
        training_dir = Path(config["training_root"], hashlib.sha256(identity.encode()).hexdigest()[:16])
        spec = TrainingSpec(
            task=config["task"],
            hparams=config["hparams"],
            train_files=[str(path) for path in sorted(examples.iterdir())],
            transform_graph=fn_args.transform_output,
            model_dir=fn_args.serving_model_dir,
            log_dir=fn_args.model_run_dir,
            training_dir=str(training_dir),
            steps=config["steps"],
            assets=files_of(config["assets"]),
        )
        training_dir.mkdir(parents=True, exist_ok=True)
        _launcher(config["workers"], config["cluster"]).run(as_dict(spec), Path(config["worker_log_dir"]))
        # What training logs go by is part of the result; the backups have served.
        shutil.rmtree(training_dir)


def _launcher(workers: int, cluster: dict[str, Any] | None) -> Launcher:
    if cluster is not None:
        from components.workers.kubernetes import KubernetesWorkers

        return KubernetesWorkers(ClusterSettings(**cluster), workers)
    return InProcess() if workers == 1 else LocalProcesses(workers)
