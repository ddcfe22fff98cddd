"""Resampling against pure tones, spectrograms against SciPy and librosa, augmentation within its bounds."""

from __future__ import annotations

import io

import librosa
import numpy as np
import pytest
import scipy.signal
import soundfile

from trainer.backend import tf
from trainer.features import audio

SECONDS = 0.6


def tone(frequency: float, rate: int) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(round(SECONDS * rate)) / rate).astype(np.float32)


def resampled(samples: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    return np.asarray(audio.resample(tf.constant(samples), tf.constant(from_rate), to_rate))


@pytest.mark.parametrize("from_rate", [6000, 11025, 16000, 22050, 44100, 48000, 96000])
def test_a_tone_keeps_its_pitch_and_length(from_rate: int) -> None:
    got, expected = resampled(tone(1000, from_rate), from_rate, 8000), tone(1000, 8000)
    assert abs(len(got) - len(expected)) <= 1
    inside = slice(100, len(expected) - 100)
    assert got[inside] == pytest.approx(expected[inside], abs=2e-3)


@pytest.mark.parametrize("from_rate", [16000, 22050, 44100])
def test_what_the_new_rate_cannot_hold_is_filtered_out(from_rate: int) -> None:
    assert np.abs(resampled(tone(5000, from_rate), from_rate, 8000)[100:-100]).max() < 1e-2


def test_noise_is_resampled_as_by_scipy() -> None:
    low = scipy.signal.firwin(255, 3000, fs=44100)
    noise = np.convolve(np.random.default_rng(0).normal(size=20000), low, "same").astype(np.float32)
    expected = scipy.signal.resample_poly(noise, 80, 441)
    got = resampled(noise, 44100, 8000)
    assert len(got) == len(expected)
    assert np.std((got - expected)[200:-200]) < 0.01 * np.std(expected)


def test_odd_rates_are_taken_to_the_nearest_usual_one() -> None:
    assert np.array_equal(resampled(tone(500, 8000), 8007, 8000), tone(500, 8000))
    assert len(resampled(np.zeros(50, np.float32), 3, 8000)) == 50 * 320


def wav(samples: np.ndarray, rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, "PCM_16", format="WAV")
    return file.getvalue()


def test_a_wav_file_is_decoded_at_the_rate_asked_for() -> None:
    got = np.asarray(audio.decode_wav(tf.constant(wav(0.5 * tone(700, 16000), 16000)), 8000))
    assert got[100:-100] == pytest.approx(0.5 * tone(700, 8000)[100:-100], abs=2e-3)


def test_log_mel_is_that_of_scipys_spectrogram() -> None:
    samples = np.random.default_rng(0).normal(size=4000).astype(np.float32)
    got = np.asarray(audio.log_mel(tf.constant(samples), 8000, 20, 0.0125))
    _, _, spectra = scipy.signal.stft(
        samples / samples.std(), window=scipy.signal.get_window("hann", 240), nperseg=240, noverlap=140, nfft=256,
        boundary=None, padded=False, scaling="spectrum",
    )  # fmt: skip
    magnitudes = np.abs(spectra.T) * scipy.signal.get_window("hann", 240).sum()
    filters = np.asarray(tf.signal.linear_to_mel_weight_matrix(20, 129, 8000, 125.0, 3800.0))
    assert got.shape == (40, 20)
    expected = np.log(magnitudes @ filters + audio.FLOOR)
    assert got[: len(expected)] == pytest.approx(expected, abs=2e-2)


def test_loudness_does_not_matter_but_silence_is_silent() -> None:
    samples = tone(440, 8000)
    loud, soft = (np.asarray(audio.log_mel(tf.constant(a * samples), 8000, 20, 0.0125)) for a in (1.0, 0.05))
    assert loud == pytest.approx(soft, abs=1e-2)
    assert np.asarray(audio.log_mel(tf.zeros([100]), 8000, 20, 0.0125)) == pytest.approx(np.log(audio.FLOOR))


def test_eight_bits_tell_a_thirtieth_of_a_deviation_apart() -> None:
    deviations = np.linspace(-3.9, 3.9, 500, dtype=np.float32)
    assert np.asarray(audio.dequantise(audio.quantise(deviations))) == pytest.approx(deviations, abs=1 / 60)
    assert np.asarray(audio.quantise(tf.constant([-99.0, 0.0, 99.0]))).tolist() == [0, audio.PADDING, 255]


def test_masks_are_within_their_widths_and_the_sound() -> None:
    frames = tf.constant([40, 16], tf.int64)
    seen = set()
    for step in range(50):
        masked = np.asarray(audio.spec_augment(tf.ones([2, 40, 20]), frames, tf.constant([0, step], tf.int64), 1, 3, 9))
        zero = masked == 0
        bands, times = zero.all(axis=1).sum(axis=1), zero.all(axis=2)
        assert (bands <= 3).all()
        assert times.sum(axis=1).tolist() <= [5, 2]
        assert not times[1, 16:].any()
        seen.add((int(bands[0]), int(times[0].sum())))
    assert len(seen) > 10


def test_another_voice_is_another_each_time_but_the_same_for_a_seed() -> None:
    mels = tf.random.stateless_normal([3, 12, 20], [0, 0])
    once, again, other = (
        np.asarray(audio.random_voice_and_room(mels, tf.constant([0, s], tf.int64), 0.1, 0.3, 2.0)) for s in (1, 1, 2)
    )
    assert np.array_equal(once, again)
    assert not np.allclose(once, other, atol=0.1)
    assert np.isfinite(once).all()


def test_no_augmentation_leaves_all_but_the_quietest_as_it_is() -> None:
    mels = tf.random.stateless_uniform([3, 12, 20], [0, 0], 0.0, 3.0)
    same = audio.random_voice_and_room(mels, tf.constant([0, 1], tf.int64), warp=0.0, tilt=0.0, noise=0.0)
    assert np.asarray(same) == pytest.approx(np.asarray(mels), abs=0.02)


# --- as librosa has them ---

SCALES = [
    audio.MelScale(rate=8000, bands=26, window=512, hop=320),
    audio.MelScale(rate=16000, bands=64, window=400, hop=160),
    audio.MelScale(rate=22050, bands=40, window=1024, hop=512, low=0.0, high=8000.0),
]


def music(rate: int) -> np.ndarray:
    """A second of a chord that grows louder, in noise."""
    time = np.arange(rate) / rate
    chord = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220, 277, 1500, 3100))
    return (0.1 * time * chord + 0.01 * np.random.default_rng(0).normal(size=rate)).astype(np.float32)


def librosas(samples: np.ndarray, scale: audio.MelScale) -> np.ndarray:
    """Decibels `[frames, bands]`, the sound padded to the end of the last frame that begins in it."""
    frames = -(-len(samples) // scale.hop)
    padded = np.pad(samples, (0, (frames - 1) * scale.hop + scale.window - len(samples)))
    powers = librosa.feature.melspectrogram(
        y=padded, sr=scale.rate, n_fft=scale.window, hop_length=scale.hop, center=False, n_mels=scale.bands,
        fmin=scale.low, fmax=scale.high or None,
    )  # fmt: skip
    return librosa.power_to_db(powers, top_db=None).T


@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: f"{scale.rate} Hz")
def test_decibels_of_mel_bands_are_those_of_librosa(scale: audio.MelScale) -> None:
    samples = music(scale.rate)
    got = np.asarray(audio.mel_decibels(tf.constant(samples), scale, keeps_level=True))
    expected = librosas(samples, scale)
    assert got.shape == expected.shape == (-(-scale.rate // scale.hop), scale.bands)
    assert got == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("lifter", [0, 22])
@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: f"{scale.rate} Hz")
def test_cepstral_coefficients_are_those_of_librosa(scale: audio.MelScale, lifter: int) -> None:
    samples = music(scale.rate)
    got = np.asarray(audio.mfcc(audio.mel_decibels(tf.constant(samples), scale, keeps_level=True), 13, lifter))
    expected = librosa.feature.mfcc(S=librosas(samples, scale).T, n_mfcc=13, lifter=lifter).T
    assert got == pytest.approx(expected, abs=0.05)


def test_the_level_is_kept_where_it_is_asked_for() -> None:
    def decibels(factor: float, keeps_level: bool) -> np.ndarray:
        sound = tf.constant(factor * music(8000))
        return np.asarray(audio.mel_decibels(sound, SCALES[0], keeps_level=keeps_level))

    assert decibels(1.0, True) - decibels(0.1, True) == pytest.approx(np.full((25, 26), 20.0), abs=0.01)
    assert decibels(1.0, False) == pytest.approx(decibels(0.1, False), abs=0.1)
    for keeps_level in (True, False):
        silent = np.asarray(audio.mel_decibels(tf.zeros([8000]), SCALES[0], keeps_level=keeps_level))
        assert silent == pytest.approx(-100.0)


def test_a_single_sample_has_a_frame() -> None:
    assert audio.mel_decibels(tf.constant([0.5]), SCALES[0], keeps_level=False).shape == (1, 26)


def test_windows_of_spectrograms_kept_as_bytes_are_what_they_were() -> None:
    frames = np.random.default_rng(0).uniform(-100, 60, (11, 3)).astype(np.float32)
    levels = tf.function(lambda rows: audio.to_levels(rows, -80.0), autograph=False)(
        tf.RaggedTensor.from_row_lengths(frames, [2, 0, 9])
    )
    assert [len(one) for one in levels.numpy()] == [6, 0, 27]
    got = np.asarray(audio.cut(levels, tf.constant([-1, 0, 5], tf.int64), 4, 3, -80.0))
    kept = np.clip(frames, -80, -80 + 127.5)
    assert got[0, 1:3] == pytest.approx(kept[:2], abs=0.25) and got[2] == pytest.approx(kept[7:], abs=0.25)
    assert (got[0, [0, 3]] == -80).all() and (got[1] == -80).all()
    assert (np.asarray(audio.cut(levels, tf.constant([-4, 9, 99], tf.int64), 4, 3, -80.0)) == -80).all()


@pytest.mark.parametrize(("frames", "expected"), [(30, 12), (10, 0), (7, -1), (1, -4)])
def test_the_loudest_window_is_found_and_a_short_sound_lies_in_its_middle(frames: int, expected: int) -> None:
    decibels = np.full((frames, 4), -60.0, np.float32)
    decibels[expected : expected + 10] = -20.0
    found = audio.loudest_window(tf.constant(decibels), 10)
    assert found.dtype == tf.int64 and int(found) == expected


def test_powers_of_two_sounds_and_of_all_bands_add_up() -> None:
    both = np.asarray(audio.added(tf.constant([10.0, 0.0]), tf.constant([10.0, -60.0])))
    assert both == pytest.approx([10 + 10 * np.log10(2), 0], abs=1e-4)
    assert float(audio.added_up(tf.zeros([4]))) == pytest.approx(10 * np.log10(4))


# --- pitch ---


def voiced(hertz: np.ndarray, rate: int) -> np.ndarray:
    """Of as many samples as `hertz`: up to twelve harmonics, which formants colour."""
    phase = 2 * np.pi * np.cumsum(hertz) / rate
    weights = 1 / (1 + np.abs(np.arange(1, 13) - 5))
    below = int(rate / 2 / hertz.max())
    harmonics = [weight * np.sin(number * phase) for number, weight in enumerate(weights[:below], 1)]
    return (0.1 * np.sum(harmonics, axis=0)).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("hertz", [75, 110, 180, 300, 430])
def test_the_pitch_of_a_voice_is_that_of_its_first_harmonic(hertz: int, rate: int) -> None:
    found = np.asarray(audio.pitch(tf.constant(voiced(np.full(rate, hertz), rate)), rate, rate // 100))
    inside = found[5:-10]
    assert inside == pytest.approx(np.full(len(inside), hertz), rel=0.02)


def test_the_pitch_follows_a_voice_that_rises_and_is_none_in_noise_and_silence() -> None:
    rate = 16000
    rising = np.asarray(audio.pitch(tf.constant(voiced(np.linspace(100, 200, rate), rate)), rate, 160))
    assert rising[10] == pytest.approx(112, rel=0.05) and rising[80] == pytest.approx(182, rel=0.05)
    noise = np.random.default_rng(0).normal(size=rate).astype(np.float32)
    assert (np.asarray(audio.pitch(tf.constant(noise), rate, 160)) == 0).mean() > 0.9
    assert (np.asarray(audio.pitch(tf.zeros([rate]), rate, 160)) == 0).all()
    assert audio.pitch(tf.constant([0.5]), rate, 160).shape == (1,)
