"""Sounds are read to their end whatever a header estimates; what holds less than it promises is a bad record."""

import contextlib
import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from data.columns import Audio
from data.errors import BadValue
from data.media.sounds import as_wav

RATE = 8000
TONE = (np.sin(np.arange(5 * RATE) / 20) * 0.5).astype(np.float32)


def written(kind, subtype, samples=TONE):
    out = io.BytesIO()
    soundfile.write(out, samples, RATE, format=kind, subtype=subtype)
    return out.getvalue()


def encoded(codec, container, seconds=3, rate=16000, channels=1, bit_rate=None, path=None, **options):
    import av

    out = str(path) if path else io.BytesIO()
    with av.open(out, "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.layout = "stereo" if channels == 2 else "mono"
        if bit_rate:
            stream.bit_rate = bit_rate
        tone = (np.sin(np.arange(int(rate * seconds)) / 20) * 0.5).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.stack([tone] * channels), "fltp", stream.layout.name)
        frame.sample_rate, frame.pts = rate, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)
    return path.read_bytes() if path else out.getvalue()


def samples_of(wav):
    samples, _ = soundfile.read(io.BytesIO(wav), dtype="int16")
    return samples


def changing_mp3(first=1, second=4):
    """An MP3 without a length in its header, of two rates one after the other: what it begins with misleads."""
    options = {"write_xing": "0", "id3v2_version": "0"}
    dense = encoded("libmp3lame", "mp3", first, bit_rate=160_000, **options)
    return dense + encoded("libmp3lame", "mp3", second, bit_rate=8_000, **options)


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        *(("WAV", s) for s in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "MS_ADPCM")),
        *(("WAVEX", s) for s in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT")),
        *((kind, "PCM_16") for kind in ("FLAC", "AIFF", "AU", "CAF", "RF64", "NIST")),
        *(("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")),
    ],
)
def test_every_kind_becomes_the_same_sound(kind, subtype):
    wav, seconds, rate, channels = as_wav(written(kind, subtype), 0.05, 60)
    assert (rate, channels) == (RATE, 1)
    assert seconds == pytest.approx(5, abs=0.03)
    found = samples_of(wav)[: len(TONE)] / 32768
    assert np.abs(found - TONE[: len(found)]).max() < 0.06


def id3(size):
    """A tag as players write it: a title, and a picture of `size` bytes that look like the beginning of sound."""
    parts = [(b"TIT2", b"\3hello"), (b"APIC", b"\0image/jpeg\0\3\0" + b"\xff\xfb\x90\x64" * (size // 4))]
    body = b"".join(name + len(value).to_bytes(4, "big") + b"\0\0" + value for name, value in parts)
    return b"ID3\3\0\0" + bytes(len(body) >> shift & 127 for shift in (21, 14, 7, 0)) + body


@pytest.mark.parametrize("end", [b"", b"TAG" + b"title".ljust(125, b"\0")])
@pytest.mark.parametrize(("kind", "subtype"), [("MP3", "MPEG_LAYER_III"), ("FLAC", "PCM_16")])
def test_tags_are_no_sound(kind, subtype, end):
    plain = written(kind, subtype)
    for size in (0, 200_000):
        assert as_wav(id3(size) + plain + (end if kind == "MP3" else b""), 0.05, 60) == as_wav(plain, 0.05, 60)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(value):
    tone = TONE.copy()
    tone[100] = value
    with pytest.raises(BadValue, match="no numbers"):
        as_wav(written("WAV", "FLOAT", tone), 0.05, 60)


def test_16_bit_mono_keeps_its_samples():
    samples = np.random.default_rng(0).integers(-32768, 32768, RATE).astype(np.int16)
    assert np.array_equal(samples_of(as_wav(written("WAV", "PCM_16", samples), 0, 60)[0]), samples)


def test_channels_are_averaged():
    both = np.stack([TONE, -TONE], axis=1)
    wav, _, _, channels = as_wav(written("WAV", "FLOAT", both), 0, 60)
    assert channels == 2
    assert not samples_of(wav).any()


def test_gsm_is_read():
    wav, seconds, _, _ = as_wav(written("WAV", "GSM610"), 0, 60)
    assert seconds == pytest.approx(5, abs=0.05)
    assert np.abs(samples_of(wav)).max() > 10000


def test_what_ffmpeg_would_misread_is_refused():
    with pytest.raises(BadValue, match="convert it to WAV with PCM"):
        as_wav(written("WAV", "G721_32"), 0, 60)


@pytest.mark.parametrize(
    ("codec", "container", "rate"), [("aac", "mp4", 16000), ("aac", "adts", 16000), ("libopus", "webm", 48000)]
)
def test_what_telephones_and_browsers_record_is_read(codec, container, rate):
    _, seconds, found, channels = as_wav(encoded(codec, container, rate=rate, channels=2), 0.05, 60)
    assert (found, channels) == (rate, 2)
    assert seconds == pytest.approx(3, abs=0.15)


def test_an_mp3_is_read_to_its_end_where_its_header_only_lets_one_guess():
    content = changing_mp3()
    assert soundfile.info(io.BytesIO(content)).duration < 3  # as libsndfile guesses
    assert as_wav(content, 0.05, 60)[1] == pytest.approx(5, abs=0.3)
    with pytest.raises(BadValue, match="longer than 3 seconds"):
        as_wav(content, 0.05, 3)


@pytest.mark.parametrize("seconds", [1.3, 4.8])
@pytest.mark.parametrize("bit_rate", [24_000, 64_000])
def test_an_mp3_of_constant_rate_without_a_length_in_its_header_is_read(seconds, bit_rate):
    """As it comes out of a pipe: that there is less than a reader would reckon from its bytes is no damage."""
    content = encoded("libmp3lame", "mp3", seconds, bit_rate=bit_rate, write_xing="0")
    assert as_wav(content, 0.05, 60)[1] == pytest.approx(seconds, abs=0.15)


def test_a_piped_flac_is_read_to_its_end():
    piped = bytearray(written("FLAC", "PCM_16"))
    piped[21] &= 0xF0
    piped[22:26] = bytes(4)
    assert as_wav(bytes(piped), 0.05, 60)[1] == 5


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_wav_whose_header_leaves_its_length_open_is_read_to_its_end(size):
    piped = bytearray(written("WAV", "PCM_16"))
    place = piped.index(b"data") + 4
    piped[place : place + 4] = size.to_bytes(4, "little")
    assert as_wav(bytes(piped), 0.05, 60)[1] == 5


def test_a_wav_whose_header_counts_itself_in_is_read():
    content = bytearray(written("WAV", "PCM_16"))
    place = content.index(b"data") + 4
    content[place : place + 4] = len(content).to_bytes(4, "little")
    assert as_wav(bytes(content), 0.05, 60)[1] == 5


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        *(("WAV", subtype) for subtype in ("PCM_16", "PCM_U8", "FLOAT", "GSM610", "ULAW")),
        *((kind, "PCM_16") for kind in ("WAVEX", "RF64", "AIFF", "AU", "CAF", "NIST", "FLAC")),
        *(("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")),
    ],
)
def test_a_file_cut_to_a_third_is_a_bad_record(kind, subtype):
    content = written(kind, subtype)
    with pytest.raises(BadValue, match="cut short|cannot be decoded"):
        as_wav(content[: len(content) // 3], 0.05, 60)


@pytest.mark.parametrize("options", [{}, {"movflags": "faststart"}])
def test_an_m4a_cut_to_a_third_is_a_bad_record(tmp_path, options):
    content = encoded("aac", "mp4", path=tmp_path / "a.m4a", **options)
    assert as_wav(content, 0.05, 60)[1] == pytest.approx(3, abs=0.15)
    with pytest.raises(BadValue, match="cut short|cannot be decoded"):
        as_wav(content[: len(content) // 3], 0.05, 60)


def test_bounds_hold_for_what_was_decoded():
    with pytest.raises(BadValue, match=r"0\.01 seconds; must be 0\.05 to 60"):
        as_wav(written("WAV", "PCM_16", TONE[:80]), 0.05, 60)
    with pytest.raises(BadValue, match="longer than 4 seconds; must be 0.05 to 4"):
        as_wav(written("WAV", "PCM_16"), 0.05, 4)


@settings(deadline=None)  # a first import takes its time
@given(st.binary(max_size=300), st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", b"ID3", b"\xff\xfb\x90", b"OggS", b"fLaC"]))
def test_audio_never_fails_in_any_other_way(rest, start):
    with contextlib.suppress(BadValue):
        Audio().encode("a", start + rest)


def test_damaged_sounds_are_read_or_bad_records():
    rng = np.random.default_rng(0)
    read = refused = 0
    for kind, subtype in (("WAV", "GSM610"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")):
        content = written(kind, subtype, TONE[:RATE])
        for _ in range(30):
            changed = bytearray(content)
            changed[int(rng.integers(200))] = rng.integers(256)
            try:
                as_wav(bytes(changed), 0.05, 60)
                read += 1
            except BadValue:
                refused += 1
    assert read and refused


@pytest.mark.parametrize("playlist", ["#EXTM3U\n#EXTINF:1,\n{}\n", "ffconcat version 1.0\nfile '{}'\n"])
def test_a_playlist_opens_no_other_file(tmp_path, playlist):
    (tmp_path / "a.wav").write_bytes(written("WAV", "PCM_16"))
    with pytest.raises(BadValue):
        as_wav(playlist.format(tmp_path / "a.wav").encode(), 0.05, 60)
