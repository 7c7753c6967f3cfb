"""Frames on the presentation timeline: gaps, overlaps, late packets, clocks that jump, and forged timestamps."""

import time
from collections.abc import Iterable
from fractions import Fraction

import pytest
from av.audio.frame import AudioFrame

from archive.intake.audio.decoder.timeline import Timeline

RATE, SAMPLES = 8000, 160  # frames of 20 ms
MS = 8  # samples


def frame(pts_ms: float | None, samples: int = SAMPLES, form: str = "s16") -> AudioFrame:
    made = AudioFrame(format=form, layout="mono", samples=samples)
    made.sample_rate, made.time_base = RATE, Fraction(1, RATE)
    made.pts = None if pts_ms is None else round(pts_ms * MS)
    made.planes[0].update(b"\x11" * made.planes[0].buffer_size)
    return made


def run(timeline: Timeline, times: Iterable[float | None]) -> list[tuple[str, int]]:
    """Return the durations of sound and silence in ms, in order."""
    placed = [placed for batch in timeline.place([frame(pts) for pts in times]) for placed in batch]
    placed += [placed for batch in timeline.end() for placed in batch]
    stretches: list[tuple[str, int]] = []
    for part in placed:
        kind = "sound" if bytes(part.planes[0])[0] == 0x11 else "silence"
        before = stretches.pop()[1] if stretches and stretches[-1][0] == kind else 0
        stretches.append((kind, before + part.samples // MS))
    return stretches


def make(longest: float = 3600, zero: float = 0) -> Timeline:
    return Timeline(1 / RATE, zero, longest)


def steady(start: float, count: int) -> list[float | None]:
    return [start + 20 * number for number in range(count)]


def test_frames_that_follow_each_other_stay_as_they_are() -> None:
    timeline = make()

    assert run(timeline, steady(0, 100)) == [("sound", 2000)]
    assert timeline.is_plain
    assert timeline.position == pytest.approx(2)


def test_a_gap_becomes_silence() -> None:
    timeline = make()

    assert run(timeline, steady(0, 50) + steady(3500, 50)) == [("sound", 1000), ("silence", 2500), ("sound", 1000)]
    assert [(round(gap.start, 6), round(gap.length, 6)) for gap in timeline.gaps] == [(1, 2.5)]
    assert timeline.is_corrected


def test_a_gap_before_the_last_frame_is_not_lost() -> None:
    assert run(make(), [*steady(0, 50), 3500.0]) == [("sound", 1000), ("silence", 2500), ("sound", 20)]


def test_a_late_beginning_is_silence_from_zero_on() -> None:
    assert run(make(), steady(5000, 10)) == [("silence", 5000), ("sound", 200)]
    assert run(make(zero=5), steady(5000, 10)) == [("sound", 200)]


def test_rounded_and_uneven_timestamps_insert_nothing() -> None:
    times: list[float | None] = [
        20 * number + (number * 37 % 11 - 5) * 8 for number in range(500)
    ]  # up to 40 ms early or late
    timeline = make()

    assert run(timeline, times) == [("sound", 10_000)]
    assert timeline.is_plain


def test_a_slow_clock_is_followed_without_adding_up() -> None:
    timeline = make()

    run(timeline, [20 * number * 1.01 for number in range(3000)])  # a minute that claims to last 60.6 s

    assert timeline.position == pytest.approx(60.6, abs=0.06)


def test_packets_that_were_late_and_caught_up_are_no_gap() -> None:
    burst: list[float | None] = [1400 + number for number in range(20)]  # 20 packets within 20 ms
    timeline = make()

    assert run(timeline, steady(0, 50) + burst + steady(1400, 50)) == [("sound", 2400)]
    assert not timeline.is_corrected
    assert not timeline.is_plain


def test_pauses_between_single_packets_are_all_silence() -> None:
    times: list[float | None] = [400.0 * number for number in range(5)]

    assert run(make(), times) == [("sound", 20), *[("silence", 380), ("sound", 20)] * 4]


def test_what_was_stored_twice_is_heard_once() -> None:
    timeline = make()

    assert run(timeline, steady(0, 50) + steady(700, 50)) == [("sound", 1700)]
    assert timeline.dropped_seconds == pytest.approx(0.3)


@pytest.mark.parametrize(
    "times",
    [[0.0] * 3000, [20.0 * (number % 45) for number in range(3000)], [10.0 * number for number in range(3000)]],
    ids=["stuck", "starts anew every 0.9 s", "half speed"],
)
def test_wrong_timestamps_lose_little_sound(times: list[float | None]) -> None:
    """Per minute of sound."""
    assert sum(length for kind, length in run(make(), times) if kind == "sound") > 58_000


def test_a_clock_that_starts_anew_loses_no_sound() -> None:
    timeline = make()

    assert run(timeline, steady(0, 100) + steady(0, 50) + steady(2000, 50)) == [
        ("sound", 3000), ("silence", 1000), ("sound", 1000),
    ]  # fmt: skip
    assert timeline.jumps == 1


def test_frames_without_timestamps_follow() -> None:
    assert run(make(), [0.0, None, None, 60.0, None]) == [("sound", 100)]


def test_containers_without_timestamps_are_left_alone() -> None:
    assert run(Timeline(0, 0, 3600), steady(0, 5) + steady(9000, 5)) == [("sound", 200)]


def test_silence_of_unsigned_samples_is_in_the_middle() -> None:
    frames = [frame(0, form="u8"), frame(1000, form="u8")]
    timeline = make()

    placed = [part for batch in timeline.place(frames) for part in batch]
    placed += [part for batch in timeline.end() for part in batch]

    assert set(bytes(placed[1].planes[0])[: placed[1].samples]) == {0x80}


def test_silence_is_bounded_by_the_longest_recording() -> None:
    timeline = make(longest=100)

    assert run(timeline, steady(0, 50) + steady(99_500, 1) + steady(1e12, 50)) == [
        ("sound", 1000), ("silence", 98_500), ("sound", 1020),
    ]  # fmt: skip
    assert timeline.jumps == 1


def test_forged_timestamps_cost_neither_memory_nor_time() -> None:
    timeline, started, most = make(longest=24 * 3600), time.process_time(), 0
    times = [number * 1e15 for number in range(500)] + [80_000_000.0] + [-(2.0**62) / MS, 2.0**61 / MS] * 500

    for batch in timeline.place([frame(pts) for pts in times]):
        most = max(most, len(batch))

    assert most <= 1501
    assert time.process_time() - started < 10
