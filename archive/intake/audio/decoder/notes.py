"""Notes about an accepted recording, as codes with parameters (archive/error_messages/audio.py)."""

from archive.errors import Problem, make_problem
from archive.intake.audio.decoder.decode import Source
from archive.intake.audio.decoder.timeline import Timeline
from archive.intake.audio.decoder.tracks import name_other_tracks, name_track

NOTED_GAP = 1.0  # seconds: in shorter ones a codec only saves data in a pause


def make_notes(source: Source, timeline: Timeline) -> list[Problem]:
    """Return the notes about a decoded source."""
    notes = []
    count = len(source.container.streams.audio)
    if count > 1:
        track, others = name_track(source), name_other_tracks(source)
        notes.append(make_problem("audio.track_chosen", tracks=count, track=track, others=others))
    total = _round(timeline.gap_seconds)
    gaps = [gap for gap in timeline.gaps if gap.length >= NOTED_GAP]
    if timeline.gap_seconds and not source.form.pauses:
        notes.append(make_problem("audio.lost_parts", seconds=total, first=_round(timeline.gaps[0].start)))
    elif gaps:
        longest = _round(max(gap.length for gap in gaps))
        notes.append(make_problem("audio.gaps", first=_round(gaps[0].start), longest=longest, total=total))
    if timeline.jumps:
        notes.append(make_problem("audio.clock_jumps"))
    if timeline.dropped_seconds >= NOTED_GAP:
        notes.append(make_problem("audio.overlaps", seconds=_round(timeline.dropped_seconds)))
    if source.broken > 1:
        notes.append(make_problem("audio.broken_packets", broken=source.broken, packets=source.packets))
    return notes


def _round(seconds: float) -> float:
    """Round to hundredths: a pause of 6 s may measure 5.9999 s, and would be shown as 0:05."""
    return round(seconds, 2)
