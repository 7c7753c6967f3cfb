"""What a file really is: found by decoding it from end to end, never by its name or by what its header claims.

One streamed decode (PyAV), resampled to 8 kHz mono; pydub sees one minute of it at a time. So memory stays the same for
a three-minute and for a twelve-hour recording.
"""

import warnings
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import av.logging
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from archive.errors import Unreadable
from archive.words import length

with warnings.catch_warnings():
    # pydub looks for an ffmpeg program at import. We hand it decoded samples, so it never needs one.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="pydub")
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=SyntaxWarning)
    from pydub import AudioSegment

av.logging.set_level(None)  # what FFmpeg would print says less than our one line

RATE = 8000  # Hz: enough to measure speech
WINDOW_SECONDS = 60


@dataclass(frozen=True)
class Format:
    """A container that we take. `exact`: its index says how long it is; elsewhere the length is an estimate."""

    extension: str
    content_type: str
    exact: bool


# FFmpeg's demuxer names. Nothing else is opened: no playlists, no images, nothing that follows addresses.
FORMATS = {
    "mov,mp4,m4a,3gp,3g2,mj2": Format("m4a", "audio/mp4", exact=True),
    "mp3": Format("mp3", "audio/mpeg", exact=False),
    "ogg": Format("ogg", "audio/ogg", exact=False),
    "wav": Format("wav", "audio/wav", exact=True),
    "flac": Format("flac", "audio/flac", exact=True),
    "aac": Format("aac", "audio/aac", exact=False),
    "mpegts": Format("ts", "video/mp2t", exact=False),
}
DEMUXERS = "mov,mp3,ogg,wav,flac,aac,mpegts"
NAMES = "m4a, mp3, ogg or opus, wav, flac, raw AAC (.aac, .ts)"

# How much of the length that a file claims must be there. FACTS: an honest X archive claimed 1:09:09 by estimate and
# held 1:03:46, so an estimate is only disbelieved when more than half is missing.
LEAST_OF_EXACT = 0.98
LEAST_OF_ESTIMATE = 0.5


@dataclass(frozen=True)
class Measured:
    """`duration_ms` is the decoded length; `peak_dbfs` the loudest sample against full scale, None for pure silence."""

    extension: str
    content_type: str
    codec: str
    duration_ms: int
    sample_rate: int
    channels: int
    peak_dbfs: float | None


def measure(path: Path, *, longest_seconds: int, accept_short: bool = False, step: Callable[[float], None]) -> Measured:
    """Decode `path` once and measure it. `step(seconds)` is called with the length decoded so far.

    Raises Unreadable: no audio, damaged, longer than `longest_seconds`, or (unless `accept_short`) much shorter
    than the file itself says.
    """
    name = path.name
    if path.stat().st_size == 0:
        raise Unreadable(f"{name}: the file is empty.")
    try:
        with (
            path.open("rb") as file,
            av.open(file, "r", options={"format_whitelist": DEMUXERS}, metadata_errors="replace") as container,
        ):
            claimed = _claimed_seconds(path, container)
            return _measure(container, name, claimed, longest_seconds, accept_short, step)
    except av.error.FFmpegError as error:
        raise Unreadable(f"{name}: no audio could be read from it ({error.strerror}). It should be {NAMES}.") from error


def _measure(
    container: InputContainer,
    name: str,
    claimed: float,
    longest: int,
    accept_short: bool,
    step: Callable[[float], None],
) -> Measured:
    form = FORMATS.get(container.format.name)
    if form is None or not container.streams.audio:
        raise Unreadable(f"{name}: there is no sound in it. It should be {NAMES}.")
    stream = container.streams.audio[0]
    samples, peak = 0, float("-inf")
    for window in _windows(_decoded(container, stream, counts := [0, 0])):
        samples += len(window) // 2
        peak = max(peak, AudioSegment(data=window, sample_width=2, frame_rate=RATE, channels=1).max_dBFS)
        step(samples / RATE)
        if samples > longest * RATE:
            raise Unreadable(f"{name}: it is longer than {length(longest)}, the longest that is taken in.")
    packets, broken = counts
    seconds = samples / RATE
    if not samples:
        raise Unreadable(f"{name}: there is no sound in it. It should be {NAMES}.")
    least = LEAST_OF_EXACT if form.exact else LEAST_OF_ESTIMATE
    if not accept_short and seconds + 1 < claimed * least:
        raise Unreadable(
            f"{name}: it says that it is {length(claimed)} long, but only {length(seconds)} can be heard, so the end "
            "is missing. Look for the complete file, or give --accept-short to keep what is there."
        )
    if broken > max(1, packets // 100):  # one may be the last, cut in the middle
        raise Unreadable(f"{name}: it is damaged: {broken} of {packets} pieces could not be decoded.")
    codec = stream.codec_context
    return Measured(
        extension=form.extension,
        content_type=form.content_type,
        codec=codec.name,
        duration_ms=round(seconds * 1000),
        sample_rate=codec.sample_rate or RATE,
        channels=codec.channels or 1,
        peak_dbfs=None if peak == float("-inf") else round(peak, 1),
    )


def _decoded(container: InputContainer, stream: AudioStream, counts: list[int]) -> Iterator[bytes]:
    """16-bit mono samples at RATE. A broken packet is counted in `counts` ([packets, broken]) and left out."""
    resampler, heard = _resampler(), None
    for packet in container.demux(stream):
        counts[0] += 1
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            counts[1] += 1
            continue
        for frame in frames:
            sort = (frame.format.name, frame.layout.name, frame.sample_rate)
            if heard not in (None, sort):  # recorders change rate or channels midway, and files are joined
                yield from _samples(resampler, None)
                resampler = _resampler()
            heard = sort
            yield from _samples(resampler, frame)
    yield from _samples(resampler, None)


def _resampler() -> AudioResampler:
    return AudioResampler(format="s16", layout="mono", rate=RATE)


def _samples(resampler: AudioResampler, frame: AudioFrame | None) -> Iterator[bytes]:
    for out in resampler.resample(frame):
        yield bytes(out.planes[0])[: out.samples * 2]


def _windows(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same samples in pieces of WINDOW_SECONDS; the last may be shorter."""
    size, window = WINDOW_SECONDS * RATE * 2, bytearray()
    for piece in pieces:
        window += piece
        while len(window) >= size:
            yield bytes(window[:size])
            del window[:size]
    if window:
        yield bytes(window)


def _claimed_seconds(path: Path, container: InputContainer) -> float:
    """The length that the file gives itself. FFmpeg bounds a WAV's claim by the file's size, so there the header is
    asked; a size of 0 or near 2**32 is what recorders write that never learned the length, and no claim."""
    if container.format.name == "wav":
        try:
            with wave.open(str(path), "rb") as header:
                size = header.getnframes() * header.getnchannels() * header.getsampwidth()
                return header.getnframes() / header.getframerate() if size < 2**32 - 2**16 else 0
        except (wave.Error, EOFError):
            pass  # not plain PCM: what FFmpeg found has to do
    for stream in container.streams.audio[:1]:
        if stream.duration and stream.time_base:
            return float(stream.duration * Fraction(stream.time_base))
    return (container.duration or 0) / av.time_base
