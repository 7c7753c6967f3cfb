"""What pages show of a Space, the portal's and the one in its bundle: its clock, its lines, its facts. Plain values for
templates."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from archive import formatting
from archive.cues import Cue
from archive.models import Appeal, Rule, Space, Violation

VOICES = 10  # that the pages' colours can tell apart


@dataclass(frozen=True)
class ClockFace:
    """The clock of one Space. `tone`: calm, soon, urgent, kept (violation or hold), gone. `percent` is how much of
    the way from the end to the deadline has passed; `marks` are places on the same way. A page that stays when the
    time is over says `over` and `over_sentence` from then on."""

    tone: str
    label: str
    sentence: str
    ended_at: datetime
    until: datetime | None
    percent: float
    marks: list[dict[str, Any]] = field(default_factory=list)
    reasons: tuple[str, ...] = ()
    over: str = ""
    over_sentence: str = ""


@dataclass(frozen=True)
class CueRow:
    """A line of the transcript for the page, in order. `start` and `end` are seconds as `?t=` takes them, `end` empty
    where it is not known; `voice` (0-9) tells speakers apart; `turn`: somebody else begins to speak."""

    stamp: str
    start: str
    end: str
    speaker: str
    text: str
    voice: int
    turn: bool


def cue_rows(spoken: Iterable[Cue]) -> list[CueRow]:
    rows, voices, before = [], dict[str, int](), None
    for cue in spoken:
        voice = voices.setdefault(cue.speaker, len(voices) % VOICES)
        start, end = _seconds(cue.start_ms), _seconds(cue.end_ms) if cue.end_ms else ""
        stamp = formatting.format_duration(cue.start_ms // 1000)
        rows.append(CueRow(stamp, start, end, cue.speaker, cue.text, voice, cue.speaker != before))
        before = cue.speaker
    return rows


def marks(ended_at: datetime, until: datetime, at: Iterable[int]) -> list[dict[str, Any]]:
    """Days after the end, as places on the way to the deadline: {"percent": of that way, "label": "day 30"}."""
    total = until - ended_at
    return [
        {"percent": round(timedelta(days=days) / total * 100, 2), "label": f"day {days}"}
        for days in at
        if timedelta(days=days) <= total
    ]


def facts(space: Space) -> list[tuple[str, str]]:
    """(label, value), both for people."""
    found = [("Host", space.host.display_name), ("Ended", formatting.format_time(space.ended_at))]
    if space.audience:
        found.append(("Who could talk", space.get_audience_display()))
    for label, count in (("Listeners at most", space.listeners_peak), ("Listeners in all", space.listeners_total)):
        if count is not None:
            found.append((label, formatting.format_number(count)))
    return found


def _seconds(milliseconds: int) -> str:
    """33000 is 33, and 33120 is 33.12."""
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole}.{rest:03}".rstrip("0") if rest else str(whole)


@dataclass(frozen=True)
class EvidenceLine:
    """A line of the transcript. `t` are seconds as `?t=` takes them; `cited`: it is evidence, and not only near it."""

    number: int
    t: str
    stamp: str
    speaker: str
    text: str
    cited: bool


@dataclass(frozen=True)
class FlagView:
    """A violation as its Space's page shows it, the portal's and the one in a bundle."""

    id: int
    rule: Rule
    state: str
    reason: str
    flagged_at: datetime
    lifted_at: datetime | None
    lift_reason: str
    evidence: list[EvidenceLine] = field(default_factory=list)
    appeal: Appeal | None = None
    appeal_until: datetime | None = None
    closed: str = ""


def flag_view(violation: Violation, *, content: bool = True, **more: Any) -> FlagView:
    """`content`: the reader may read what was said. `more`: what only the portal says."""
    return FlagView(
        violation.pk,
        violation.rule,
        violation.state,
        violation.reason,
        violation.flagged_at,
        violation.lifted_at,
        violation.lift_reason,
        evidence=evidence(violation) if content else [],
        appeal=getattr(violation, "appeal", None),
        **more,
    )


def evidence(violation: Violation) -> list[EvidenceLine]:
    """The lines as they were kept."""
    return [evidence_line(line["line"], line["start_ms"], line["speaker"], line["text"]) for line in violation.evidence]


def evidence_line(number: int, start_ms: int, speaker: str, text: str, *, cited: bool = True) -> EvidenceLine:
    return EvidenceLine(number, _seconds(start_ms), formatting.format_duration(start_ms // 1000), speaker, text, cited)
