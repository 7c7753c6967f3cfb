"""Run an order in the decoder: write the file's samples and describe the file."""

import os
from collections.abc import Callable
from typing import Any, BinaryIO

from archive.errors import Unreadable
from archive.intake.audio.decoder.access_copy import AccessCopy
from archive.intake.audio.decoder.decode import Mono, Source, decode_frames, open_source
from archive.intake.audio.decoder.formats import NAMES

# The share of the claimed length that must be there. An intact X archive claimed 1:09:09 by estimate and held
# 1:03:46, so an estimate only counts as wrong when more than half is missing.
MIN_SHARE_OF_EXACT = 0.98
MIN_SHARE_OF_ESTIMATE = 0.5

# A short filter is enough for levels of speech: it measures a tone of 3 kHz about 1 dB too quiet, and saves a third.
COARSE = {"filter_size": "2"}
BLOCK = 2**18  # bytes per write: each wakes the reader

Say = Callable[..., None]


def carry_out(order: dict[str, Any], file: BinaryIO, say: Say) -> None:
    """Write all samples from `start_ms` on (16-bit mono at `rate` Hz) to standard output, then describe the file.

    Raises Unreadable if the file is at fault, OSError if the machine is; faults.py classifies other errors.
    """
    source = open_source(file)
    copy = AccessCopy(order["access_copy"], source)
    seconds = _write_samples(order, source, copy)
    if order["do"] == "measure":
        _check_completeness(source, seconds, order["accept_short"])
        say(measured=_describe(source), access_copy=copy.end(file))
    else:
        say(done=True)


def _write_samples(order: dict[str, Any], source: Source, copy: AccessCopy) -> float:
    """Write the samples and return the length of the whole file in seconds.

    Decodes from the beginning even if `start_ms` is later: few formats have an index, and sample n must be the same
    one each time.
    """
    rate: int = order["rate"]
    mono = Mono(rate, COARSE if order["do"] == "measure" else None)
    skip, size = rate * order["start_ms"] // 1000 * 2, 0

    def write(samples: bytes) -> None:
        nonlocal size
        out.write(samples[max(0, skip - size) :])
        size += len(samples)

    with os.fdopen(1, "wb", buffering=BLOCK) as out:
        for frames in decode_frames(source, copy.take if copy.wanted else None):
            write(mono.take(frames))
        write(mono.flush())
    return size / 2 / rate


def _describe(source: Source) -> dict[str, object]:
    codec = source.stream.codec_context
    return {
        "extension": source.form.extension,
        "content_type": source.form.content_type,
        "codec": codec.name,
        "sample_rate": codec.sample_rate or 0,
        "channels": codec.channels or 1,
    }


def _check_completeness(source: Source, seconds: float, accept_short: bool) -> None:
    """Raise Unreadable if too little of the claimed length was decoded, or too many packets are broken."""
    if not seconds:
        raise Unreadable("audio.silent", formats=NAMES)
    share = MIN_SHARE_OF_EXACT if source.form.exact else MIN_SHARE_OF_ESTIMATE
    if not accept_short and seconds + 1 < source.claimed_seconds * share:
        raise Unreadable("audio.too_short", claimed=source.claimed_seconds, heard=seconds)
    if source.broken > max(1, source.packets // 100):  # one is allowed: the last may be cut in the middle
        raise Unreadable("audio.damaged", broken=source.broken, packets=source.packets)
