"""Sound inside the graph: decoding, resampling from any rate, spectrograms, cepstra, pitch, and augmentation.

What the recogniser of speech hears is `log_mel`. What classifiers of sounds hear is `mel_decibels`, which is librosa's,
and `mfcc` of it; they are kept as bytes, `to_levels`, of which `cut` takes windows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainer.backend import tf

if TYPE_CHECKING:
    import numpy as np

RATE_GRID = 25
"""Hz. Rates are rounded to multiples of it, as all in common use are: 8,000, 11,025, 22,050, 44,100, 48,000 ..."""

ZERO_CROSSINGS = 16
"""Of the interpolating sinc on either side: the more, the steeper the filter."""

ROLL_OFF = 0.95
"""The pass band's edge as a share of the lower Nyquist frequency."""

WINDOW_SECONDS = 0.03
"""Of spectrograms: time enough for the pitch of low voices, short enough for consonants."""

FLOOR = 0.03
"""Added to mel magnitudes, of sounds of power 1, before the logarithm."""

PADDING = 128
"""The mean, in quantised spectrograms."""

STEPS_PER_DEVIATION = 32
"""Of quantised spectrograms, which so reach 4 standard deviations either way."""

QUIETEST = -2.5
"""Level of added noise, in standard deviations from the mean, that is not noticed."""

SUBSAMPLING = 2
"""Frames of a spectrogram to one step of what a recogniser writes."""


def decode_wav(content: Any, rate: int) -> Any:
    """A WAV file (string scalar, 16-bit PCM, one channel, any rate) as float32 samples `[n]` at `rate` Hz."""
    samples, own_rate = tf.audio.decode_wav(content, desired_channels=1)
    return resample(samples[:, 0], own_rate, rate)


def resample(samples: Any, from_rate: Any, to_rate: int) -> Any:
    """Band-limited interpolation with a windowed sinc (Smith & Gossett 1984), in polyphase form.

    The two rates stand as down : up in lowest terms. A block of `down` samples gives `up` new ones, each by a filter of
    its own, so that a block is one matrix product whatever the rates.

    Args:
      samples: float32 `[n]`.
      from_rate: Hz, int32 scalar; taken to the nearest multiple of `RATE_GRID`.
      to_rate: Hz, a multiple of `RATE_GRID`.

    Returns:
      float32 `[ceil(n * to_rate / from_rate)]`. Frequencies that the new rate cannot hold are filtered out.
    """
    from_rate = RATE_GRID * tf.maximum(tf.cast(tf.round(from_rate / RATE_GRID), tf.int32), 1)
    divisor = _greatest_common_divisor(from_rate, to_rate)
    down, up = from_rate // divisor, to_rate // divisor

    def interpolated() -> Any:
        cutoff = ROLL_OFF * tf.minimum(1.0, tf.cast(up / down, tf.float32))  # as a share of the old Nyquist frequency
        reach = tf.cast(tf.math.ceil(ZERO_CROSSINGS / cutoff), tf.int32)
        filters = _filters(down, up, reach, cutoff)
        count = tf.size(samples)
        blocks = -(-count // down)
        padded = tf.pad(samples, [[reach, blocks * down - count + reach]])
        spans = tf.signal.frame(padded, down + 2 * reach, down)
        wanted = tf.cast(tf.math.ceil(tf.cast(count, tf.float64) * tf.cast(up / down, tf.float64)), tf.int32)
        return tf.reshape(spans @ filters, [-1])[:wanted]

    return tf.ensure_shape(tf.cond(tf.equal(down, up), lambda: samples, interpolated), [None])


def _filters(down: Any, up: Any, reach: Any, cutoff: Any) -> Any:
    """float32 `[down + 2 * reach, up]`: what each sample of a span adds to each of its new samples."""
    place = tf.cast(tf.range(-reach, down + reach), tf.float64)[:, tf.newaxis]
    centre = tf.cast(tf.range(up), tf.float64)[tf.newaxis] * tf.cast(down / up, tf.float64)
    distance = tf.cast(place - centre, tf.float32)
    window = tf.cos(tf.clip_by_value(distance * cutoff / ZERO_CROSSINGS, -1.0, 1.0) * (math.pi / 2)) ** 2
    return cutoff * tf.experimental.numpy.sinc(distance * cutoff) * window


def _greatest_common_divisor(a: Any, b: Any) -> Any:
    return tf.while_loop(lambda a, b: b > 0, lambda a, b: (b, a % b), (a, tf.constant(b)))[0]


def log_mel(samples: Any, rate: int, bands: int, hop_seconds: float) -> Any:
    """The logarithm of a mel spectrogram, of the sound brought to power 1, so that loudness does not matter.

    Args:
      samples: float32 `[n]` at `rate` Hz.
      bands: triangular filters, from 125 Hz to 95 % of the Nyquist frequency, evenly spaced on the mel scale.

    Returns:
      float32 `[frames, bands]` with a frame every `hop_seconds`, at least one.
    """
    window, hop = round(rate * WINDOW_SECONDS), round(rate * hop_seconds)
    level = tf.sqrt(tf.reduce_mean(samples**2) + 1e-8)
    spectra = tf.abs(tf.signal.stft(samples / level, window, hop, pad_end=True))
    filters = tf.signal.linear_to_mel_weight_matrix(bands, spectra.shape[-1], rate, 125.0, 0.475 * rate)
    return tf.math.log(spectra @ filters + FLOOR)


def standardised_log_mels(
    sounds: Any, rate: int, bands: int, hop_seconds: float, max_seconds: float
) -> tuple[Any, Any]:
    """Log-mel spectrograms of a batch, each band with mean 0 and variance 1 over the train split, in 8 bits.

    Full passes, for use in `preprocess`. Eight bits, `STEPS_PER_DEVIATION`, tell a thirtieth of a deviation apart and
    travel between nodes as PNG.

    Args:
      sounds: string `[batch]`, WAV files.
      max_seconds: longer sounds are cut; 0 cuts to the longest of the train split.

    Returns:
      uint8 `[batch, longest, bands, 1]`, padded with `PADDING`, and the number of frames of each, int64 `[batch]`.
    """
    import tensorflow_transform as tft

    def one(content: Any) -> Any:
        samples = decode_wav(content, rate)
        return log_mel(samples[: round(max_seconds * rate)] if max_seconds else samples, rate, bands, hop_seconds)

    mels = tf.map_fn(one, sounds, fn_output_signature=tf.RaggedTensorSpec([None, bands], tf.float32, ragged_rank=0))
    mean = tft.mean(mels.flat_values, reduce_instance_dims=False)
    deviation = tf.sqrt(tft.var(mels.flat_values, reduce_instance_dims=False))
    standard, frames = _to_the_longest(mels.with_flat_values((mels.flat_values - mean) / tf.maximum(deviation, 1e-3)))
    return quantise(standard)[..., tf.newaxis], frames


def _to_the_longest(spectrograms: Any) -> tuple[Any, Any]:
    """Spectrograms, RaggedTensor `[batch, None, bands]`, padded with 0 to the longest of the train split and cut to it:
    `[batch, longest, bands]`, and the number of frames of each, int64 `[batch]`. A full pass."""
    import tensorflow_transform as tft

    longest = tf.cast(tft.max(spectrograms.row_lengths()), tf.int32)
    padded = spectrograms[:, :longest].to_tensor()
    padded = tf.pad(padded, [[0, 0], [0, longest - tf.shape(padded)[1]], [0, 0]])
    padded = tf.ensure_shape(padded, [None, None, spectrograms.flat_values.shape[-1]])
    return padded, tf.minimum(spectrograms.row_lengths(), tf.cast(longest, tf.int64))


def quantise(deviations: Any) -> Any:
    """float32 in standard deviations to uint8."""
    return tf.cast(tf.clip_by_value(tf.round(deviations * STEPS_PER_DEVIATION) + PADDING, 0.0, 255.0), tf.uint8)


def dequantise(steps: Any) -> Any:
    """The inverse of `quantise`."""
    return (tf.cast(steps, tf.float32) - PADDING) / STEPS_PER_DEVIATION


def random_voice_and_room(log_mels: Any, seed: Any, warp: float, tilt: float, noise: float) -> Any:
    """Another speaker, microphone and place for each spectrogram: for `Task.batch`.

    Args:
      log_mels: float32 `[batch, frames, bands]` in standard deviations.
      seed: int64 `[2]`.
      warp: the bands are stretched by up to this share and moved by up to a tenth of it times their number: vocal
        tracts of other lengths (Jaitly & Hinton 2013).
      tilt: standard deviation of a smooth change of the bands' levels: other microphones and rooms.
      noise: steady noise is added, at a level up to this many standard deviations above `QUIETEST`.
    """
    batch, bands = tf.shape(log_mels)[0], log_mels.shape[-1]
    seeds = tf.unstack(tf.random.split(seed, 5))

    def uniform(which: int, low: float, high: float) -> Any:
        return tf.random.stateless_uniform([batch, 1], seeds[which], low, high)

    place = tf.range(bands, dtype=tf.float32)
    source = place * uniform(0, 1 - warp, 1 + warp) + uniform(1, -1.0, 1.0) * (0.1 * warp * bands)
    source = tf.clip_by_value(source, 0.0, bands - 1.0)
    weights = tf.nn.relu(1 - tf.abs(place[:, tf.newaxis] - source[:, tf.newaxis, :]))  # linear interpolation
    curve = tf.random.stateless_normal([batch, 6], seeds[2], stddev=tilt) @ _hats(6, bands)
    changed = log_mels @ weights + curve[:, tf.newaxis]
    level = uniform(3, QUIETEST, QUIETEST + noise)[..., tf.newaxis]
    level += tf.random.stateless_normal(tf.shape(log_mels), seeds[4], stddev=0.15)
    # Powers add up where their logarithms, of which a standard deviation is about 2, are near each other.
    return tf.reduce_logsumexp(2 * tf.stack([changed, level]), axis=0) / 2


def spec_augment(log_mels: Any, frames: Any, seed: Any, band_masks: int, band_width: int, time_width: int) -> Any:
    """SpecAugment (Park et al. 2019) without time warping: `band_masks` runs of bands and one run of frames set to 0.

    Args:
      log_mels: float32 `[batch, frames, bands]` in standard deviations.
      frames: int64 `[batch]`.
      seed: int64 `[2]`.
      band_width: of each run at most.
      time_width: of the run of frames at most; never more than an eighth of the sound.
    """
    longest, bands = tf.shape(log_mels)[1], log_mels.shape[-1]
    *band_seeds, time_seed = tf.unstack(tf.random.split(seed, band_masks + 1))
    widest = tf.minimum(frames // 8, time_width)
    kept = _outside_a_run(frames, widest, longest, time_seed)[:, :, tf.newaxis]
    for band_seed in band_seeds:
        every = tf.fill([tf.shape(log_mels)[0]], tf.constant(bands, tf.int64))
        kept &= _outside_a_run(every, tf.minimum(every, band_width), bands, band_seed)[:, tf.newaxis, :]
    return tf.where(kept, log_mels, 0.0)


def _outside_a_run(lengths: Any, widest: Any, places: Any, seed: Any) -> Any:
    """bool `[batch, places]`, false in a random run of 0 to `widest` within the first `lengths` (int64 `[batch]`)."""
    random = tf.random.stateless_uniform([2, tf.size(lengths)], seed)
    width = tf.floor(random[0] * tf.cast(widest + 1, tf.float32))
    start = tf.floor(random[1] * (tf.cast(lengths, tf.float32) - width + 1))
    place = tf.range(places, dtype=tf.float32)[tf.newaxis]
    return (place < start[:, tf.newaxis]) | (place >= (start + width)[:, tf.newaxis])


def _hats(points: int, places: int) -> Any:
    """float32 `[points, places]`: values at evenly spaced points times this are a line through them."""
    centre = tf.linspace(0.0, places - 1.0, points)[:, tf.newaxis]
    return tf.nn.relu(1 - tf.abs(tf.range(places, dtype=tf.float32) - centre) * ((points - 1) / (places - 1)))


# --- spectrograms and cepstra as the field has them ---

LEAST_POWER = 1e-10
"""Of a mel band, before the logarithm: -100 dB."""

LEVEL_DECIBELS = 0.5
"""Between two levels, which are bytes."""


@dataclass(frozen=True)
class MelScale:
    """Of a mel spectrogram: frames of `window` samples with a periodic Hann window, one each `hop` samples; powers of
    their Fourier transform (of `window` points, not padded) through `bands` triangular filters from `low` to `high` Hz.

    The mel scale is Slaney's (linear up to 1,000 Hz, logarithmic above), and each filter has area 1: what librosa does
    unless told otherwise.
    """

    rate: int
    bands: int
    window: int
    hop: int
    low: float = 20.0
    high: float = 0.0
    """0 is the Nyquist frequency."""

    @property
    def seconds(self) -> float:
        """From one frame to the next."""
        return self.hop / self.rate

    def filters(self) -> np.ndarray[Any, Any]:
        """float32 `[window // 2 + 1, bands]`."""
        import numpy as np

        low, high = _slaney_mels(np.array([self.low, self.high or self.rate / 2])).tolist()
        edges = _slaney_hz(np.linspace(low, high, self.bands + 2))
        frequencies = np.fft.rfftfreq(self.window, 1 / self.rate)[:, np.newaxis]
        rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
        falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
        triangles = np.maximum(0.0, np.minimum(rising, falling))
        return np.asarray(triangles * (2 / (edges[2:] - edges[:-2])), np.float32)


def _slaney_mels(hz: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.where(hz < 1000, 3 * hz / 200, 15 + 27 * np.log(np.maximum(hz, 1000) / 1000) / math.log(6.4))


def _slaney_hz(mels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.where(mels < 15, 200 * mels / 3, 1000 * np.exp((mels - 15) * math.log(6.4) / 27))


def mel_decibels(samples: Any, scale: MelScale, *, keeps_level: bool) -> Any:
    """A log-mel spectrogram in decibels, `10 log10(power)`.

    A frame begins at each multiple of `hop`; the sound is padded with zeros to the end of the last. On a sound so
    padded it is `librosa.power_to_db(librosa.feature.melspectrogram(..., center=False), top_db=None)`.

    Args:
      samples: float32 `[n]` in -1 to 1 at `scale.rate` Hz.
      keeps_level: false brings the sound to power 1 first, so that loudness does not matter. Silence stays silent.

    Returns:
      float32 `[frames, bands]` with `frames = ceil(n / hop)`, at least -100.
    """
    if not keeps_level:
        samples = samples / tf.sqrt(tf.reduce_mean(samples**2) + 1e-8)
    spectra = tf.signal.stft(samples, scale.window, scale.hop, scale.window, pad_end=True)
    powers = tf.abs(spectra) ** 2 @ tf.constant(scale.filters())
    return tf.math.log(tf.maximum(powers, LEAST_POWER)) * (10 / math.log(10))


def mfcc(decibels: Any, coefficients: int, lifter: int = 0) -> Any:
    """Mel-frequency cepstral coefficients (Davis & Mermelstein 1980): the orthonormal DCT-II of each frame.

    `librosa.feature.mfcc(S=..., n_mfcc=coefficients, lifter=lifter)` of the same decibels; the first stands for the
    frame's loudness.

    Args:
      decibels: float32 `[..., bands]`, of `mel_decibels`.
      coefficients: at most as many as there are bands.
      lifter: `L` of sinusoidal liftering, `1 + L / 2 sin(pi (n + 1) / L)`, which evens out the coefficients' sizes; 0
        leaves them as they are.

    Returns:
      float32 `[..., coefficients]`.
    """
    import numpy as np

    bands = decibels.shape[-1]
    place, order = np.arange(bands)[:, np.newaxis] + 0.5, np.arange(coefficients)[np.newaxis]
    basis = np.cos(np.pi / bands * place * order) * np.sqrt(np.where(order == 0, 1, 2) / bands)
    if lifter:
        basis = basis * (1 + lifter / 2 * np.sin(np.pi * (order + 1) / lifter))
    return tf.tensordot(decibels, tf.constant(basis.astype(np.float32)), 1)


def envelope(decibels: Any, coefficients: int) -> Any:
    """Cepstra whose Euclidean distance is the root mean square difference, in decibels, of two smoothed spectra that
    are equally loud: `mfcc` without the first, by the root of the bands.

    Args:
      decibels: float32 `[..., bands]`, of `mel_decibels`.

    Returns:
      float32 `[..., coefficients]`.
    """
    return mfcc(decibels, coefficients + 1)[..., 1:] / math.sqrt(decibels.shape[-1])


def added_up(decibels: Any) -> Any:
    """The power of all bands together, in decibels: float32 `[..., bands]` to `[...]`."""
    scale = math.log(10) / 10
    return tf.reduce_logsumexp(scale * decibels, axis=-1) / scale


def added(decibels: Any, others: Any) -> Any:
    """Both sounds at once: the sum of their powers, all in decibels."""
    return added_up(tf.stack([decibels, others], axis=-1))


def loudest_window(decibels: Any, frames: int) -> Any:
    """The first frame, int64, of the run of `frames` with the most power: where Speech Commands (Warden 2018) take a
    word to be. Of a shorter sound, below 0, so that it lies in the middle of the window.

    Args:
      decibels: float32 `[frames, bands]`.
    """
    count = tf.shape(decibels, tf.int64)[0]
    powers = tf.reduce_sum(tf.exp(tf.cast(decibels, tf.float64) * (math.log(10) / 10)), axis=1)
    sums = tf.cumsum(tf.pad(powers, [[1, 0]]))
    runs = sums[frames:] - sums[: tf.maximum(count + 1 - frames, 0)]
    return tf.cond(count > frames, lambda: tf.argmax(runs), lambda: -((frames - count) // 2))


def levels_of(decibels: Any, floor: Any) -> Any:
    """Decibels, float32 of any shape, in steps of `LEVEL_DECIBELS` from `floor` up: uint8."""
    return tf.cast(tf.clip_by_value(tf.round((decibels - floor) / LEVEL_DECIBELS), 0.0, 255.0), tf.uint8)


def decibels_of(levels: Any, floor: Any) -> Any:
    """The inverse of `levels_of`."""
    return floor + LEVEL_DECIBELS * tf.cast(levels, tf.float32)


def levels_below_loudest(sounds: Any, scale: MelScale, reach: float) -> tuple[Any, Any, Any]:
    """Log-mel spectrograms of a batch with their level kept, as `levels_of` has them. A full pass, for use in
    `preprocess`.

    Args:
      sounds: string `[batch]`, WAV files.
      reach: decibels below the loudest band of the train split, to which what is softer is brought.

    Returns:
      uint8 `[batch, longest, bands, 1]`, padded with 0 to the longest of the train split and cut to it; the number of
      frames of each, int64 `[batch]`; and the decibels of 0, float32 `[batch]`, the same of all.
    """
    import tensorflow_transform as tft

    def one(content: Any) -> Any:
        return mel_decibels(decode_wav(content, scale.rate), scale, keeps_level=True)

    spectrogram = tf.RaggedTensorSpec([None, scale.bands], tf.float32, ragged_rank=0)
    decibels = tf.map_fn(one, sounds, fn_output_signature=spectrogram)
    floor = tft.max(decibels.flat_values) - reach
    levels = tf.cast(levels_of(decibels.flat_values, floor), tf.int32)  # which ragged tensors can be padded as
    padded, frames = _to_the_longest(decibels.with_flat_values(levels))
    return tf.cast(padded, tf.uint8)[..., tf.newaxis], frames, tf.fill([tf.size(frames)], floor)


def to_levels(decibels: Any, floor: float) -> Any:
    """Spectrograms as bytes, a byte a value in steps of `LEVEL_DECIBELS` from `floor` up: so long sounds and short ones
    lie side by side without padding.

    Args:
      decibels: float32 RaggedTensor `[batch, None, bands]`.
      floor: decibels; what is below is brought to it.

    Returns:
      string `[batch]`, the bytes of uint8 `[frames, bands]`.
    """
    bands = decibels.flat_values.shape[-1]
    steps = levels_of(decibels.flat_values, floor)
    letters = tf.gather(tf.constant([bytes([value]) for value in range(256)]), tf.cast(steps, tf.int32))
    frames = tf.strings.reduce_join(tf.ensure_shape(letters, [None, bands]), axis=-1)
    return tf.strings.reduce_join(decibels.with_flat_values(frames), axis=1)


def cut(levels: Any, first: Any, frames: int, bands: int, floor: float) -> Any:
    """A window of each spectrogram; what lies outside of it is at `floor`.

    Args:
      levels: string `[batch]`, of `to_levels`.
      first: int64 `[batch]`, the frame with which each window begins, at least `-frames`.

    Returns:
      float32 `[batch, frames, bands]` in decibels.
    """
    size = frames * bands
    silence = tf.constant(bytes(size))
    begin = tf.cast(size + first * bands, tf.int32)
    padded = tf.strings.join([silence, levels, silence])
    begin = tf.minimum(begin, tf.strings.length(padded) - size)
    window = tf.io.decode_raw(tf.strings.substr(padded, begin, tf.fill(tf.shape(begin), size)), tf.uint8, True, size)
    return decibels_of(tf.reshape(window, [-1, frames, bands]), floor)


# --- pitch ---

LOWEST_PITCH, HIGHEST_PITCH = 60.0, 500.0
"""Hz, of voices."""

PITCH_SECONDS = 0.05
"""Of a frame: three periods of the lowest pitch."""

FORMANTLESS = 1200.0
"""Hz, above which nothing is looked at: strong formants there make narrow peaks that fall between samples."""

LEAST_PERIODICITY = 0.5
"""Of a frame that has a pitch: how like it is to itself a period later, from 0 to 1."""

QUIETEST_SHARE = 0.02
"""Of the loudest frame's amplitude, that a frame with a pitch has at least."""


def pitch(samples: Any, rate: int, hop: int) -> Any:
    """The fundamental frequency of a voice by the highest peak of the normalised autocorrelation (Boersma 1993).

    Args:
      samples: float32 `[n]` at `rate` Hz.

    Returns:
      Hz float32 `[ceil(n / hop)]`, a frame each `hop` samples; 0 where there is none.
    """
    size = round(PITCH_SECONDS * rate)
    first, last = round(rate / HIGHEST_PITCH), round(rate / LOWEST_PITCH)
    window = tf.signal.hann_window(size)
    points = 1 << (2 * size - 1).bit_length()
    frames = tf.signal.frame(samples, size, hop, pad_end=True)
    frames = (frames - tf.reduce_mean(frames, axis=1, keepdims=True)) * window
    highest = round(points * FORMANTLESS / rate)
    alike = _autocorrelation(frames, points, highest)[:, : last + 2]
    expected = _autocorrelation(window[tf.newaxis], points, highest)[:, : last + 2]
    energy = alike[:, :1]
    periodicity = tf.math.divide_no_nan(alike, energy) * (expected[:, :1] / expected)
    # A lag that is no peak belongs to formants; of peaks that are nearly equal the first is the period.
    before, middle, after = periodicity[:, :-2], periodicity[:, 1:-1], periodicity[:, 2:]
    heights = tf.where((middle >= before) & (middle > after), middle, 0.0)[:, first - 1 :]
    near = heights > 0.9 * tf.reduce_max(heights, axis=1, keepdims=True)
    place = first - 1 + tf.argmax(tf.cast(near, tf.int32), axis=1)
    before, middle, after = (tf.gather(one, place, batch_dims=1) for one in (before, middle, after))
    lag = tf.cast(place + 1, tf.float32) + tf.math.divide_no_nan(before - after, 2 * (before - 2 * middle + after))
    is_loud = energy[:, 0] > QUIETEST_SHARE**2 * tf.reduce_max(energy)
    is_voiced = (tf.reduce_max(heights, axis=1) > LEAST_PERIODICITY) & is_loud
    return tf.where(is_voiced, rate / lag, 0.0)


def _autocorrelation(frames: Any, points: int, highest: int) -> Any:
    """float32 `[frames, points]`, by lag, of the first `highest` frequencies of `points // 2 + 1`."""
    spectra = tf.signal.rfft(frames, [points])[:, :highest]
    return tf.signal.irfft(spectra * tf.math.conj(spectra), [points])
