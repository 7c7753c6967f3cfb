"""Write recordings packet by packet, with timestamps as the caller wants them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet

from tests.corpus.signals import make_noise

FormatAndCodec = tuple[str, str]  # FFmpeg's names of a container and an encoder
Shift = Callable[[float], float]  # seconds of the sound -> seconds to add to its timestamp


def shifted(*jumps: tuple[float, float]) -> Shift:
    """Timestamps that jump: (from this second of the sound on, by so many seconds)."""
    return lambda second: sum(by for start, by in jumps if second >= start - 0.001)


def unshifted(second: float) -> float:
    return 0.0


@dataclass(frozen=True)
class Track:
    """One audio track. `volume` 0 is silence. `bit_rate` None: the encoder's."""

    codec: str
    seconds: float = 4
    rate: int = 48000
    channels: int = 1
    bit_rate: int | None = 64_000
    volume: float = 1
    shift: Shift = unshifted
    drop: Callable[[float], bool] = lambda second: False
    options: dict[str, str] = field(default_factory=dict)
    title: str = ""


LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def write(path: Path, container: str, *tracks: Track, options: dict[str, str] | None = None) -> Path:
    """Encode the tracks and mux their packets in the order of time."""
    with av.open(str(path), "w", format=container, options=options or {}) as out:
        packets: list[tuple[float, int, Packet[AudioStream]]] = []
        for number, track in enumerate(tracks):
            stream = _add_stream(out, track)
            packets += [(at, number, packet) for at, packet in _encode(stream, track)]
        for _, _, packet in sorted(packets, key=lambda item: item[:2]):
            out.mux(packet)
    return path


def _add_stream(out: av.container.OutputContainer, track: Track) -> AudioStream:
    stream = out.add_stream(track.codec, rate=track.rate, options={"strict": "-2", **track.options})
    assert isinstance(stream, AudioStream)
    stream.layout = LAYOUTS[track.channels]
    if track.bit_rate:
        stream.bit_rate = track.bit_rate
    if track.title:
        stream.metadata["title"] = stream.metadata["handler_name"] = track.title
    return stream


def _encode(stream: AudioStream, track: Track) -> Sequence[tuple[float, "Packet[AudioStream]"]]:
    """Return the packets, each with the second at which it is muxed."""
    context = stream.codec_context
    mono = (make_noise(track.seconds, track.rate) * track.volume).astype(np.int16)
    sound = np.repeat(mono, track.channels).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(sound, format="s16", layout=LAYOUTS[track.channels])
    frame.sample_rate, frame.pts, frame.time_base = track.rate, 0, Fraction(1, track.rate)
    resampler = AudioResampler(context.format.name, context.layout.name, track.rate, context.frame_size or 1024)
    packets = []
    for ready in [*resampler.resample(frame), *resampler.resample(None), None]:
        for packet in stream.encode(ready):
            assert packet.pts is not None
            assert packet.time_base is not None
            second = float(packet.pts * packet.time_base)
            by = track.shift(max(0.0, second))
            if track.drop(max(0.0, second)):
                continue
            packet.pts = packet.dts = packet.pts + round(by / packet.time_base)
            packets.append((second + by, packet))
    return packets
