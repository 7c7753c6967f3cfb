"""The list of Spaces, and the page of one."""

from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from archive import dbtime
from archive.models import Space, SpaceQuerySet, Violation
from portal.access import may_read_log
from portal.forms.lists import SPACE_FILTERS, SpaceFilterForm
from portal.http import SignedInRequest
from portal.paging import page_of
from portal.presenters.space_rows import space_rows, with_row_data
from portal.responses import render_space

PAGE = 25


@require_safe
def spaces(request: SignedInRequest) -> HttpResponse:
    """The shortest deadline first; deleted Spaces only when asked for."""
    user, now = request.user, dbtime.now()
    form = SpaceFilterForm(request.GET)
    form.full_clean()
    chosen = form.cleaned_data["filter"]
    rows = with_row_data(_filtered(Space.objects.listed_for(user), chosen, now))
    page, cursor = page_of(rows, request.GET.get("after"), ("expires_at", "id"), PAGE, descending=chosen == "deleted")
    context = {
        "rows": space_rows(page, user, now),
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


@require_safe
def space(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    return render_space(request, space_id)
