"""The retention clock of a Space: time left, deadline and reasons."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from archive import formatting
from archive.display.clock import ClockFace, day_marks
from archive.display.deadline_reasons import render_reasons
from archive.formatting import TimedSentence
from archive.models import Recording, Space, current_policy

SOON = timedelta(days=7)
URGENT = timedelta(days=1)
HELD = gettext_lazy("not deleted until the hold is released")
WILL_BE_DELETED = gettext_lazy("will be deleted on {time}")
WAS_DELETED = gettext_lazy("deleted on {time}")
WAS_DUE = gettext_lazy("its deadline was {time}")


def clock_face(space: Space, now: datetime) -> ClockFace:
    if space.state == Space.State.DELETED:
        deleted = space.deleted_at or now
        return ClockFace(
            "gone",
            _("Deleted"),
            TimedSentence(WAS_DELETED, deleted),
            space.ended_at,
            deleted,
            100.0,
        )
    if space.state == Space.State.REJECTED:
        return ClockFace("gone", _("Not kept"), _("the recording was not accepted"), space.ended_at, None, 100.0)
    due = space.stored_deadline()
    until = space.expires_at
    if until is None:
        return ClockFace("kept", _("On legal hold"), str(HELD), space.ended_at, None, 100.0, [], render_reasons(due))
    total, passed = until - space.ended_at, now - space.ended_at
    percent = round(min(max(passed / total * 100, 0), 100), 2)
    marked = day_marks(space.ended_at, until, _deleting_days())
    if space.is_gone(now):
        return ClockFace(
            "gone",
            _("Being deleted"),
            TimedSentence(WAS_DUE, until),
            space.ended_at,
            until,
            100.0,
            marked,
        )
    left = until - now
    tone = "urgent" if left <= URGENT else "soon" if left <= SOON else "kept" if "violation" in due.codes else "calm"
    return ClockFace(
        tone,
        formatting.format_time_left(left),
        TimedSentence(WILL_BE_DELETED, until),
        space.ended_at,
        until,
        percent,
        marked,
        render_reasons(due),
        over=_("Being deleted"),
        over_sentence=TimedSentence(WAS_DUE, until),
    )


def _deleting_days() -> tuple[int, int]:
    """Return the days after the end to mark: the deadlines of the current policy, without and with a flag."""
    rule = current_policy()
    return rule.retention_days, rule.retention_days + rule.violation_extra_days


def length(recording: Recording | None) -> str:
    return formatting.format_duration(recording.duration_ms / 1000) if recording else ""
