"""Notes played by a sound font: the one place where music becomes sound outside a model's graph.

The synthesiser is TinySoundFont (Bernhard Schelling; MIT) with its binding for Python, tinysoundfont, and the
instruments are Tim Brechbill's TimGM6mb (GPL-2), which the package pretty_midi carries. The synthesiser is a compiled
library out of its package, so it runs in processes of its own, as many as there are cores: should one crash, that is no
harm to the caller, and a caller on another system gets a plain error. The same notes always make the same samples.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from data.errors import BenisonError
from data.sources.archives import unpack
from data.sources.fetch import Source

SYNTHESISER = Source(
    client="pypi",
    package="tinysoundfont",
    version="0.3.7",
    filename="tinysoundfont-0.3.7-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256="f638536ce801dd77526419e25a53576ffd4f7d58d6e1673e6b70a1a8c4773448",
    size_bytes=193_660,
    holds="a synthesiser",
)
SOUND_FONT = Source(
    client="pypi",
    package="pretty_midi",
    version="0.2.11.post0",
    filename="pretty_midi-0.2.11.post0-py3-none-any.whl",
    sha256="a3e2321736245a9c92259716d85a4762f16b7bde2f591fb0dba95bdb6e793d8a",
    size_bytes=5_597_222,
    holds="a sound font of 128 instruments",
)
FILES = {SYNTHESISER: "tinysoundfont*/*", SOUND_FONT: "pretty_midi/TimGM6mb.sf2"}
"""What of each package is needed."""

CREDIT = "sound font TimGM6mb by Tim Brechbill; TinySoundFont by Bernhard Schelling"
PEAK = 0.7
"""To which each performance is brought."""


@dataclass(frozen=True)
class Performance:
    """What one instrument plays into one file.

    Attributes:
      path: of a WAV or FLAC file, by its suffix, mono.
      program: of General MIDI, 0 to 127; 0 is a grand piano.
      notes: beginning and end in seconds, pitch as MIDI has it, velocity 1 to 127; in order.
      seconds: of the file.
    """

    path: str
    program: int
    notes: Sequence[tuple[float, float, int, int]]
    seconds: float


@dataclass(frozen=True)
class Orchestra:
    """A synthesiser's folder and a sound font."""

    library: Path
    font: Path

    @classmethod
    def of(cls, archives: Sequence[Path], sources: Sequence[Source], scratch: Path) -> Orchestra:
        """Out of the packages SYNTHESISER and SOUND_FONT, among others perhaps, into the folder `scratch`."""
        for archive, source in zip(archives, sources, strict=True):
            if source in FILES:
                unpack(archive, scratch / source.package, FILES[source])
        return cls(scratch / SYNTHESISER.package, scratch / SOUND_FONT.package / FILES[SOUND_FONT])

    def play(self, performances: Sequence[Performance], rate: int) -> None:
        """Writes each performance to its file, at `rate` Hz.

        Raises:
          BenisonError: the synthesiser cannot be loaded here.
        """
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        command = [sys.executable, "-m", "data.media.sound_font", str(self.library), str(self.font), str(rate)]
        started = []
        for part in (performances[core::cores] for core in range(cores)):
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            started.append((process, "".join(json.dumps(asdict(one)) + "\n" for one in part)))
        for process, lines in started:
            assert process.stdin is not None, "a pipe was asked for"
            try:
                process.stdin.write(lines)
                process.stdin.close()
                process.stdin = None
            except BrokenPipeError:
                continue  # it says why on its way out
        failures = [process.communicate()[1] for process, _ in started if process.wait()]
        if failures:
            said = failures[0].strip().splitlines() or ["no reason given"]
            raise BenisonError(f"the synthesiser failed: {said[-1]}", "It is for Python 3.11 on Linux, x86-64.")


def _serve(library: str, font: str, rate: int) -> None:
    """Plays the performances of standard input, one JSON object a line."""
    import numpy as np
    import soundfile

    sys.path.insert(0, library)
    import tinysoundfont

    synthesiser = tinysoundfont.Synth(samplerate=rate)
    instruments = synthesiser.sfload(font)
    for line in sys.stdin:
        asked = Performance(**json.loads(line))
        synthesiser.program_select(0, instruments, 0, asked.program)
        events = [(start, True, pitch, velocity) for start, _, pitch, velocity in asked.notes]
        events += [(end, False, pitch, 0) for _, end, pitch, _ in asked.notes]
        parts, done = [np.zeros(0, np.float32)], 0
        for at, is_on, pitch, velocity in [*sorted(events), (asked.seconds, False, 0, 0)]:
            count = min(round(at * rate), round(asked.seconds * rate)) - done
            if count > 0:
                both = np.frombuffer(synthesiser.generate(count), np.float32).reshape(-1, 2)
                parts.append(both.mean(axis=1))
                done += count
            if is_on:
                synthesiser.noteon(0, pitch, velocity)
            else:
                synthesiser.noteoff(0, pitch)
        synthesiser.sounds_off()
        synthesiser.generate(rate)  # until the last performance has faded
        sound = np.concatenate(parts)
        soundfile.write(asked.path, sound * (PEAK / max(float(np.abs(sound).max()), 1e-9)), rate, subtype="PCM_16")


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
