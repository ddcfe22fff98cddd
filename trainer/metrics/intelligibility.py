"""Whether what a model speaks is understood: by our own recogniser of speech.

`word_errors` is a metric that runs the model: it speaks PHRASES phrases of numbers and commands, of words that the
default data of `speech_recognition` teach, and a pushed version of that task hears them. Without one, and for a voice
that did not learn the letters, it has no value.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from data.errors import WrongUse
from data.sets.spoken_phrases import WORDS, phrases
from trainer.backend import tf
from trainer.metrics.speech import Errors

PHRASES = 40
SEED = 14
AT_ONCE = 8


def word_errors(model: Path, recogniser: str) -> Iterator[float]:
    """Of each phrase the word error rate of what `recogniser`, the folder of a SavedModel, hears.

    Raises:
      WrongUse: that folder holds no recogniser.
    """
    if not recogniser:
        return
    speak = tf.saved_model.load(str(model)).signatures["raw"]
    hear = _recogniser(Path(recogniser))
    said = list(islice(_pronounceable(), PHRASES))
    for first in range(0, len(said), AT_ONCE):
        texts = tf.constant(said[first : first + AT_ONCE])
        usual = tf.ones([len(texts)])
        spoken = speak(text=texts, rate=usual, pitch=usual)
        if any(spoken["remark"].numpy()):
            return
        heard = hear(sound=spoken["wav_bytes"])["transcript"].numpy()
        for text, transcript in zip(texts.numpy(), heard, strict=True):
            yield Errors.of(text.decode(), transcript.decode(), "word").rate


def _recogniser(folder: Path) -> tf.types.experimental.Callable:
    try:
        signature = tf.saved_model.load(str(folder)).signatures["raw"]
        if "transcript" in signature.structured_outputs:
            return signature
    except (OSError, KeyError):
        pass
    raise WrongUse(
        f"{folder} is no recogniser of speech",
        "give the folder of a version that speech_recognition pushed, which holds saved_model.pb",
    )


def _pronounceable() -> Iterator[str]:
    """Endless phrases without letters that are spelt, which a voice reads as it has read letters in words."""
    words = {word for word in WORDS if len(word) > 1}
    return (" ".join(phrase) for phrase in phrases(random.Random(SEED)) if words.issuperset(phrase))
