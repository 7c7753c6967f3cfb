"""One Space in moderation. Plain values for templates; no request in here."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from archive import cues, dbtime, formatting
from archive.display.transcript import cue_rows
from archive.models import Hold, Space, Transcript, User
from archive.moderation import conflicts, holds, reviews
from archive.moderation.evidence import MAX_LINES
from archive.moderation.host_record import host_record
from archive.moderation.reviews import Claim
from portal.access import VisibleSpace
from portal.forms.holds import HoldForm, HoldReviewForm, ReleaseForm
from portal.forms.moderation import EvidenceFlagForm, LiftForm
from portal.presenters import clock as clock_presenter
from portal.presenters.moderation_queue import queue_around
from portal.presenters.moderation_search import search_page
from portal.presenters.moderation_selection import selection
from portal.presenters.moderation_tabs import moderation_tabs
from portal.presenters.player import player
from portal.presenters.space_page import deadline_previews
from portal.presenters.violations import describe_change, describe_release, flags, reason_templates, rules


def moderated_space(
    visible: VisibleSpace, user: User, query: Mapping[str, str], claim: Claim | None = None
) -> dict[str, Any]:
    """The context of moderation/space.html: one Space to play, read and flag, beside the queue that `query` asks for.
    `claim` is this page's claim."""
    space, now = visible.space, visible.now
    recording, transcript = space.recordings.first(), space.transcripts.last()
    violations = list(space.violations.select_related("rule", "appeal"))
    served = space.is_served(now)
    asked = selection(query, user)
    queue = search_page(asked, now) if asked.order == "search" else queue_around(asked, space, now)
    context: dict[str, Any] = {
        "queue": queue,
        **queue.neighbors(space),
        "space": space,
        "face": clock_presenter.clock_face(space, now),
        "recording": recording,
        "length": clock_presenter.length(recording),
        "violations": flags(space, violations, now, content=served),
        "rules": rules(),
        "reason_templates": reason_templates(),
        "record": host_record(space.host),
        **_review(space, transcript, user, claim),
        "holds": standing_holds(space, user),
        "hold_needs_second_admin": settings.HOLD_RELEASE_NEEDS_SECOND_ADMIN,
        "hold_until": describe_change(space.expires_at, holds.if_held(space)),
        "flag_form": EvidenceFlagForm(),
        "lift_form": LiftForm(),
        "hold_form": HoldForm(),
        "from_moderation": True,
        "open_act": _choose_open_act(space, claim),
        "conflict": conflicts.find_own_space_conflict(space, user),
        "may_play": True,
        "may_appeal": space.host_id == user.pk,
        **deadline_previews(visible, user, violations),
        **moderation_tabs(user),
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


def _review(space: Space, transcript: Transcript | None, user: User, claim: Claim | None) -> dict[str, Any]:
    """Return who has reviewed the Space or is reviewing it. `corrected`: the transcript has a version newer than the
    review."""
    reviewed_at = space.reviewed_at
    return {
        "claim": claim,
        "claim_of_another": None if claim or reviewed_at else reviews.find_claim_of_another(space, user),
        "may_review": reviewed_at is None and space.state == Space.State.AVAILABLE,
        "corrected": bool(reviewed_at and transcript and transcript.created_at > reviewed_at),
    }


def _choose_open_act(space: Space, claim: Claim | None) -> str:
    """Return which form is open at first: "flag", "hold" or "" for none."""
    if claim:
        return "flag"
    return "hold" if space.expires_at is None else ""


def standing_holds(space: Space, user: User) -> list[dict[str, Any]]:
    """Return the active holds, each with the reason why this admin may not release it, and the effect of a release."""
    standing = list(space.holds.filter(state=Hold.State.STANDING).select_related("placed_by", "space"))
    now = dbtime.now()
    until = describe_release(space, now, is_only_hold=len(standing) == 1) if standing else ""
    return [
        {
            "hold": hold,
            "conflict": conflicts.find_release_conflict(hold, user),
            "own": conflicts.find_own_space_conflict(space, user),
            "overdue": hold.review_on is not None and hold.review_on <= now.date(),
            "until": until,
            "form": ReleaseForm(),
            "review_form": HoldReviewForm(),
        }
        for hold in standing
    ]


def kept_until(space: Space) -> str:
    """Return in words how long the Space is kept, for the message after a moderation action."""
    space.refresh_from_db()
    return describe_deadline(space, dbtime.now())


def describe_deadline(space: Space, now: datetime) -> str:
    """Return in words how long the Space is kept, from its row."""
    if space.is_gone(now):
        return _("The deadline of the Space has passed.")
    if space.expires_at is None:
        return _("The Space has no deadline while it is on hold.")
    return _("The Space is kept until {time}.").format(time=formatting.format_time(space.expires_at))


def link_back(space: Space) -> SafeString:
    """Return the title as a link to the Space's page in moderation, for a message on the next page."""
    return format_html('<a href="{}"><bdi>{}</bdi></a>', reverse("moderate", args=[space.pk]), space)


def link_to_lift(space: Space) -> SafeString:
    """Return a link to the form that lifts the flags of the Space. Unlike "no violation", a flag can't be undone
    without a trace: it is logged, its host may have got the mail, and lifting it may give a different deadline than
    before."""
    text = _("Lift the flag, with a reason")
    return format_html('<a href="{}#lift">{}</a>', reverse("moderate", args=[space.pk]), text)
