"""Decide whether browsers play the original on the same timeline as ours, or need an access copy.

An original is only served if its timeline is plain: one codec with one rate and layout, no gaps, one stream, an index,
and the right length in its header. In all other cases browsers differ, and some stop or seek wrongly.
docs/recordings.md has the measurements behind each rule.
"""

from typing import BinaryIO

from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet

from archive.intake.audio.decoder.containers import has_chained_ogg, read_matroska, read_mp4
from archive.intake.audio.decoder.decode import Source
from archive.intake.audio.decoder.formats import MP3
from archive.intake.audio.decoder.naming import WEBM, has_video, name_kind
from archive.intake.audio.decoder.reasons import Reason
from archive.intake.audio.decoder.timeline import TOLERANCE, Timeline

MAX_DIFFERENCE = 0.1  # seconds between the length in the header and the decoded one
MAX_LATENESS = 0.08  # seconds: Chromium is up to 20 ms later


class Playability:
    """Collects the reason against serving the original: `reason`, or "" if there is none so far."""

    def __init__(self, file: BinaryIO, source: Source) -> None:
        self._source = source
        self._first_header = b""
        self._is_variable = False
        self.reason: str = _find_reason(file, source)

    @property
    def reads_packets(self) -> bool:
        return self._source.form.extension == "mp3"

    def take(self, packet: "Packet[AudioStream]", frames: list[AudioFrame]) -> None:
        """Compare the bit rate in the header of each MP3 frame."""
        head = bytes(memoryview(packet)[:4])
        if not self._first_header:
            self._first_header = head
        elif len(head) == 4 and (head[2] ^ self._first_header[2]) >> 4:
            self._is_variable = True

    def end(self, timeline: Timeline, seconds: float, *, has_changed: bool) -> None:
        """Judge by the whole file. `seconds`: its decoded length."""
        source = self._source
        found = {
            Reason.CHANGES: has_changed,
            Reason.DAMAGED: _is_damaged(source, timeline),
            Reason.GAPS: not timeline.is_plain,
            Reason.VARIABLE: self._is_variable,
            Reason.LENGTH: _is_length_wrong(source, seconds),
        }
        if self.reason in ("", Reason.LOW_BIT_RATE):  # any other reason tells people more
            self.reason = next((reason for reason, holds in found.items() if holds), self.reason)


def _find_reason(file: BinaryIO, source: Source) -> str:
    """Return a reason that needs no decoding, or ""."""
    codec = source.stream.codec_context
    if codec.name not in source.form.plays or codec.profile == "xHE-AAC":  # which few browsers support
        return Reason.CODEC
    if len(source.container.streams.audio) > 1 or has_video(source):
        return Reason.TRACKS
    if _is_late_after_seeks(codec):
        return Reason.LOW_BIT_RATE
    return _find_structure_reason(file, source) or (Reason.GAPS if source.zero > TOLERANCE else "")


def _is_late_after_seeks(codec: AudioCodecContext) -> bool:
    """Return whether a seek in an MP3 is heard late.

    A frame may refer to up to 511 bytes (MPEG-2: 255) of earlier ones, the bit reservoir. After a seek, browsers drop
    the frames that refer to bytes that they did not read.
    """
    if codec.name not in MP3 or not codec.sample_rate or not codec.bit_rate:
        return False
    is_mpeg1 = codec.sample_rate >= 32_000
    reservoir = (511 if is_mpeg1 else 255) * 8 / codec.bit_rate
    return reservoir + (1152 if is_mpeg1 else 576) / codec.sample_rate > MAX_LATENESS


def _find_structure_reason(file: BinaryIO, source: Source) -> str:
    """Return a reason in the container's structure, or ""."""
    match source.form.extension:
        case "m4a":
            structure = read_mp4(file)
            if name_kind(source, file)[0] != "m4a":
                return Reason.CONTAINER
            return Reason.INDEX if structure.is_fragmented else Reason.EDITED if structure.is_edited else ""
        case "webm":
            matroska = read_matroska(file)
            if matroska.doc_type != WEBM:
                return Reason.CONTAINER
            return "" if matroska.has_index else Reason.INDEX
        case "ogg":
            return Reason.CHAINED if has_chained_ogg(file) else ""
    return ""


def _is_damaged(source: Source, timeline: Timeline) -> bool:
    """Return whether packets are broken or missing. A truncated last one does not count: browsers ignore it too."""
    is_last_cut = source.broken == 1 and source.last_broken >= source.packets - 1
    return (source.broken > 0 and not is_last_cut) or (not source.form.pauses and timeline.gap_seconds > 0)


def _is_length_wrong(source: Source, seconds: float) -> bool:
    """Return whether the header states no length, or a wrong one."""
    return abs((source.container.duration or 0) / 1_000_000 - seconds) > MAX_DIFFERENCE
