"""The pages of moderation. Plain values for templates; no request in here."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from archive import cues, dbtime, formatting
from archive.display.transcript import cue_rows
from archive.models import Appeal, Hold, Space, User
from archive.moderation import conflicts, holds
from archive.moderation.evidence import MAX_LINES
from portal.access import VisibleSpace
from portal.forms.moderation import EvidenceFlagForm, HoldForm, LiftForm, ReleaseForm
from portal.presenters import clock as clock_presenter
from portal.presenters.moderation_queue import ORDERS, queue
from portal.presenters.player import player
from portal.presenters.space_page import deadline_previews
from portal.presenters.violations import describe_change, flags, rules

ANOTHER_HOLD = gettext_lazy("Another hold stands, so there is no deadline still.")


def tab_counts() -> dict[str, int]:
    """The numbers on the tabs that the three pages of moderation share."""
    return {
        "open_appeals": Appeal.objects.filter(state=Appeal.State.OPEN).count(),
        "standing_holds": Hold.objects.filter(state=Hold.State.STANDING).count(),
    }


def moderated_space(visible: VisibleSpace, user: User, query: Mapping[str, str]) -> dict[str, Any]:
    """The context of moderation/space.html: one Space to play, read and flag, beside the queue that `query` asks
    for."""
    space, now = visible.space, visible.now
    recording, transcript = space.recordings.first(), space.transcripts.last()
    violations = list(space.violations.select_related("rule", "appeal"))
    served = space.is_served(now)
    context: dict[str, Any] = {
        "queue": queue(query, now, user),
        "orders": ORDERS.items(),
        "space": space,
        "face": clock_presenter.clock_face(space, now),
        "recording": recording,
        "length": clock_presenter.length(recording),
        "violations": flags(space, violations, now, content=served),
        "rules": rules(),
        "holds": standing_holds(space, user),
        "hold_until": describe_change(space.expires_at, holds.if_held(space)),
        "flag_form": EvidenceFlagForm(),
        "lift_form": LiftForm(),
        "hold_form": HoldForm(),
        "from_moderation": True,
        "conflict": conflicts.find_own_space_conflict(space, user),
        "may_play": True,
        "may_appeal": space.host_id == user.pk,
        **deadline_previews(visible, user, violations),
        **tab_counts(),
    }
    if served and recording:
        context |= player(space)
    if served and transcript:
        context |= {
            "cues": cue_rows(cues.load(transcript.cues)),
            "transcript_number": transcript.number,
            "ticks": context["conflict"] is None,
            "most_lines": MAX_LINES,
        }
    return context


def standing_holds(space: Space, user: User) -> list[dict[str, Any]]:
    """The holds that stand, each with why this admin may not release it, and what that would do."""
    standing = list(space.holds.filter(state=Hold.State.STANDING).select_related("placed_by", "space"))
    now = dbtime.now()
    until = (
        describe_change(space.expires_at, holds.if_released(space), now) if len(standing) == 1 else str(ANOTHER_HOLD)
    )
    return [
        {
            "hold": hold,
            "conflict": conflicts.find_release_conflict(hold, user),
            "until": until,
            "form": ReleaseForm(),
        }
        for hold in standing
    ]


def kept_until(space: Space) -> str:
    """How long the Space is kept by now, in words, for the message after an act of moderation."""
    space.refresh_from_db()
    if space.expires_at is None:
        return _("No deadline while a legal hold stands.")
    return _("The Space is kept until {time}.").format(time=formatting.format_time(space.expires_at))
