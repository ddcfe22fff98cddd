"""Networks as their tasks make them by default: moderate answers at first, no dead layer, and no unfounded alarm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from trainer import health
from trainer.backend import tf
from trainer.features.interactions import Interactions
from trainer.features.texts import END
from trainer.task import DataSpec, Task

EXAMPLES = 16


def random() -> np.random.Generator:
    return np.random.default_rng(0)


def pictures(height: int, width: int, channels: int) -> Any:
    """Strong colours, each picture another."""
    noise = random().integers(-20, 20, (EXAMPLES, height, width, channels))
    return tf.constant((random().integers(0, 256, (EXAMPLES, 1, 1, channels)) + noise).clip(0, 255).astype(np.uint8))


def dcgan() -> tuple[Any, Any, Any]:
    from trainer.networks import adversarial

    model = adversarial.Adversarial(*adversarial.dcgan(28, 28, 3, latent_size=64, filters=32))
    model.compile(6e-4)
    return model, {"seed": tf.range(EXAMPLES, dtype=tf.int64)}, {"image": pictures(28, 28, 3)}


def crnn() -> tuple[Any, Any, Any]:
    from trainer.networks import ctc

    model = ctc.Crnn(symbols=28, filters=16, units=128, layers=1, dropout=0.1, global_batch_size=EXAMPLES)
    features = {"log_mel": pictures(40, 40, 1), "frames": tf.fill([EXAMPLES], tf.constant(40, tf.int64))}
    model(features)
    model.compile(tf.keras.optimizers.Adam(3e-3, global_clipnorm=5.0))
    return model, features, {"text": tf.constant(random().integers(0, 28, (EXAMPLES, 5)))}


def faster_rcnn() -> tuple[Any, Any, Any]:
    from trainer.networks.faster_rcnn import FasterRCNN

    model = FasterRCNN(tf.TensorSpec([48, 64, 3], tf.uint8), classes=6, filters=16)
    model.compile(tf.keras.optimizers.Adam(1e-3, global_clipnorm=5.0))
    corner = random().uniform(0, 24, (EXAMPLES, 2, 2))
    objects = np.concatenate([corner, corner + 20, random().integers(0, 6, (EXAMPLES, 2, 1))], axis=-1)
    size = tf.tile([[48, 64]], [EXAMPLES, 1])
    return model, {"image": pictures(48, 64, 3), "size": size}, {"objects": tf.constant(objects, tf.float32)}


def seq2seq() -> tuple[Any, Any, Any]:
    from trainer.networks.seq2seq import Seq2Seq

    model = Seq2Seq(source_tokens=500, target_tokens=500, units=128, dropout=0.2, label_smoothing=0.1)
    model.compile(tf.keras.optimizers.Adam(3e-3, global_clipnorm=1.0))
    source, target = (tf.constant(random().integers(END + 1, 500, (EXAMPLES, n))) for n in (7, 6))
    return model, {"source": source}, {"target": target}


def two_tower() -> tuple[Any, Any, Any]:
    from trainer.networks.two_tower import TwoTower

    users, items = (random().integers(0, most, 400) for most in (30, 50))
    ratings = random().uniform(-1e3, 1e3, 400).astype(np.float32)
    known = Interactions(users, items, ratings, 30, 50)
    model = TwoTower(known, size=64, head_size=16, dropout=0.2, negatives=20, decay=40.0)
    model.compile(tf.keras.optimizers.Adam(2e-3))
    of = slice(EXAMPLES)
    return model, {"user": users[of]}, {"item": tf.constant(items[of]), "rating": tf.constant(ratings[of])}


def unet() -> tuple[Any, Any, Any]:
    from trainer.tasks.semantic_segmentation import SemanticSegmentation

    specs = {"image": tf.TensorSpec([48, 64, 3], tf.uint8)}
    model = made_by(SemanticSegmentation, specs, {"label": [f"{number}\t{number}" for number in range(5)]})
    mask = tf.constant(random().integers(0, 5, (EXAMPLES, 48, 64)).astype(np.uint8))
    size = tf.tile(tf.constant([[48, 64]], tf.int64), [EXAMPLES, 1])
    return model, {"image": pictures(48, 64, 3), "size": size}, {"mask": mask}


def resnet() -> tuple[Any, Any, Any]:
    from trainer.tasks.image_recognition import ImageRecognition

    specs = {"image": tf.TensorSpec([64, 64, 3], tf.uint8)}
    model = made_by(ImageRecognition, specs, {"label": [str(number) for number in range(26)]})
    return model, {"image": pictures(64, 64, 3)}, {"label": tf.range(EXAMPLES, dtype=tf.int64)}


def recurrent() -> tuple[Any, Any, Any]:
    """On series of a trend, in a unit of their own."""
    from trainer.tasks.sequence_regression import COMPANIONS, STEPS, SequenceRegression

    shapes = {"value": [STEPS], "window": [STEPS, 1 + COMPANIONS], "cycles": [6], "scale": [], "unit": []}
    specs = {name: tf.TensorSpec(shape, tf.float32) for name, shape in [*shapes.items(), ("next_value", [])]}
    window = random().normal(0, 30, (EXAMPLES, *specs["window"].shape)).cumsum(axis=1).astype(np.float32)
    window[:, :, 0] -= window[:, -1:, 0]
    features = {
        "value": 1e5 + window[:, :, 0],
        "window": window,
        "cycles": random().uniform(-1, 1, (EXAMPLES, 6)).astype(np.float32),
        "scale": np.full(EXAMPLES, 30, np.float32),
        "unit": np.ones(EXAMPLES, np.float32),
    }
    targets = {"next_value": random().normal(1, 1, EXAMPLES).astype(np.float32)}
    model = made_by(SequenceRegression, specs, {}, lambda limit: features | targets)
    return model, features, {name: tf.constant(value) for name, value in targets.items()}


def captioner() -> tuple[Any, Any, Any]:
    """Its decoder on what a network of one convolution sees: the encoder is as that of others."""
    from trainer.networks.captioner import Captioner
    from trainer.tasks.image_captioning import ImageCaptioningHParams

    layers, hparams = tf.keras.layers, ImageCaptioningHParams()
    picture = tf.keras.Input([None, None, 3])
    network = tf.keras.Model(picture, layers.Conv2D(64, 3, 16, "same")(layers.Rescaling(1 / 255)(picture)))
    shape = hparams.units, hparams.layers, hparams.heads, hparams.dropout, hparams.label_smoothing
    model = Captioner(network, 64, 500, *shape)
    model.compile(tf.keras.optimizers.Adam(hparams.learning_rate, global_clipnorm=1.0))
    captions = tf.constant(random().integers(END + 1, 500, (EXAMPLES, 6)))
    return model, {"image": pictures(64, 64, 3)}, {"captions": captions}


def autoencoder() -> tuple[Any, Any, Any]:
    from trainer.tasks.image_generation import ImageGeneration, ImageGenerationHParams

    model = made_by(ImageGeneration, {"image": tf.TensorSpec([28, 28, 1], tf.uint8)}, {})
    noise = random().normal(size=(EXAMPLES, ImageGenerationHParams().latent_size)).astype(np.float32)
    return model, {"image": pictures(28, 28, 1), "noise": noise}, {"label": tf.range(EXAMPLES, dtype=tf.int64)}


def text_classifier(task: type[Task]) -> tuple[Any, Any, Any]:
    from trainer.families.texts import VOCABULARY
    from trainer.features.words import fingerprints_of

    words = [f"word{number}" for number in range(200)]
    told = {
        "words": fingerprints_of(words)[random().integers(0, 200, (EXAMPLES, 12))],
        "length": np.full(EXAMPLES, 12, np.int64),
        "label": np.arange(EXAMPLES) % 4,
    }
    model = made_by(task, {}, {VOCABULARY: words, "label": list("abcd")}, lambda limit=None, only=(): told)
    return model, {name: told[name] for name in ("words", "length")}, {"label": tf.constant(told["label"])}


def lstm_of_words() -> tuple[Any, Any, Any]:
    from trainer.tasks.text_classification import TextClassification

    return text_classifier(TextClassification)


def transformer_of_words() -> tuple[Any, Any, Any]:
    from trainer.tasks.topic_classification import TopicClassification

    return text_classifier(TopicClassification)


def joint_intents() -> tuple[Any, Any, Any]:
    from trainer.tasks.dialogue_system import AFFIXES, DialogueSystem

    known = {"words": [f"word{number}" for number in range(200)], "slots": ["area", "name"], "intent": list("abcdef")}
    model = made_by(DialogueSystem, {}, known)
    starts = np.tile(np.arange(0, 24, 4), (EXAMPLES, 1))
    most = {"words": 200, "heads": AFFIXES, "tails": AFFIXES}
    features = {name: random().integers(2, count, starts.shape) for name, count in most.items()}
    slots = tf.tile(tf.constant([[[4, 11, 0]]], tf.int64), [EXAMPLES, 1, 1])
    intents = tf.constant(random().integers(0, 6, EXAMPLES))
    return model, features | {"starts": starts, "ends": starts + 3}, {"intent": intents, "slots": slots}


def edsr() -> tuple[Any, Any, Any]:
    from trainer.tasks.super_resolution import SuperResolution

    large = pictures(48, 48, 3)
    return made_by(SuperResolution, {}, {}), {"pixels": large[:, ::2, ::2]}, {"image": large}


def restorer() -> tuple[Any, Any, Any]:
    from trainer.features import impressions
    from trainer.tasks.image_enhancement import ImageEnhancement

    given = random().normal(size=(EXAMPLES, impressions.COUNT)).astype(np.float32)
    features = {"pixels": pictures(32, 32, 3) // 2, "impression": given}
    return made_by(ImageEnhancement, {}, {}), features, {"image": pictures(32, 32, 3)}


def stylist() -> tuple[Any, Any, Any]:
    """Without the pretrained weights of its encoder."""
    from trainer.tasks.style_transfer import StyleTransfer

    content, style = tf.split(pictures(32, 32, 3), 2)
    model = made_by(StyleTransfer, {}, {}, assets={"backbone": None})
    return model, {"content_pixels": content[:4], "style_pixels": style[:4]}, None


def made_by(task: type[Task], features: Any, vocabularies: Any, train: Any = dict, **about: Any) -> Any:
    """Its network at default settings."""
    return task(task.HParams()).build_model(DataSpec(features, vocabularies, 1000, 1000, train, **about))


NETWORKS = [
    autoencoder,
    captioner,
    crnn,
    dcgan,
    edsr,
    faster_rcnn,
    joint_intents,
    lstm_of_words,
    recurrent,
    resnet,
    restorer,
    seq2seq,
    stylist,
    transformer_of_words,
    two_tower,
    unet,
]


@pytest.mark.parametrize("network", NETWORKS)
def test_an_untrained_network_and_one_of_a_few_steps_are_alive(network: Callable[[], Any]) -> None:
    tf.keras.utils.set_random_seed(0)
    model, features, targets = network()
    features = {name: tf.convert_to_tensor(value) for name, value in features.items()}
    assert health.look(model, features, targets) == ""
    data = tf.data.Dataset.from_tensors(features if targets is None else (features, targets)).repeat()
    model.run_eagerly = True  # ten steps are fewer than the tracing of one costs
    model.fit(data, steps_per_epoch=10, verbose=0)
    assert health.look(model, features, targets) == ""
    with health.rectified_outputs(model) as outputs:
        model.answers(features, targets) if hasattr(model, "answers") else model(features, training=False)
    for name, [values, *_] in outputs.items():
        alive = tf.reduce_any(tf.reshape(values, [-1, values.shape[-1]]) > 0, axis=0).numpy()
        assert alive.mean() > 0.5, f"{name}: {alive.sum()} of {len(alive)} units live"


@pytest.mark.parametrize("network", [faster_rcnn, two_tower])
def test_a_dead_layer_deep_inside_is_found(network: Callable[[], Any]) -> None:
    model, features, targets = network()
    hidden = next(m for m in model.submodules if getattr(getattr(m, "activation", None), "__name__", "") == "relu")
    hidden.bias.assign(tf.fill(hidden.bias.shape, -1e6))
    found = health.look(model, {name: tf.convert_to_tensor(value) for name, value in features.items()}, targets)
    assert f"no unit of the layer {hidden.name!r} is active" in found
