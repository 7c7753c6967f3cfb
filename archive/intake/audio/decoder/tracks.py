"""Choose the track with sound: screen recorders write several tracks, and the first one is often silent."""

from array import array
from itertools import islice
from typing import BinaryIO

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer

from archive.errors import Unreadable
from archive.intake.audio.decoder.decode import Mono, Source, open_container

RATE = 8000  # Hz
QUIET = 33  # of 32768: -60 dBFS
PLACES = 12  # positions to test, evenly spread
PACKETS = 400  # per place and track: some seconds
NAME = 60  # characters of a track's name


def choose_track(file: BinaryIO) -> int:
    """Return the index, among the audio tracks, of the first one that has sound; 0 if all are silent.

    Tests some seconds at several positions, so it may miss a track that is silent at all of them.
    """
    with open_container(file) as container:
        count = len(container.streams.audio)
        loud: set[int] = set()
        for place in range(PLACES if count > 1 else 0):
            loud |= _loud_tracks(container, place, count)
            if 0 in loud:
                break
        return min(loud, default=0)


def _loud_tracks(container: InputContainer, place: int, count: int) -> set[int]:
    """Return the tracks that have sound at this position."""
    monos: dict[int, Mono] = {}
    loud: set[int] = set()
    try:
        if place:
            container.seek((container.duration or 0) * place // PLACES)
        for packet in islice(container.demux(container.streams.audio), PACKETS * count):
            index = container.streams.audio.index(packet.stream)
            try:
                sound = monos.setdefault(index, Mono(RATE)).take(packet.decode())
            except av.error.InvalidDataError:
                continue
            if _is_loud(sound):
                loud.add(index)
                if index == 0:
                    break
        loud |= {index for index, mono in monos.items() if _is_loud(mono.flush())}
    except (av.error.FFmpegError, Unreadable):
        pass  # this position can't be read
    return loud


def _is_loud(samples: bytes) -> bool:
    return max(map(abs, array("h", samples)), default=0) >= QUIET


def name_track(source: Source) -> str:
    """Return the number of the source's track, and its name if it has one."""
    return _name(source.stream, source.track + 1)


def name_other_tracks(source: Source) -> str:
    """Return the numbers and names of the file's other audio tracks."""
    streams = enumerate(source.container.streams.audio)
    others = [_name(stream, index + 1) for index, stream in streams if index != source.track]
    return ", ".join(others[:5] + (["..."] if len(others) > 5 else []))


def _name(stream: AudioStream, number: int) -> str:
    """Return the track's number, with its name or language if it has one: "2 (Microphone)"."""
    name = stream.metadata.get("title") or stream.metadata.get("handler_name") or ""
    if name in ("", "SoundHandler"):
        name = stream.language or ""
    name = "".join(letter for letter in name if letter.isprintable())[:NAME]
    return f"{number} ({name})" if name and name != "und" else str(number)
