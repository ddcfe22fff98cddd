"""Autonomous driving (question 18): from what a car's camera and lidar see to its steering, its pedals and its path.

A simulator's car. Nothing here is fit for a road: no pedestrian, no other car and no traffic light is known to it.

Method, in the guide's five steps. Senses: a camera's picture of any size, one sweep of a lidar, the speed. Crop and
flip: the bottom of the picture, where a bonnet or a simulator's own instruments are, is cut off at a height that
changes from batch to batch, and half of the examples are mirrored, picture, sweep, steering and path alike. Network:
two branches of convolutions (`trainer.networks.driver`), PilotNet's (Bojarski et al. 2016) for the camera and one over
the lidar's angles. Behaviour: steering from -1 (left) to 1, throttle and brake from 0 to 1. Path: five way-points 5 to
25 metres ahead, x to the right and y ahead of the car. It is learnt by imitation, from what an expert did.

Lidar and speed may lack, in training and in prediction: some examples are learnt without, and where no record has them
the camera is learnt from alone. Way-points and pedals are learnt where they are known. Udacity's `driving_log.csv` is
read as it is; of the pictures of its side cameras the steering is corrected by `side_camera_correction`.

Small errors of an imitator add up, since they lead to places where no expert was (Ross et al. 2011). So the default
data are full of recoveries, and the model is judged by driving, too, where its data came from a simulator: laps on
tracks that neither split has. `reward_share` is its reward as a share of the expert's. References: the median answer of
the train split; the wheel held as it was at the record before; and the expert, of whose reward half must be reached.

Default data: drives of a rule in CarRacing (`driving`), 40 tracks to learn from and 8 others to evaluate on.
Measured scores and seconds: `docs/results.md`. Command: `benison run autonomous_driving`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from data.columns import UNKNOWN, Identifier, Image, Label, Number, Ranges, Recorded, Value, Vector
from data.folders.layouts.driving_log import VIEWS
from data.simulators import senses
from trainer import assessment
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.features import images, optional
from trainer.metrics import laps
from trainer.optimisers import optimizer
from trainer.preview import Animation, Picture, Preview, driving, plots
from trainer.preview.plots import Plot
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

STEERING, THROTTLE, BRAKE, PATH = "steering", "throttle", "brake", "path"
LEARNT = {STEERING: 1.0, THROTTLE: 0.15, BRAKE: 0.15, PATH: 0.3}
"""What is learnt, and how much its error counts."""
OPEN_LOOP = {STEERING: "steering_mae", PATH: "path_error", THROTTLE: "throttle_mae", BRAKE: "brake_mae"}
"""The metrics of what was recorded."""
WAY_POINTS = len(senses.WAY_POINTS)
FARTHEST = 200.0
"""Metres to which a lidar is listened."""
NEAR = 20.0
"""Metres at which what a lidar found counts a third of what is at the bumper."""
UNKNOWN_SPEED = -1.0
SIDES = dict(zip(VIEWS, (0.0, 1.0, -1.0), strict=True))
"""To which side the steering of a camera's pictures is corrected: a picture from the left is of a car too far left."""
FITTED = 5_000
"""Train examples at most whose means answers begin at."""
RIGHT_WITHIN = 0.1
"""Of full lock: a preview's steering counts as right."""
FIRST_LAP = 3_000
"""Seed of the first track that models are judged by; those of the default data are below."""
FILMED_RATE = 2.5
"""Frames of each second of a driven lap."""
FILM_CAPTION = "steering, pedals, path (blue) and lidar (yellow)"
FILM_SPEED = 2.0
"""How many times as fast as it was driven a lap is shown."""


@dataclass(frozen=True)
class AutonomousDrivingHParams(HParams):
    epochs: int = field(default=10, metadata={"min": 1})
    min_steps: int = field(default=1200, metadata={"min": 1})
    global_batch_size: int = field(default=64, metadata={"min": 1})
    learning_rate: float = field(default=2e-3, metadata={"min": 0.0})
    image_size: int = field(default=96, metadata={"min": 32, "max": 512})
    """Side in pixels to which pictures are brought before they are cut."""
    crop_top: float = field(default=0.0, metadata={"min": 0.0, "max": 0.8})
    """Share of the picture's height that is cut off: sky."""
    crop_bottom: float = field(default=0.15, metadata={"min": 0.0, "max": 0.8})
    """The same below: bonnet or instruments."""
    crop_shift: float = field(default=0.03, metadata={"min": 0.0, "max": 0.2})
    """The cut moves up and down by so much of the height while training."""
    mirror: bool = True
    light: float = field(default=0.3, metadata={"min": 0.0, "max": 1.0})
    """How much training pictures are lit otherwise, channel by channel."""
    without: float = field(default=0.1, metadata={"min": 0.0, "max": 1.0})
    """Share of the training examples whose lidar is left out, and of those whose speed is."""
    side_camera_correction: float = field(default=0.2, metadata={"min": 0.0, "max": 1.0})
    """Added to the steering of pictures of the left camera, taken from that of the right one's."""
    filters: int = field(default=24, metadata={"min": 1})
    units: int = field(default=128, metadata={"min": 2})
    dropout: float = field(default=0.2, metadata={"min": 0.0, "max": 0.95})
    laps: int = field(default=6, metadata={"min": 1, "max": 100})
    """Driven to judge a model, each on a track of its own."""
    lap_actions: int = field(default=400, metadata={"min": 1, "max": 5000})
    """Actions of a lap at most, ten a second."""


class AutonomousDriving(Task):
    title = "Autonomous driving"
    questions = (18,)
    modality = "image, table"
    data = "driving"
    columns = {
        "camera": Image(description="what the car's camera sees"),
        "lidar": Recorded(
            kind=Ranges(beams=senses.LIDAR_BEAMS, farthest=FARTHEST),
            default=UNKNOWN,
            description="metres, from left to right over the half circle ahead",
        ),
        "speed": Recorded(
            kind=Number(minimum=UNKNOWN_SPEED), default=UNKNOWN_SPEED, description="in any unit; -1 where not known"
        ),
        "steering": Number(minimum=-1, maximum=1, description="from full lock to the left to full lock to the right"),
        "throttle": Number(minimum=0, maximum=1, optional=True),
        "brake": Number(minimum=0, maximum=1, optional=True),
        "path": Vector(size=2 * WAY_POINTS, optional=True, description="x, y of each way-point in the car's frame"),
        "last_steering": Number(minimum=-1, maximum=1, optional=True, description="what was steered half a second ago"),
        "view": Label(classes=VIEWS, open=True, optional=True, description="which of three cameras it is"),
        "episode": Identifier(optional=True, description="which drive it is of"),
        "simulator": Label(classes=senses.NAMES, open=True, optional=True, description="where it was recorded"),
    }
    targets = ("steering", "throttle", "brake", "path", "last_steering", "view", "episode", "simulator")
    split_by = "episode"
    HParams = AutonomousDrivingHParams
    small = {
        **Task.small,
        "image_size": 32,
        "filters": 4,
        "units": 32,
        "mirror": False,
        "dropout": 0.0,
        "learning_rate": 0.01,
        "laps": 1,
        "lap_actions": 1,
    }

    @classmethod
    def refuse(cls, features: Mapping[str, Value]) -> str:
        lacking = [name for name in (THROTTLE, BRAKE) if name not in features]
        if "simulator" not in features or not lacking:
            return ""
        return f"recorded in a simulator, but without {' and '.join(lacking)}: a model could not be driven there"

    def preprocess(self, inputs: Features) -> Features:
        """
        Returns:
          `camera` uint8 `[batch, size, size, 3]`; `lidar` float32 `[batch, beams]`, metres, 0 where not known; `speed`
          float32 `[batch, 2]`, with mean 0 and variance 1, and whether it is known; the targets `steering`, `throttle`,
          `brake` and `last_steering` float32 `[batch]` and `path` `[batch, 2 * WAY_POINTS]`, NaN where not known; and
          `simulator` int64 `[batch]`, by a vocabulary that the model keeps.
        """
        import tensorflow_transform as tft

        size, count = self.hparams.image_size, tf.size(inputs["steering"])
        speed = inputs["speed"]
        known = tf.cast(speed >= 0, tf.float32)
        # What no record of the train split has says nothing later, either: weights were never learnt for it.
        ever_known, ever_heard = tft.max(known), tf.cast(tft.max(tf.reduce_max(inputs["lidar"])) > 0, tf.float32)
        steering = inputs["steering"] + self._correction(optional.dense(inputs["view"], count, absent=""))
        simulator = optional.dense(inputs["simulator"], count, absent="")
        return {
            "camera": images.decode(inputs["camera"], size, size),
            "lidar": inputs["lidar"] * ever_heard,
            "speed": tf.stack([tft.scale_to_z_score(speed) * known, known], axis=1) * ever_known,
            STEERING: tf.clip_by_value(steering, -1.0, 1.0),
            PATH: optional.dense(inputs[PATH], count, math.nan, 2 * WAY_POINTS),
            **{name: optional.dense(inputs[name], count, math.nan) for name in (THROTTLE, BRAKE, "last_steering")},
            "simulator": tft.compute_and_apply_vocabulary(simulator, vocab_filename=laps.SIMULATOR),
        }

    def _correction(self, view: Any) -> Any:
        sides = [tf.where(view == name, side, 0.0) for name, side in SIDES.items()]
        return self.hparams.side_camera_correction * tf.add_n(sides)

    def batch(self, features: Features, seed: Any) -> Features:
        """Crops and, in training, mirrors, lights and leaves out. `lidar` becomes float32 `[batch, beams, 2]`: how near
        what it found is, and whether it found anything."""
        if seed is not None:
            features = self._changed(features, tf.unstack(tf.random.experimental.stateless_split(seed, 5)))
        top, height = self._cut()
        if seed is not None:
            shift = round(self.hparams.crop_shift * self.hparams.image_size)
            lowest, highest = max(0, top - shift), min(self.hparams.image_size - height, top + shift)
            top = tf.random.stateless_uniform([], seed, lowest, highest + 1, tf.int32)
        camera = features["camera"][:, top : top + height]
        metres = features["lidar"]
        heard = tf.cast(tf.reduce_any(metres > 0, axis=1, keepdims=True), tf.float32)
        lidar = tf.stack([tf.exp(-metres / NEAR) * heard, tf.broadcast_to(heard, tf.shape(metres))], axis=2)
        size = self.hparams.image_size
        return {**features, "camera": tf.ensure_shape(camera, [None, height, size, 3]), "lidar": lidar}

    def _cut(self) -> tuple[int, int]:
        """First row and number of rows that are left of a picture, at least a quarter."""
        size = self.hparams.image_size
        top = round(self.hparams.crop_top * size)
        return top, max(size // 4, round((1 - self.hparams.crop_bottom) * size) - top)

    def _changed(self, features: Features, seeds: Sequence[Any]) -> Features:
        def chosen(share: float, seed: Any) -> Any:
            return tf.random.stateless_uniform(tf.shape(features[STEERING]), seed) < share

        changed = dict(features)
        changed["camera"] = images.random_light(features["camera"], self.hparams.light, seeds[0])
        for name, seed in (("lidar", seeds[1]), ("speed", seeds[2])):
            changed[name] = tf.where(chosen(self.hparams.without, seed)[:, None], 0.0, features[name])
        if not self.hparams.mirror:
            return changed
        mirrored = chosen(0.5, seeds[3])
        mirror = mirror_image(changed)
        return {
            name: tf.where(tf.reshape(mirrored, [-1] + [1] * (len(value.shape) - 1)), mirror[name], value)
            for name, value in changed.items()
        }

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.driver import driver

        hparams = self.hparams
        train = spec.train(limit=FITTED)
        targets = {name: train[name] for name in LEARNT}
        has_lidar = bool(np.any(train["lidar"][..., 1]))
        model = driver(spec.features, targets, LEARNT, hparams.filters, hparams.units, hparams.dropout, has_lidar)
        model.compile(optimizer(hparams, spec.steps, warmup=100, clip=5.0), jit_compile=hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        """`steering` float32 `[batch]`; `throttle` and `brake` `[batch]`, -1 where no record had them to learn from;
        `path` `[batch, WAY_POINTS, 2]`, without way-points where no record had any; `from_above`, whether the camera is
        a simulator's, so that the path can be drawn into its picture."""
        answer = model(features, training=False)
        found = {STEERING: tf.clip_by_value(answer[STEERING], -1.0, 1.0)}
        for name in (THROTTLE, BRAKE):
            found[name] = (
                tf.clip_by_value(answer[name], 0.0, 1.0) if name in model.learnt else -tf.ones_like(answer[name])
            )
        path = tf.reshape(answer[PATH], [-1, WAY_POINTS, 2])
        from_above = bool(_simulators(spec))
        return found | {
            PATH: path if PATH in model.learnt else path[:, :0],
            "from_above": tf.fill(tf.shape(answer[STEERING]), from_above),
        }

    def metrics(self) -> Evaluation:
        drives = asdict(self._laps())

        def driven(name: str) -> Metric:
            return Metric(name, name, laps.__name__, drives, runs_model=True, may_lack=True)

        def known(of: str, kind: str) -> Metric:
            return Metric(OPEN_LOOP[of], kind, "trainer.metrics.numbers", prediction=of, label=of, may_lack=True)

        return Evaluation(
            prediction=STEERING,
            label=STEERING,
            metrics=(
                Metric(OPEN_LOOP[STEERING], "AbsoluteError", "trainer.metrics.numbers"),
                known(PATH, "MeanDistance"),
                known(THROTTLE, "MeanDifference"),
                known(BRAKE, "MeanDifference"),
                driven("reward_share"),
                driven("on_road"),
                driven("times_left"),
            ),
            gates=(
                Gate(OPEN_LOOP[STEERING], higher_is_better=False, baseline_margin=0.01),
                Gate(OPEN_LOOP[PATH], higher_is_better=False, baseline_margin=0.2),
                Gate("reward_share", reference_factor=0.5, baseline_margin=0.1),
            ),
            slices=("view",),
        )

    def _laps(self) -> laps.Laps:
        return laps.Laps(self.hparams.laps, self.hparams.lap_actions, FIRST_LAP)

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        """The constant, the last action, and the expert, who drives the laps itself."""
        from trainer.metrics.numbers import MeanDifference, MeanDistance, mean

        constant: dict[str, float] = {}
        for name, metric in OPEN_LOOP.items():
            truth = evaluation[name]
            if np.isfinite(truth).any() and np.isfinite(train[name]).any():
                median = np.broadcast_to(np.nanmedian(train[name], axis=0), truth.shape)
                constant[metric] = mean(MeanDistance if name == PATH else MeanDifference, truth, median)
        found = {"median of training": constant}
        before = evaluation["last_steering"]
        if (there := np.isfinite(before)).any():
            wheel = mean(MeanDifference, evaluation[STEERING][there], before[there])
            found["last action"] = {OPEN_LOOP[STEERING]: wheel}
        by_expert = laps.scores(_simulators(spec), self._laps())
        return found | ({"expert": by_expert} if by_expert else {})

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        """Right is a steering within a tenth of full lock."""
        steering = float(prediction[STEERING])
        truth = self._truth(example).steering if STEERING in example else None
        is_right = None if truth is None else abs(steering - truth) <= RIGHT_WITHIN
        return assessment.of_number(truth, steering, is_right)

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        """The camera's picture with wheel, pedals, path and sweep. Right is a steering within a tenth of full lock."""
        steering = float(prediction[STEERING])
        truth = self._truth(example) if STEERING in example else None
        shown = f"steering {steering:+.2f}"
        missing = [
            name for name, lacks in (("lidar", not any(example["lidar"])), ("speed", example["speed"] < 0)) if lacks
        ]
        note = f"without {' and '.join(missing)}" if missing else ""
        return Preview(
            title=shown if truth is None else f"{shown}, the driver {truth.steering:+.2f}",
            correct=self.assess(example, prediction).correct,
            slice={"view": example["view"].decode()} if "view" in example else {},
            parts=(Picture(self._board(example, prediction, truth), caption=note),),
        )

    def _board(self, example: Mapping[str, Any], prediction: Mapping[str, Any], truth: driving.Drive | None) -> Any:
        camera = images.decode_whole(tf.constant(example["camera"])).numpy()
        lidar = np.asarray(example["lidar"], np.float64)
        return driving.board(camera, _drive(prediction), truth, lidar, bool(prediction["from_above"]))

    def _truth(self, example: Mapping[str, Any]) -> driving.Drive:
        side = SIDES[example["view"].decode()] if "view" in example else 0.0
        steering = float(np.clip(example["steering"] + self.hparams.side_camera_correction * side, -1, 1))
        pedals = [float(example[name]) for name in (THROTTLE, BRAKE) if name in example]
        return driving.Drive(steering, pedals if len(pedals) == 2 else [], np.reshape(example.get(PATH) or [], (-1, 2)))

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = {STEERING: round(answer[STEERING], 3)}
        row |= {name: round(answer[name], 3) for name in (THROTTLE, BRAKE) if answer[name] >= 0}
        points = ", ".join(f"({x:+.1f}, {y:.1f})" for x, y in answer[PATH])
        return row | ({"path, metres right and ahead": points} if points else {})

    def demonstrations(self, model: Path) -> Sequence[Preview]:
        """The first lap of the evaluation, driven once more: a film of it, and where the car went."""
        simulators = laps.simulators_of(model)
        first = replace(self._laps(), laps=1)
        return [_filmed(world, laps.ModelDriver(model), first.actions) for world in first.worlds(simulators)]

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        return plots.numbers(examples, predictions, truth=STEERING, answer=STEERING)


def mirror_image(features: Features) -> Features:
    """A batch left to right: what is seen on the left is on the right, and steering and way-points change sides."""
    path = tf.reshape(features[PATH], [-1, WAY_POINTS, 2]) * [-1.0, 1.0]
    return {
        **features,
        "camera": features["camera"][:, :, ::-1],
        "lidar": features["lidar"][:, ::-1],
        STEERING: -features[STEERING],
        PATH: tf.reshape(path, [-1, 2 * WAY_POINTS]),
    }


def _simulators(spec: DataSpec) -> list[str]:
    """Those from which the train split came, as far as it says so."""
    return [name for name in spec.vocabularies[laps.SIMULATOR] if name in senses.NAMES]


def _drive(prediction: Mapping[str, Any]) -> driving.Drive:
    pedals = [float(prediction[name]) for name in (THROTTLE, BRAKE)]
    return driving.Drive(float(prediction[STEERING]), pedals if min(pedals) >= 0 else [], prediction[PATH])


def _filmed(world: Any, driver: laps.ModelDriver, actions: int) -> Preview:
    from data.simulators.car_racing import RATE

    frames: list[Any] = []
    step = max(1, round(RATE / FILMED_RATE))
    decisions = itertools.count()

    def filmed(world: Any) -> senses.Action:
        action = driver(world)
        if next(decisions) % step == 0:
            seen = driver.seen
            frames.append(driving.board(seen.camera, _drive(driver.said), None, seen.lidar, from_above=True))
        return action

    lap = laps.lap_of(world, filmed, actions)
    left = f"left the road {lap.times_left} times" if lap.times_left else "never left the road"
    return Preview(
        title=f"A lap driven by the model: {left}, reward {lap.reward:.0f}",
        correct=None,
        slice={},
        parts=(
            Animation(np.stack(frames), len(frames) / FILMED_RATE / FILM_SPEED, caption=FILM_CAPTION),
            Picture(driving.lap_from_above(world.edges, lap.places, lap.on_road), caption="its way; red: off the road"),
        ),
    )
