"""What the child does with a file: hand out its samples, and say what it is."""

import os
from collections.abc import Callable
from typing import Any, BinaryIO

from archive.errors import Unreadable
from archive.intake.audio.decoder.access_copy import AccessCopy
from archive.intake.audio.decoder.decode import Mono, Source, opened, sound
from archive.intake.audio.decoder.formats import NAMES

# How much of the length that a file claims must be there. An honest X archive claimed 1:09:09 by estimate and
# held 1:03:46, so an estimate is only disbelieved when more than half is missing.
LEAST_OF_EXACT = 0.98
LEAST_OF_ESTIMATE = 0.5

# A short filter, as the levels are of speech: it tells a tone of 3 kHz some 1 dB too quiet, and costs a third less.
COARSE = {"filter_size": "2"}
BLOCK = 2**18  # bytes: the reader is woken for that many

Say = Callable[..., None]


def carry_out(order: dict[str, Any], file: BinaryIO, say: Say) -> None:
    """All samples from `start_ms` on go to standard output: 16-bit mono at `rate` Hz. Then it says what the file is.
    Raises Unreadable with what is wrong with the file, and OSError with what is wrong with the machine; what other
    errors mean is told by faults.py."""
    source = opened(file)
    copy = AccessCopy(order["listening"], source)
    seconds = _hand_out(order, source, copy)
    if order["do"] == "measure":
        _believe(source, seconds, order["accept_short"])
        say(measured=_described(source), listening=copy.end(file))
    else:
        say(done=True)


def _hand_out(order: dict[str, Any], source: Source, copy: AccessCopy) -> float:
    """Returns the whole length in seconds. It is decoded from the beginning wherever it starts: only then is sample n
    the same one each time, as few formats have an index."""
    rate: int = order["rate"]
    mono = Mono(rate, COARSE if order["do"] == "measure" else None)
    skip, size = rate * order["start_ms"] // 1000 * 2, 0

    def write(samples: bytes) -> None:
        nonlocal size
        out.write(samples[max(0, skip - size) :])
        size += len(samples)

    with os.fdopen(1, "wb", buffering=BLOCK) as out:
        for frames in sound(source, copy.take if copy.wanted else None):
            write(mono.take(frames))
        write(mono.rest())
    return size / 2 / rate


def _described(source: Source) -> dict[str, object]:
    codec = source.stream.codec_context
    return {
        "extension": source.form.extension,
        "content_type": source.form.content_type,
        "codec": codec.name,
        "sample_rate": codec.sample_rate or 0,
        "channels": codec.channels or 1,
    }


def _believe(source: Source, seconds: float, accept_short: bool) -> None:
    """Raises Unreadable if too little was heard of what the file says that it holds."""
    if not seconds:
        raise Unreadable("audio.silent", formats=NAMES)
    least = LEAST_OF_EXACT if source.form.exact else LEAST_OF_ESTIMATE
    if not accept_short and seconds + 1 < source.claimed_seconds * least:
        raise Unreadable("audio.too_short", claimed=source.claimed_seconds, heard=seconds)
    if source.broken > max(1, source.packets // 100):  # one may be the last, cut in the middle
        raise Unreadable("audio.damaged", broken=source.broken, packets=source.packets)
