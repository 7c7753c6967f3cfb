"""The two things that the child can do with a file: measure it, or hand out its samples."""

import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import av.error

from archive.errors import Unreadable
from archive.intake.hearing.decode import SILENT, Mono, Source, opened, packets
from archive.intake.hearing.formats import NAMES
from archive.intake.hearing.gauge import RATE, WINDOW, Gauge
from archive.intake.hearing.listening import Listening
from archive.words import length

# How much of the length that a file claims must be there. An honest X archive claimed 1:09:09 by estimate and
# held 1:03:46, so an estimate is only disbelieved when more than half is missing.
LEAST_OF_EXACT = 0.98
LEAST_OF_ESTIMATE = 0.5

TOO_MUCH_MEMORY = (
    "it asks for more memory, or more tracks, than any recording needs, so hearing it was stopped: the file is "
    "damaged, or was made to do that. Save it anew with an audio program, and bring that file."
)
TOO_LARGE = "its copy for browsers grew larger than any recording needs, so it was not taken in: the file is damaged."
# The shortest filter that FFmpeg's resampler takes: what it lets through above 4 kHz changes no level that we tell.
COARSE = {"filter_size": "4"}
BLOCK = 2**16

Say = Callable[..., None]


def carry_out(order: dict[str, Any], file: BinaryIO, say: Say) -> None:
    """Raises Unreadable with what is wrong with the file, and OSError with what is wrong with the machine."""
    try:
        if order["do"] == "measure":
            measure(order, file, say)
        else:
            hand_out(order, file)
            say(done=True)
    except av.error.MemoryError as error:
        raise Unreadable(TOO_MUCH_MEMORY) from error
    except (av.error.FFmpegError, ValueError) as error:
        raise Unreadable(f"no audio could be read from it. It should be {NAMES}.") from error


def measure(order: dict[str, Any], file: BinaryIO, say: Say) -> None:
    source, gauge, mono = opened(file), Gauge(), Mono(RATE, COARSE)
    copy = Listening(order["listening"], source)

    def pieces() -> Iterator[bytes]:
        for packet, frames in packets(source):
            copy.take(packet, frames)
            if ready := mono.take(frames):
                yield ready
        yield mono.rest()

    for window in _windows(pieces()):
        gauge.take(window)
        say(heard=gauge.seconds)
        if gauge.seconds > order["longest_seconds"]:
            limit = length(order["longest_seconds"])
            raise Unreadable(f"it is longer than {limit}, the longest that is taken in.")
    _believe(source, gauge.seconds, order["accept_short"])
    copied = copy.end(file)
    codec = source.stream.codec_context
    found = {
        "extension": source.form.extension,
        "content_type": source.form.content_type,
        "codec": codec.name,
        "sample_rate": codec.sample_rate or RATE,
        "channels": codec.channels or 1,
        **gauge.end(),
    }
    say(measured=found, peaks=gauge.peaks.for_wavesurfer(gauge.seconds), listening=copied)


def _believe(source: Source, seconds: float, accept_short: bool) -> None:
    """Raises Unreadable if too little was heard of what the file says that it holds."""
    if not seconds:
        raise Unreadable(SILENT)
    least = LEAST_OF_EXACT if source.form.exact else LEAST_OF_ESTIMATE
    if not accept_short and seconds + 1 < source.claimed_seconds * least:
        raise Unreadable(
            f"it says that it is {length(source.claimed_seconds)} long, but only {length(seconds)} can be heard, so "
            "the end is missing. Look for the complete file. An operator can keep what is there (--accept-short)."
        )
    if source.broken > max(1, source.packets // 100):  # one may be the last, cut in the middle
        raise Unreadable(f"it is damaged: {source.broken} of {source.packets} pieces could not be decoded.")


def _windows(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same samples in pieces of WINDOW bytes; the last may be shorter."""
    window = bytearray()
    for piece in pieces:
        window += piece
        while len(window) >= WINDOW:
            yield bytes(window[:WINDOW])
            del window[:WINDOW]
    if window:
        yield bytes(window)


def hand_out(order: dict[str, Any], file: BinaryIO) -> None:
    """All samples from `start_ms` on, to standard output. It is decoded from the beginning wherever it starts: only
    then is sample n the same one each time, as few formats have an index."""
    source, mono = opened(file), Mono(order["rate"])
    skip = order["rate"] * order["start_ms"] // 1000 * 2
    with os.fdopen(1, "wb", buffering=BLOCK) as out:
        for _, frames in packets(source):
            skip = _write(out, mono.take(frames), skip)
        _write(out, mono.rest(), skip)


def _write(out: BinaryIO, samples: bytes, skip: int) -> int:
    out.write(samples[skip:])
    return max(0, skip - len(samples))
