"""The list of Spaces, and the page of one."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from archive import cues, dbtime
from archive.display import space as space_display
from archive.intake.transcription import enqueue as automatic
from archive.models import Recording, Space, User
from archive.moderation.violations import preview_flag
from portal.access import VisibleSpace, current_user, find_space, visible
from portal.paging import page_of
from portal.presenters import clock as clock_presenter
from portal.presenters.intake_progress import intake_status
from portal.presenters.log import history
from portal.presenters.player import outline, player
from portal.presenters.violations import describe_change, flags, rules
from portal.views.bundles import panel
from portal.views.content import downloads
from portal.views.transcription import panel as speech_panel

PAGE = 25
FILTERS = {"all": "All", "due": "Due within 7 days", "flagged": "Flagged", "held": "Held", "deleted": "Deleted"}


@login_required
@require_safe
@never_cache
def spaces(request: HttpRequest) -> HttpResponse:
    """The shortest clock first; deleted ones only when asked for."""
    user, now = current_user(request), dbtime.now()
    chosen = request.GET.get("filter", "all")
    chosen = chosen if chosen in FILTERS else "all"
    rows = (
        _filtered(visible(user), chosen, now)
        .select_related("host")
        .prefetch_related(
            "violations", Prefetch("recordings", Recording.objects.filter(number=1), to_attr="first_recording")
        )
    )
    page, cursor = page_of(rows, request.GET.get("after"), ("expires_at", "id"), PAGE, descending=chosen == "deleted")
    context = {
        "rows": [_row(space, now, user) for space in page],
        "view": "admin" if user.is_admin else "auditor" if user.is_auditor else "host",
        "filter": chosen,
        "filters": [
            {"code": code, "name": name, "url": f"?{urlencode({'filter': code})}", "active": code == chosen}
            for code, name in FILTERS.items()
            if code != "held" or user.is_admin or user.is_auditor
        ],
        "next_url": f"?{urlencode({'filter': chosen, 'after': cursor})}" if cursor else None,
    }
    return render(request, "spaces/list.html", context)


def _filtered(rows: QuerySet[Space], chosen: str, now: datetime) -> QuerySet[Space]:
    if chosen == "deleted":
        return rows.filter(Q(state__in=[Space.State.EXPIRING, Space.State.DELETED]) | Q(expires_at__lte=now))
    rows = rows.filter(state__in=Space.KEPT).filter(Q(expires_at__gt=now) | Q(expires_at=None))
    if chosen == "due":
        return rows.filter(expires_at__lte=now + timedelta(days=7))
    if chosen == "held":
        return rows.filter(expires_at=None)
    if chosen == "flagged":
        return rows.filter(violations__state__in=["standing", "appealed"]).distinct()
    return rows


def _row(space: Any, now: datetime, user: User) -> dict[str, Any]:
    recording = space.first_recording[0] if space.first_recording else None
    served = space.is_served(now) and (space.host_id == user.pk or user.is_admin)
    return {
        "space": space,
        "face": clock_presenter.clock_face(space, now),
        "length": clock_presenter.length(recording),
        "outline": outline(recording) if served else None,
        "download_url": f"{reverse('space', args=[space.pk])}#bundle" if served else None,
    }


@login_required
@require_safe
@never_cache
def space(request: HttpRequest, space_id: UUID) -> HttpResponse:
    found = find_space(current_user(request), space_id)
    return render(request, "spaces/detail.html", detail(request, found))


def detail(request: HttpRequest, found: VisibleSpace) -> dict[str, Any]:
    """The context of spaces/detail.html."""
    space, now = found.space, found.now
    # The work before what comes of it: then something that a worker finishes in between is shown, or asked for again;
    # the other way round the page would say that there is neither.
    waits, speech = intake_status(space), automatic.current(space)
    recording = space.recordings.first()
    transcript = space.transcripts.last()
    hears = found.may_play and space.is_served(now)
    violations = list(space.violations.select_related("rule", "appeal"))
    context = {
        "space": space,
        "face": clock_presenter.clock_face(space, now),
        "recording": recording,
        "length": clock_presenter.length(recording),
        "facts": space_display.facts(space),
        "participants": space.participants.select_related("user"),
        "violations": flags(space, violations, now, content=hears),
        "may_appeal": space.host_id == current_user(request).pk,
        "history": history(space),
        "may_play": found.may_play,
        "may_flag": found.may_flag,
        "served": hears,
        "waiting": waits,
    }
    if hears:
        context |= {
            **player(space),
            "cues": space_display.cue_rows(cues.load(transcript.cues)) if transcript else [],
            "downloads": downloads(space, recording, transcript),
            "speech": speech_panel(speech, transcript),
            "bundle_panel": panel(request, space, current_user(request)),
        }
    if found.may_flag:
        context |= {"rules": rules(), **moves(space, now, violations)}
    return context


def moves(space: Space, now: datetime, violations: list[Any]) -> dict[str, str | None]:
    """What a flag or a lift would do to the deadline, in words, before anybody presses a button."""
    flagged, lifted = preview_flag(space, now)
    stands = any(v.state != "lifted" for v in violations)
    return {
        "flag_until": describe_change(space.expires_at, flagged),
        "lift_until": describe_change(space.expires_at, lifted) if stands else None,
    }
