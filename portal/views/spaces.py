"""The list of Spaces, and the page of one."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from archive import dbtime
from archive.models import Recording, Space, SpaceQuerySet, User, Violation
from portal.access import may_read_log
from portal.forms.lists import SPACE_FILTERS, SpaceFilterForm
from portal.http import SignedInRequest
from portal.paging import page_of
from portal.presenters import clock as clock_presenter
from portal.presenters.player import outline
from portal.responses import render_space

PAGE = 25


@require_safe
def spaces(request: SignedInRequest) -> HttpResponse:
    """The shortest deadline first; deleted Spaces only when asked for."""
    user, now = request.user, dbtime.now()
    form = SpaceFilterForm(request.GET)
    form.full_clean()
    chosen = form.cleaned_data["filter"]
    rows = (
        _filtered(Space.objects.listed_for(user), chosen, now)
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
            for code, name in SPACE_FILTERS.items()
            if code != "held" or may_read_log(user)
        ],
        "next_url": f"?{urlencode({'filter': chosen, 'after': cursor})}" if cursor else None,
    }
    return render(request, "spaces/list.html", context)


def _filtered(rows: SpaceQuerySet, chosen: str, now: datetime) -> SpaceQuerySet:
    if chosen == "deleted":
        return rows.gone(now)
    rows = rows.kept(now)
    if chosen == "due":
        return rows.filter(expires_at__lte=now + timedelta(days=7))
    if chosen == "held":
        return rows.filter(expires_at=None)
    if chosen == "flagged":
        return rows.filter(violations__state__in=[Violation.State.STANDING, Violation.State.APPEALED]).distinct()
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


@require_safe
def space(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    return render_space(request, space_id)
