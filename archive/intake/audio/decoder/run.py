"""Run an order in the decoder: write the file's samples and describe the file."""

from collections.abc import Callable
from typing import Any, BinaryIO

from av.audio.frame import AudioFrame

from archive.errors import Unreadable
from archive.intake.audio.decoder.access_copy import AccessCopy
from archive.intake.audio.decoder.chapters import read_chapters
from archive.intake.audio.decoder.claims import read_claimed_seconds
from archive.intake.audio.decoder.decode import Mono, Source, decode_frames, open_source
from archive.intake.audio.decoder.formats import NAMES
from archive.intake.audio.decoder.naming import name_kind
from archive.intake.audio.decoder.notes import make_notes
from archive.intake.audio.decoder.playability import Playability
from archive.intake.audio.decoder.timeline import Timeline
from archive.intake.audio.decoder.tracks import choose_track

# The share of the claimed length that must exist. An intact X archive claimed an estimate of 1:09:09 and had 1:03:46,
# so an estimate only counts as wrong when more than half is missing.
MIN_SHARE_OF_EXACT = 0.98
MIN_SHARE_OF_ESTIMATE = 0.5
BROKEN_PACKETS = 10  # that are accepted in any file: less than a second in any codec

# A short filter is enough for speech levels: it measures a tone of 3 kHz about 1 dB too quiet, and saves a third of the
# time.
COARSE = {"filter_size": "2"}

Say = Callable[..., None]


class Workload:
    """Counts decoded samples of all channels. Silence compresses to nothing, so the file size does not limit the
    work."""

    def __init__(self, limit: int) -> None:
        self._limit, self._samples = limit, 0

    def add(self, frames: list[AudioFrame]) -> None:
        """Add the frames of one packet or a few, which must have as many channels as the first. Raises Unreadable at
        the limit."""
        if frames:
            self._samples += sum(frame.samples for frame in frames) * frames[0].layout.nb_channels
        if self._samples > self._limit:
            raise Unreadable("audio.too_many_samples", limit=self._limit)


def carry_out(order: dict[str, Any], file: BinaryIO, out: BinaryIO, say: Say) -> None:
    """Write all samples from `start_ms` on (16-bit mono at `rate` Hz) to `out`, then describe the file.

    Both orders place the samples on the same timeline, with gaps as silence (timeline.py). Raises Unreadable if the
    file is at fault, OSError if the machine is; faults.py classifies other errors.
    """
    source = open_source(file)
    if len(source.container.streams.audio) > 1:
        source = open_source(file, choose_track(file))
    timeline = Timeline(source.seconds_per_tick, source.zero, order["longest_seconds"])
    if order["do"] == "measure":
        say(**_measure(order, file, Writer(out, order["rate"], 0, COARSE), source, timeline))
    else:
        workload = Workload(order["most_samples"])
        _write_samples(Writer(out, order["rate"], order["start_ms"]), source, timeline, workload)
        say(done=True)


class Writer:
    """Resamples placed frames to 16-bit mono and writes the samples from `start_ms` on.

    Decoding begins at the beginning even if `start_ms` is later: few formats have an index, and sample n must be the
    same one each time.
    """

    def __init__(self, out: BinaryIO, rate: int, start_ms: int, options: dict[str, str] | None = None) -> None:
        self.mono = Mono(rate, options)
        self._out, self._rate, self._skip, self._size = out, rate, rate * start_ms // 1000 * 2, 0

    @property
    def seconds(self) -> float:
        return self._size / 2 / self._rate

    def write(self, samples: bytes) -> None:
        self._out.write(samples[max(0, self._skip - self._size) :])
        self._size += len(samples)


def _measure(
    order: dict[str, Any], file: BinaryIO, writer: Writer, source: Source, timeline: Timeline
) -> dict[str, object]:
    """Write the samples, make the access copy if one is needed, and return the answer."""
    playability = Playability(file, source)
    copy = AccessCopy(order["access_copy"], source, timeline) if playability.reason else None
    _write_samples(writer, source, timeline, Workload(order["most_samples"]), copy, playability)
    _check_completeness(file, source, timeline, writer.seconds, order["accept_short"])
    playability.end(timeline, writer.seconds, has_changed=writer.mono.has_changed)
    if playability.reason:
        (copy or AccessCopy(order["access_copy"], source, timeline)).end(file)
    return {
        "measured": _describe(source, file),
        "access_copy": str(playability.reason),
        "notes": make_notes(source, timeline),
        "chapters": read_chapters(source),
    }


def _write_samples(
    writer: Writer,
    source: Source,
    timeline: Timeline,
    workload: Workload,
    copy: AccessCopy | None = None,
    playability: Playability | None = None,
) -> None:
    on_packet = None
    if copy is not None and copy.takes_packets:
        on_packet = copy.take_packet
    elif playability is not None and playability.reads_packets:
        on_packet = playability.take
    for frames in decode_frames(source, on_packet):
        workload.add(frames)
        for placed in timeline.place(frames):
            _write_placed(writer, placed, copy)
    for placed in timeline.end():
        _write_placed(writer, placed, copy)
    writer.write(writer.mono.flush())


def _write_placed(writer: Writer, placed: list[Any], copy: AccessCopy | None) -> None:
    writer.write(writer.mono.take(placed))
    if copy is not None:
        copy.take_frames(placed)


def _describe(source: Source, file: BinaryIO) -> dict[str, object]:
    codec = source.stream.codec_context
    extension, content_type = name_kind(source, file)
    return {
        "extension": extension,
        "content_type": content_type,
        "codec": codec.name,
        "sample_rate": codec.sample_rate or 0,
        "channels": codec.channels or 1,
    }


def _check_completeness(file: BinaryIO, source: Source, timeline: Timeline, seconds: float, accept_short: bool) -> None:
    """Raise Unreadable if too little of the claimed length was decoded, or too many packets are broken."""
    if not source.form.pauses:
        seconds -= timeline.gap_seconds
    if not seconds:
        raise Unreadable("audio.silent", formats=NAMES)
    share = MIN_SHARE_OF_EXACT if source.form.exact else MIN_SHARE_OF_ESTIMATE
    claimed = read_claimed_seconds(file, source) - timeline.jumped_seconds
    if not accept_short and seconds + 1 < claimed * share:
        raise Unreadable("audio.too_short", claimed=claimed, heard=seconds)
    if source.broken > max(BROKEN_PACKETS, source.packets // 100):
        raise Unreadable("audio.damaged", broken=source.broken, packets=source.packets)
