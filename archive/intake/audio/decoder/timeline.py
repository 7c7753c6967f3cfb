"""Place decoded frames on the presentation timeline: silence where the timestamps leave a gap, and nothing twice.

Recorders leave gaps when a microphone is muted, when a codec sends nothing during silence (DTX), and when the network
fails. Players follow the timestamps, so a program that only counts samples is early after the first gap.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from av.audio.frame import AudioFrame

TOLERANCE = 0.06  # seconds: the longest packet of Opus. More than rounding and most late packets
LOOKAHEAD = 0.5  # seconds: a packet was only late, without a gap before it, if the next ones catch up within this time
MAX_OVERLAP = 1.0  # seconds: if a clock goes back further, it was restarted, and no sound is dropped
# The most to drop as overlap: a share of the placed sound, and seconds. Recorders repeat a few packets at most.
# More overlap means wrong timestamps, and repeated sound is better than lost sound.
MAX_DROPPED_SHARE, MIN_DROPPED = 0.01, 1.0
MAX_GAPS = 1000  # gaps whose position is stored
FRAME, FRAMES_AT_ONCE = 2**15, 32  # samples of silence in a frame, and frames at a time


@dataclass(frozen=True)
class Gap:
    """Inserted silence: start and length in seconds of the timeline."""

    start: float
    length: float


@dataclass(frozen=True)
class Silence:
    """Silent samples in the rate, format and layout of a frame."""

    like: AudioFrame
    samples: int

    def batches(self) -> Iterator[list[AudioFrame]]:
        whole, rest = divmod(self.samples, FRAME)
        if whole:
            frame = self._make(FRAME)
            for done in range(0, whole, FRAMES_AT_ONCE):
                yield [frame] * min(FRAMES_AT_ONCE, whole - done)
        if rest:
            yield [self._make(rest)]

    def _make(self, samples: int) -> AudioFrame:
        frame = AudioFrame(format=self.like.format.name, layout=self.like.layout.name, samples=samples)
        frame.sample_rate = self.like.sample_rate
        zero = b"\x80" if self.like.format.name.startswith("u8") else b"\0"
        for plane in frame.planes:
            plane.update(zero * plane.buffer_size)
        return frame


@dataclass
class Timeline:
    """Turns a stream's frames into frames that follow each other without gap or overlap.

    `tick` is the unit of the timestamps in seconds; 0 for containers without timestamps, whose frames are not changed.
    `zero` is the timestamp, in seconds, at which the timeline begins. Silence never extends beyond `longest` seconds: a
    jump that far means that a clock was set, so the frame follows at once. So a forged timestamp costs no more than a
    long recording.
    """

    tick: float
    zero: float
    longest: float
    position: float = 0.0  # seconds placed so far
    gaps: list[Gap] = field(default_factory=list)
    gap_seconds: float = 0.0
    dropped_seconds: float = 0.0
    jumps: int = 0
    jumped_seconds: float = 0.0
    late: int = 0  # how often packets were late, and caught up
    _pending: list[AudioFrame] = field(default_factory=list)  # frames that may follow a gap
    _pending_seconds: float = 0.0
    _floor: float = -TOLERANCE  # how far behind the timeline a frame may be, in seconds

    @property
    def is_corrected(self) -> bool:
        """Whether samples lie elsewhere than by counting them."""
        return bool(self.gap_seconds or self.dropped_seconds or self.jumps)

    @property
    def is_plain(self) -> bool:
        """Whether timestamps and samples agree everywhere."""
        return not (self.is_corrected or self.late)

    def place(self, frames: list[AudioFrame]) -> Iterator[list[AudioFrame]]:
        """Yield the frames whose position is known, and silence. The last frames may wait for the next call."""
        if not self.tick:
            yield frames
            return
        placed: list[AudioFrame] = []
        tick, pending = self.tick, self._pending
        for frame in frames:
            pts = frame.pts
            drift = 0.0 if pts is None else pts * tick - self.zero - self.position  # inlined _drift, to save calls
            if self._floor <= drift <= TOLERANCE and not pending:
                self._floor = -TOLERANCE
                self.position += frame.samples / frame.sample_rate
                placed.append(frame)
                continue
            for part in self._correct(frame, drift):
                if isinstance(part, Silence):
                    yield placed
                    placed = []
                    yield from part.batches()
                else:
                    placed.append(part)
            pending = self._pending
        yield placed

    def end(self) -> Iterator[list[AudioFrame]]:
        """Yield the frames that still wait."""
        while self._pending:
            for part in self._decide():
                yield from part.batches() if isinstance(part, Silence) else [[part]]

    def _drift(self, frame: AudioFrame) -> float:
        """Return the seconds between the end of the placed frames and the start of this one."""
        return 0.0 if frame.pts is None else frame.pts * self.tick - self.zero - self.position

    def _put(self, frame: AudioFrame) -> AudioFrame:
        self._floor = -TOLERANCE
        self.position += _seconds(frame)
        return frame

    def _correct(self, frame: AudioFrame, drift: float) -> Iterator[AudioFrame | Silence]:
        if self._pending or drift > TOLERANCE:
            self._pending.append(frame)
            self._pending_seconds += _seconds(frame)
            if drift - self._drift(self._pending[0]) > LOOKAHEAD or self._pending_seconds > LOOKAHEAD:
                yield from self._decide()
        elif drift >= self._floor:
            yield self._put(frame)
        elif drift > -MAX_OVERLAP and self._may_drop(frame):
            self.dropped_seconds += _seconds(frame)
            self._floor = -_seconds(frame) / 2  # until the overlap has ended, not only until it is tolerable
        else:
            self._jump(drift)
            yield self._put(frame)

    def _may_drop(self, frame: AudioFrame) -> bool:
        return self.dropped_seconds + _seconds(frame) <= MIN_DROPPED + MAX_DROPPED_SHARE * self.position

    def _decide(self) -> Iterator[AudioFrame | Silence]:
        """Place the pending frames: after silence, or at once if they were only late."""
        pending, self._pending, self._pending_seconds = self._pending, [], 0.0
        gap, latest, ahead = self._drift(pending[0]), 0, 0.0
        for index, frame in enumerate(pending):
            if frame.pts is not None and (drift := self._drift(frame) - ahead) < gap:
                gap, latest = drift, index
            ahead += _seconds(frame)
        if gap > TOLERANCE:
            yield from self._fill(gap, pending[0])
        else:
            self.late += 1
        for frame in pending[: latest + 1]:
            yield self._put(frame)
        for frame in pending[latest + 1 :]:
            yield from self._correct(frame, self._drift(frame))

    def _jump(self, seconds: float) -> None:
        self.jumps += 1
        self.jumped_seconds += seconds
        self.zero += seconds

    def _fill(self, gap: float, before: AudioFrame) -> Iterator[Silence]:
        if self.position + gap > self.longest:
            self._jump(gap)
            return
        if len(self.gaps) < MAX_GAPS:
            self.gaps.append(Gap(self.position, gap))
        silence = Silence(before, round(gap * before.sample_rate))
        self.gap_seconds += gap
        self.position += silence.samples / before.sample_rate
        yield silence


def _seconds(frame: AudioFrame) -> float:
    return frame.samples / frame.sample_rate
