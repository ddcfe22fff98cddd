"""Other languages and the file names of the field: German on the telephone, as RAVDESS names its files; longer Spanish
speech in noise, as EmoDB does. Acted by rule, as the default data is, by pitch, pace and loudness alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.foreign_sets._speech import VARIANTS, spoken
from data.sets.acted_emotions import CHANCE, RULES

SPEAKERS = (*VARIANTS, "m2", "m6", "m8", "f4", "Annie", "Alex")
RAVDESS = {"01": "neutral", "03": "happy", "04": "sad", "05": "angry"}
EMODB = {"W": "angry", "F": "happy", "T": "sad"}
GERMAN = (
    *("Die Kinder kommen am Montag zurück.", "Der Brief liegt auf dem Tisch.", "Wir haben noch keine Karten."),
    *("Der Zug fährt um sieben Uhr ab.", "Das Fenster ist noch offen.", "Meine Brüder warten vor dem Haus."),
)
SPANISH = (
    *("Los niños vuelven el lunes.", "La carta está en la mesa.", "El tren sale a las siete."),
    *("Hay gente en la calle.", "Mi hermano espera en casa.", "La ventana está abierta."),
    *("Han dejado las llaves aquí.", "Mañana llega el médico."),
)


def telephone(folder: Path) -> None:
    """Of 16 speakers, each sentence twice in each of four moods, at 8 kHz between 300 and 3,400 Hz."""
    files = []
    for place, speaker in enumerate(SPEAKERS, 1):
        (folder / f"Actor_{place:02}").mkdir(parents=True)
        for code, mood in RAVDESS.items():
            for statement, text in enumerate(GERMAN, 1):
                for take in (1, 2):
                    name = f"03-01-{code}-01-{statement:02}-{take:02}-{place:02}.wav"
                    files.append((text, f"de+{speaker}", mood, folder / f"Actor_{place:02}" / name))
    for path, samples, rate in _acted(files, random.Random(3)):
        _write(path, _band(samples, rate, 8000, 300, 3400), 8000)


def noisy(folder: Path) -> None:
    """Of 16 speakers, two or three sentences together, 12 times in each of three moods, 10 decibels above noise."""
    chance, rng = random.Random(4), np.random.default_rng(4)
    (folder / "wav").mkdir(parents=True)
    files = []
    for place, speaker in enumerate(SPEAKERS, 1):
        for code, mood in EMODB.items():
            for take in range(12):
                text = " ".join(chance.sample(SPANISH, chance.randint(2, 3)))
                files.append((text, f"es+{speaker}", mood, folder / "wav" / f"{place:02}a{take:02}{code}a.wav"))
    for path, samples, rate in _acted(files, chance):
        noise = rng.normal(size=len(samples)) * samples.std() * 10 ** (-10 / 20)
        _write(path, samples + noise, rate)


def _acted(files: Sequence[tuple[str, str, str, Path]], rng: random.Random) -> Iterator[tuple[Path, np.ndarray, int]]:
    """Samples and rate of each of `files`: a text, a voice, a mood and a path."""
    import soundfile

    from data.sets._voices import Utterance

    utterances = []
    for text, voice, mood, path in files:
        rule = RULES[mood]
        factors = (rule.pitch, rule.pitch_range, rule.speed, rule.volume)
        pitch, pitch_range, speed, volume = (round(one * rng.lognormvariate(0.0, CHANCE), 3) for one in factors)
        utterances.append(Utterance(text, voice, str(path), speed, pitch, pitch_range, volume))
    spoken(utterances)
    for _, _, _, path in files:
        samples, rate = soundfile.read(path)
        yield path, samples, rate


def _band(samples: np.ndarray, rate: int, to_rate: int, low: float, high: float) -> np.ndarray:
    """What lies between two frequencies, at another rate."""
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / rate)
    spectrum[(hertz < low) | (hertz > high)] = 0
    limited = np.fft.irfft(spectrum, len(samples))
    return np.interp(np.arange(0, len(samples), rate / to_rate), np.arange(len(samples)), limited)


def _write(path: Path, samples: np.ndarray, rate: int) -> None:
    import soundfile

    soundfile.write(path, np.clip(samples, -1, 1), rate)


SETS = {"noisy": noisy, "telephone": telephone}
