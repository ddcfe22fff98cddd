"""The demo as a bare Keras script: load a folder of PNG files, fit, evaluate, save.

    python benchmarks/bare_keras.py DATA TARGET STEPS

Imports nothing of Benison. `TF_USE_LEGACY_KERAS` decides which Keras it is.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

BATCH = 128


def build_model(classes: int, steps: int) -> Any:
    """The demo task's model with its default hyper-parameters: pictures `[batch, 28, 28, 1]` to logits."""
    from tensorflow import keras

    layers = keras.layers
    image = keras.Input((28, 28, 1), name="image")
    x = layers.Rescaling(1 / 255)(image)
    for filters in (16, 32):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
    x = layers.Flatten()(x)
    x = layers.Dense(128, activation="relu")(x)
    x = layers.Dropout(0.2)(x)
    model = keras.Model(image, layers.Dense(classes)(x))
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps, alpha=0.01)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    return model


def main(data: Path, target: Path, steps: int) -> None:
    from tensorflow import keras

    def load(split: str) -> Any:
        return keras.utils.image_dataset_from_directory(
            data / split, color_mode="grayscale", image_size=(28, 28), batch_size=BATCH, seed=0
        )

    train, evaluation = load("train"), load("eval")
    model = build_model(len(train.class_names), steps)
    model.fit(train.cache().repeat().prefetch(4), steps_per_epoch=steps, verbose=0)
    print(model.evaluate(evaluation, verbose=0, return_dict=True))
    target.mkdir(parents=True, exist_ok=True)
    model.save(target / "model.keras")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
