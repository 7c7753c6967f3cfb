"""The retention clock of a Space: how much of the time until its deadline has passed, and why it is kept.

The site counts with the database's time (portal/presenters/clock.py). The offline page has a clock without a current
time (`offline_clock`), so that the same content gives the same bytes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils.functional import lazy
from django.utils.translation import gettext as _

from archive import formatting
from archive.display.deadline_reasons import render_reasons
from archive.formatting import TimedSentence
from archive.models import Space
from archive.policy import Deadline, ReasonCode

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class ClockMark:
    """A day before the deadline: `percent` of the time from the end of the Space, and a label ("day 30")."""

    percent: float
    label: "StrOrPromise"


@dataclass(frozen=True)
class ClockFace:
    """The clock of one Space, for archive/parts/clock.html.

    `tone`: calm, soon, urgent, kept (violation or hold), gone. `percent` of the time between the end of the Space and
    its deadline has passed. A page that stays open or is offline shows `over` and `over_sentence` after the deadline.
    `left`: the text of the time left ("%(left)s") on the page of a copy that the reader keeps, where nothing is urgent.
    """

    tone: str
    label: str
    sentence: "StrOrPromise | TimedSentence"
    ended_at: datetime
    until: datetime | None
    percent: float
    marks: list[ClockMark] = field(default_factory=list)
    reasons: tuple[str, ...] = ()
    over: str = ""
    over_sentence: "StrOrPromise | TimedSentence" = ""
    left: str = ""

    @property
    def mark_labels(self) -> str:
        """The labels of the marks: "day 30, day 120"."""
        return ", ".join(str(mark.label) for mark in self.marks)

    @property
    def bar_label(self) -> str:
        """The content of the bar as text."""
        if self.until is None and self.tone == "gone":
            return _("No copy is kept.")
        if self.until is None and not self.over:
            return _("No deadline while it is on hold.")
        if self.over and self.marks:
            return _("From the end of the Space to its deadline; marked: {marks}.").format(marks=self.mark_labels)
        if self.over:
            return _("From the end of the Space to its deadline.")
        passed = _("{percent} percent of the time has passed.")
        if self.marks:
            passed = _("{percent} percent of the time has passed; marked: {marks}.")
        return passed.format(percent=f"{self.percent:.0f}", marks=self.mark_labels)


def _write_day_label(number: int) -> str:
    return _("day {number}").format(number=number)


_day_label = lazy(_write_day_label, str)  # lists don't show it


def day_marks(ended_at: datetime, until: datetime, days: Iterable[int]) -> list[ClockMark]:
    """Return marks for those days after the end of the Space that are not later than the deadline."""
    total = until - ended_at
    return [
        ClockMark(round(timedelta(days=day) / total * 100, 2), _day_label(day))
        for day in days
        if timedelta(days=day) <= total
    ]


def offline_clock(space: Space) -> ClockFace:
    """Return the clock of the offline page. core/clock.js continues it, past the deadline too."""
    due = space.stored_deadline()
    if due.at is None:
        sentence = _("Spacekeep keeps its copy until a hold is released. This one is yours.")
        label = _("Spacekeep's copy: on legal hold")
        return ClockFace("kept", label, sentence, space.ended_at, None, 0.0, [], render_reasons(due), label)
    at = formatting.format_time(due.at)
    return ClockFace(
        tone="kept" if "violation" in due.codes else "calm",
        label=_("Spacekeep's copy: until {day}").format(day=formatting.format_day(due.at)),
        sentence=_("Spacekeep keeps its copy until {time}. This one is yours.").format(time=at),
        ended_at=space.ended_at,
        until=due.at,
        percent=0.0,
        marks=day_marks(space.ended_at, due.at, _deleting_days(due)),
        reasons=render_reasons(due),
        over=_("Yours to keep"),
        over_sentence=_("Spacekeep's copy was due to be deleted on {time}. This one is yours.").format(time=at),
        left=_("Spacekeep's copy: {left}").format(left="%(left)s"),
    )


def _deleting_days(due: Deadline) -> list[int]:
    """Return the days after the end of the Space to mark, from the stored reasons, because the policy in the settings
    may have changed."""
    numbers = {ReasonCode.BASE: "days", ReasonCode.VIOLATION: "total_days"}
    days = {getattr(reason, numbers[ReasonCode(reason.code)]) for reason in due.reasons if reason.code in numbers}
    return sorted(days)
