"""A throw-away task whose inputs no folder holds, from its file to a verdict: a value with a default, the first word of
a text, a picture made darker. Training makes them, people give them."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import trainer.tasks
from dashboard.try_it import Asked, Trial, fields_of
from data.errors import WrongUse
from data.media.kinds import data_uri
from pipelines.records.run_result import EXIT_BLESSED
from pipelines.serving.predict import predict
from tests.pipelines.test_all_tasks import Runs, assert_served_as_evaluated, assert_verdict, first_records
from trainer.task import load

pytestmark = pytest.mark.whole

GUESS = "throwaway_guess"

GUESS_TASK = '''
"""What is a text about that begins like this, how sure is one at a temperature, and how was the dark picture?"""

import io

import numpy as np
from PIL import Image as Pillow

from data.columns import Derived, Given, Image, Label, Number, Prefix, Text
from trainer.backend import tf
from trainer.families import classification
from trainer.features import images
from trainer.networks import outputs
from trainer.preview import Bars, Picture, Preview, as_text
from trainer.task import HParams, Task

BUCKETS = 64
HEIGHT, WIDTH = 24, 32


def darkened(content, number):
    pixels = np.asarray(Pillow.open(io.BytesIO(content)).convert("RGB")) // (2 + number % 2)
    stream = io.BytesIO()
    Pillow.fromarray(pixels.astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


class Guess(Task):
    title = "Guess"
    questions = ()
    modality = "text"
    data = "digits"
    columns = {
        "text": Text(),
        "image": Image(),
        "label": Label(),
        "start": Prefix(of="text", max_words=1),
        "dark": Derived(of="image", kind=Image(), how=darkened),
        "temperature": Given(kind=Number(minimum=0.01), default=1.0, description="how bold"),
    }
    targets = ("image", "text", "label")
    HParams = HParams
    small = {**Task.small, "epochs": 1, "min_steps": 200, "learning_rate": 0.03}

    def preprocess(self, inputs):
        words = tf.strings.to_hash_bucket_fast(inputs["start"], BUCKETS)
        return {
            "start": tf.one_hot(words, BUCKETS),
            "dark": images.decode(inputs["dark"], HEIGHT, WIDTH),
            "temperature": inputs["temperature"],
            "label": classification.index_labels(inputs["label"], "label"),
        }

    def build_model(self, spec):
        start = tf.keras.Input([BUCKETS], name="start")
        classes = len(spec.vocabularies["label"])
        model = outputs.model_of({"start": start}, tf.keras.layers.Dense(classes)(start), target="label")
        return classification.compile_classifier(model, self.hparams, spec)

    def predict(self, model, features, spec):
        logits = model({"start": features["start"]}, training=False) / features["temperature"][:, None]
        bright = tf.cast(tf.minimum(2 * tf.cast(features["dark"], tf.int32), 255), tf.uint8)
        made = {"bright": bright, "bright_bytes": tf.map_fn(tf.io.encode_png, bright, fn_output_signature=tf.string)}
        return classification.class_probabilities(logits, spec.vocabularies["label"]) | made

    def metrics(self):
        return classification.evaluation(accuracy_bound=0.5, slices=("label",))

    def preview(self, example, prediction):
        bars = Bars({as_text(n): float(p) for n, p in zip(prediction["labels"], prediction["probabilities"])})
        return Preview(as_text(prediction["label"]), None, {}, (Picture(example["dark"]), bars))
'''


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Runs of a task that lies in a temporary folder, which is a part of the package `trainer` meanwhile."""
    folder = tmp_path_factory.mktemp("given")
    room = folder / "trainer" / "tasks"
    room.mkdir(parents=True)
    (room / f"{GUESS}.py").write_text(GUESS_TASK.lstrip(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setattr(trainer.tasks, "__path__", [*trainer.tasks.__path__, str(room)])
        yield Runs(folder / "runs")
    sys.modules.pop(f"trainer.tasks.{GUESS}", None)


def test_it_is_blessed_and_answers_as_it_was_evaluated(runs: Runs) -> None:
    alone = runs.alone(GUESS)
    assert_verdict(alone)
    assert alone.result.exit == EXIT_BLESSED, alone.result.verdict
    assert_served_as_evaluated(alone)


def test_training_sees_what_no_folder_holds(runs: Runs) -> None:
    """The default of what is given, the first word of a text, and a picture made darker, the same in each run."""
    from trainer.backend import tf

    alone = runs.alone(GUESS)
    rows = Path(str(alone.settings.data), "train", "metadata.jsonl").read_text(encoding="utf-8")
    assert not {"temperature", "start", "dark"} & set(json.loads(rows.splitlines()[0]))
    split = next((alone.pipeline / "FolderExampleGen" / "examples").glob("*/Split-train"))
    factors = set()
    for record in first_records(split, None):
        values = tf.train.Example.FromString(record).features.feature
        assert list(values["temperature"].float_list.value) == [1.0]
        [text], [start] = (values[name].bytes_list.value for name in ("text", "start"))
        assert start == text.split()[0]
        whole, dark = (
            np.asarray(Pillow.open(io.BytesIO(values[name].bytes_list.value[0])).convert("RGB"))
            for name in ("image", "dark")
        )
        [factor] = [factor for factor in (2, 3) if np.array_equal(whole // factor, dark)]
        factors.add(factor)
    assert factors == {2, 3}


def test_what_is_given_changes_the_answer_and_is_its_default_elsewhere(runs: Runs, tmp_path: Path) -> None:
    serving = runs.alone(GUESS).pipeline.parent / "serving"
    picture = tmp_path / "dark.png"
    Pillow.new("RGB", (32, 24), (40, 50, 60)).save(picture)

    def sureness(**given: str) -> float:
        [answer] = predict(GUESS, [], serving, None, {"start": "left", "dark": str(picture), **given})
        assert answer["label"] == "left"
        return float(answer["probabilities"]["left"])

    assert sureness(temperature="0.3") > sureness(temperature="1.0") == sureness() > sureness(temperature="5")
    table = tmp_path / "asked.csv"
    table.write_text("start,dark,temperature\nleft,dark.png,\nleft,dark.png,5\n", encoding="utf-8")
    for given, expected in (({}, sureness()), ({"temperature": "0.3"}, sureness(temperature="0.3"))):
        first, second = predict(GUESS, [table], serving, tmp_path / "out", given)
        assert first["probabilities"]["left"] == pytest.approx(expected, rel=1e-5)
        assert second["probabilities"]["left"] == pytest.approx(sureness(temperature="5"), rel=1e-5)
        assert Pillow.open(first["bright"]).getpixel((0, 0)) == (80, 100, 120)
    with pytest.raises(WrongUse, match="--input start=left beside files") as refused:
        predict(GUESS, [table], serving, None, {"start": "left"})
    assert refused.value.fix == "beside files it may be temperature"


def test_examples_that_are_served_may_lack_what_has_a_default(runs: Runs) -> None:
    from trainer.backend import tf

    folder = max((runs.alone(GUESS).pipeline.parent / "serving").iterdir(), key=lambda path: int(path.name))
    loaded = tf.saved_model.load(str(folder))
    picture = io.BytesIO()
    Pillow.new("RGB", (32, 24)).save(picture, "PNG")

    def sureness(**numbers: float) -> float:
        texts = {"start": b"left", "dark": picture.getvalue()}
        features = {name: tf.train.Feature(bytes_list={"value": [text]}) for name, text in texts.items()}
        features |= {name: tf.train.Feature(float_list={"value": [number]}) for name, number in numbers.items()}
        example = tf.train.Example(features={"feature": features}).SerializeToString()
        return float(loaded.signatures["serving_default"](tf.constant([example]))["probabilities"].numpy().max())

    assert sureness() == sureness(temperature=1.0) < sureness(temperature=0.3)


def test_a_form_shows_what_may_be_given_with_its_default_and_takes_it_left_open(runs: Runs, tmp_path: Path) -> None:
    fields = fields_of(load(GUESS))
    kinds = {name: field.asked.kind for name, field in fields.items()}
    assert kinds == {"start": "text", "dark": "file", "temperature": "number"}
    temperature = fields["temperature"]
    assert (temperature.asked.default, temperature.asked.minimum, temperature.said) == (1.0, 0.01, "how bold")
    assert not temperature.needed and fields["start"].needed and fields["dark"].needed
    asked = Asked(GUESS, {"start": "left", "temperature": ""}, {"dark": ("a.png", data_uri(".png", b"content"))})
    assert Trial()._inputs(fields, asked, tmp_path)["given"] == {"start": "left", "dark": str(tmp_path / "dark.png")}
