"""Text to speech with eSpeak NG (Jonathan Duddington and others), Flite (Black & Lenzo 2001) and a neural voice.

They are native libraries taken out of packages, so they run in a process of their own: should one crash, or print, or
keep files open, that is no harm to the caller, and a caller on another system gets a plain error.

eSpeak NG synthesises by formants: its many voices, `en-us+m3` for an accent and a variant, differ in pitch, vocal tract
and articulation. Flite's `awb`, `rms` and `slt` are statistical models of three people, `kal` is a diphone voice.
Piper's `joe` is a network that was trained on one person (VITS, Kim et al. 2021): the nearest to a person of them.
"""

from __future__ import annotations

import ctypes
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data.errors import BenisonError

FLITE_VOICES = {"awb": 130.0, "rms": 95.0, "slt": 170.0, "kal16": 105.0}
"""Name -> usual pitch in Hz."""

PARTS = 8
"""Processes among which utterances are shared out: a fixed number, since an engine's noise depends on what it has said
before."""

SEED = 1
"""Of that noise."""


@dataclass(frozen=True)
class Utterance:
    """One text to be spoken into a sound file (mono, 16 bits, at the voice's own rate)."""

    text: str
    voice: str
    """An eSpeak NG voice (`en-us+f2`), `flite-` and one of FLITE_VOICES, or `piper-joe`."""
    path: str
    """Its suffix, `.wav` or `.flac`, says the format."""
    speed: float = 1.0
    """Times the voice's usual one."""
    pitch: float = 1.0
    """Times the voice's usual one; of Piper's with all its resonances, as of a smaller or larger person."""
    pitch_range: float = 1.0
    """Times the voice's usual one, of how far the pitch rises and falls; of eSpeak NG's voices alone, as the next."""
    volume: float = 1.0
    """Times the usual one."""


Said = tuple[dict[str, str], Utterance | None]
"""A row of `metadata.jsonl`, and how its sound is said; None where its file is there already."""


def lay_out(splits: Mapping[str, Iterable[Said]], target: Path, libraries: Path) -> None:
    """Writes `target/SPLIT/metadata.jsonl` for each split and speaks its sounds. A split is gone through once its
    folder is there, so that it may copy files into it. Arguments and errors as those of `speak`."""
    utterances: list[Utterance] = []
    for split, said in splits.items():
        (target / split).mkdir(parents=True)
        rows = []
        for row, utterance in said:
            rows.append(row)
            utterances += [] if utterance is None else [utterance]
        (target / split / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    speak(utterances, libraries)


def speak(utterances: Iterable[Utterance], libraries: Path) -> None:
    """Writes each utterance to its `path`, on all cores; the same whatever their number.

    Args:
      libraries: a folder below which lie `libespeak-ng.so` beside `espeak-ng-data`, `libflite*.so.*` and
        `libasound.so.*` if Flite's voices are wanted, and `onnxruntime` and `en_US-joe-medium.onnx` beside its `.json`
        if Piper's is.

    Raises:
      BenisonError: a library cannot be loaded here, or a voice is unknown to it.
    """
    everything = list(utterances)
    parts = [everything[part::PARTS] for part in range(PARTS)]
    with ThreadPoolExecutor(min(PARTS, os.cpu_count() or 1)) as pool:
        list(pool.map(lambda part: _speak(part, libraries), parts))


def _speak(utterances: Sequence[Utterance], libraries: Path) -> None:
    """In a process of its own."""
    if not utterances:
        return
    lines = "".join(json.dumps(asdict(utterance)) + "\n" for utterance in utterances)
    command = [sys.executable, "-m", "data.sets._voices", str(libraries)]
    done = subprocess.run(command, input=lines, text=True, capture_output=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise BenisonError(f"speech synthesis failed: {said[-1]}", "Its libraries are for Linux on x86-64.")


Speak = Callable[[Utterance], tuple[bytes, int]]
"""Utterance -> 16-bit samples and their rate in Hz."""


@functools.cache
def _espeak_library(libraries: Path) -> tuple[ctypes.CDLL, int]:
    """And the rate of its voices in Hz."""
    path = _found(libraries, "libespeak-ng.so")
    library = ctypes.CDLL(str(path))
    retrieval = 1
    rate = library.espeak_Initialize(retrieval, 0, str(path.parent).encode(), 0)
    if rate <= 0:
        raise RuntimeError(f"eSpeak NG does not find its data in {path.parent}")
    return library, rate


def _espeak(libraries: Path) -> Speak:
    library, rate = _espeak_library(libraries)
    utf8, by_character = 1, 1
    rate_parameter, volume_parameter, pitch_parameter, range_parameter = 1, 2, 3, 4
    library.espeak_ng_SetRandSeed(ctypes.c_long(SEED))  # of the breath of some voices; otherwise by the clock
    chunks: list[bytes] = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    def receive(samples: Any, count: int, _events: Any) -> int:
        if samples and count:
            chunks.append(ctypes.string_at(samples, 2 * count))
        return 0

    def synthesise(utterance: Utterance) -> tuple[bytes, int]:
        if library.espeak_SetVoiceByName(utterance.voice.encode()):
            raise RuntimeError(f"eSpeak NG has no voice {utterance.voice!r}")
        library.espeak_SetParameter(rate_parameter, round(160 * utterance.speed), 0)
        library.espeak_SetParameter(pitch_parameter, min(max(round(50 * utterance.pitch), 0), 99), 0)
        library.espeak_SetParameter(range_parameter, min(max(round(50 * utterance.pitch_range), 0), 100), 0)
        library.espeak_SetParameter(volume_parameter, min(max(round(100 * utterance.volume), 0), 200), 0)
        chunks.clear()
        text = utterance.text.encode()
        library.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, by_character, 0, utf8, None, None)
        library.espeak_Synchronize()
        return b"".join(chunks), rate

    library.espeak_SetSynthCallback(receive)
    synthesise.receive = receive  # type: ignore[attr-defined]  # the library does not keep it alive
    return synthesise


class _FliteWave(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_char_p),
        ("rate", ctypes.c_int),
        ("count", ctypes.c_int),
        ("channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    )


class _FliteVoice(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("features", ctypes.c_void_p))


def _flite(libraries: Path) -> Speak:
    def load(name: str) -> Any:
        # By hand and in order of need, so that the linker, which knows nothing of the folder, has them all at hand.
        return ctypes.CDLL(str(_found(libraries, f"{name}.so.*")), ctypes.RTLD_GLOBAL)

    load("libasound")
    library = load("libflite")
    load("libflite_cmulex")
    load("libflite_usenglish")
    library.flite_init()
    library.flite_feat_set_float.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float)
    library.flite_text_to_wave.argtypes = (ctypes.c_char_p, ctypes.POINTER(_FliteVoice))
    library.flite_text_to_wave.restype = ctypes.POINTER(_FliteWave)
    library.delete_wave.argtypes = (ctypes.POINTER(_FliteWave),)

    @functools.cache
    def registered(name: str) -> Any:
        register = getattr(load(f"libflite_cmu_us_{name}"), f"register_cmu_us_{name}")
        register.restype = ctypes.POINTER(_FliteVoice)
        return register(None)

    def synthesise(utterance: Utterance) -> tuple[bytes, int]:
        name = utterance.voice.removeprefix("flite-")
        voice = registered(name)
        features = voice.contents.features
        library.flite_feat_set_float(features, b"duration_stretch", 1 / utterance.speed)
        library.flite_feat_set_float(features, b"int_f0_target_mean", FLITE_VOICES[name] * utterance.pitch)
        sound = library.flite_text_to_wave(utterance.text.encode(), voice)
        samples, rate = ctypes.string_at(sound.contents.samples, 2 * sound.contents.count), sound.contents.rate
        library.delete_wave(sound)
        return samples, rate

    return synthesise


def _piper(libraries: Path) -> Speak:
    """Phonemes are eSpeak NG's, as those that the voice was trained on."""
    import unicodedata

    import numpy as np

    espeak, _ = _espeak_library(libraries)
    espeak.espeak_TextToPhonemes.restype = ctypes.c_char_p
    sys.path.insert(0, str(_found(libraries, "onnxruntime/__init__.py").parents[1]))
    import onnxruntime  # out of the package, beside the voice

    onnxruntime.set_seed(SEED)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = _found(libraries, "en_US-joe-medium.onnx")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    settings = json.loads(path.with_suffix(".onnx.json").read_text(encoding="utf-8"))
    symbols, usual, rate = settings["phoneme_id_map"], settings["inference"], settings["audio"]["sample_rate"]

    def phonemes(text: str) -> str:
        utf8, international = 1, 2
        if espeak.espeak_SetVoiceByName(settings["espeak"]["voice"].encode()):
            raise RuntimeError(f"eSpeak NG has no voice {settings['espeak']['voice']!r}")
        rest = ctypes.pointer(ctypes.c_char_p(text.encode()))
        clauses = []
        while rest.contents.value:
            clauses.append(espeak.espeak_TextToPhonemes(rest, utf8, international).decode())
        return unicodedata.normalize("NFD", ", ".join(clauses) + ".")

    def synthesise(utterance: Utterance) -> tuple[bytes, int]:
        numbers = [*symbols["^"], *symbols["_"]]
        for phoneme in phonemes(utterance.text):
            if phoneme in symbols:
                numbers += [*symbols[phoneme], *symbols["_"]]
        row = np.array([[*numbers, *symbols["$"]]], np.int64)
        length = usual["length_scale"] * utterance.pitch / utterance.speed
        scales = np.array([usual["noise_scale"], length, usual["noise_w"]], np.float32)
        inputs = {"input": row, "input_lengths": np.array([row.shape[1]], np.int64), "scales": scales}
        samples = np.clip(session.run(None, inputs)[0].reshape(-1), -1, 1)
        return (samples * 32767).astype(np.int16).tobytes(), 25 * round(rate * utterance.pitch / 25)

    return synthesise


def _found(libraries: Path, pattern: str) -> Path:
    for path in sorted(libraries.rglob(pattern)):
        return path
    raise RuntimeError(f"there is no {pattern} here")


def _serve(libraries: Path) -> None:
    """Speaks the utterances of standard input, one JSON object a line."""
    import numpy as np
    import soundfile

    engines = {"flite": _flite, "piper": _piper}
    start = functools.cache(lambda engine: engine(libraries))  # once: the library has one callback
    for line in sys.stdin:
        utterance = Utterance(**json.loads(line))
        engine = engines.get(utterance.voice.partition("-")[0], _espeak)
        samples, rate = start(engine)(utterance)
        if not samples:
            raise RuntimeError(f"{utterance.voice} says nothing where it is to say {utterance.text!r}")
        soundfile.write(utterance.path, np.frombuffer(samples, np.int16), rate)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
