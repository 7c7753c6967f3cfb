"""Legal holds, for admins: placed on the page of a Space in moderation, released by another admin."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from archive import dbtime
from archive.errors import Refused
from archive.models import Hold
from archive.moderation import holds as domain
from archive.tasks import purge_space, wake
from portal.access import current_user, find_space
from portal.paging import page_of
from portal.presenters import clock as clock_presenter
from portal.presenters.violations import describe_change
from portal.views.moderation import ANOTHER, back, kept, refused, require_admin, tabs

PAGE = 25


@login_required
@require_safe
@never_cache
def holds(request: HttpRequest) -> HttpResponse:
    """Those that stand, the oldest first."""
    require_admin(current_user(request))
    return _page(request)


@login_required
@require_POST
def hold(request: HttpRequest, space_id: UUID) -> HttpResponse:
    user = require_admin(current_user(request))
    found = find_space(user, space_id)
    reason = request.POST.get("reason", "")
    try:
        domain.place(space_id, reason, user)
    except Refused as error:
        return refused(request, found, error, {"hold_reason": reason})
    messages.success(request, f"Held. {kept(found.space)}")
    return back(request, space_id)


@login_required
@require_POST
def release(request: HttpRequest, hold_id: int) -> HttpResponse:
    user = require_admin(current_user(request))
    if not Hold.objects.filter(pk=hold_id).exists():
        raise Http404
    reason = request.POST.get("reason", "")
    try:
        released = domain.release(hold_id, reason, user)
    except Refused as error:
        messages.error(request, str(error))
        return _page(request, 422, typed_for=hold_id, typed=reason)
    released.space.refresh_from_db()
    if released.space.is_gone(dbtime.now()):
        wake(purge_space, released.space_id)
        messages.success(request, "Released. The deadline of the Space has passed, so it is being deleted now.")
    else:
        messages.success(request, f"Released. {kept(released.space)}")
    return redirect("holds")


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    now, user = dbtime.now(), current_user(request)
    rows = Hold.objects.filter(state=Hold.State.STANDING).select_related("space__host", "placed_by")
    rows = rows.prefetch_related("space__holds", "space__violations")
    page, cursor = page_of(rows, request.GET.get("after"), ("placed_at", "id"), PAGE)
    shown = [_row(hold, now, user) for hold in page]
    context = {"rows": shown, "next_url": f"?{urlencode({'after': cursor})}" if cursor else None, **tabs(), **more}
    return render(request, "moderation/holds.html", context, status=status)


def _row(hold: Hold, now: Any, user: Any) -> dict[str, Any]:
    space = hold.space
    alone = sum(one.state == Hold.State.STANDING for one in space.holds.all()) == 1
    until = describe_change(None, domain.if_released(space), now) if alone else ANOTHER
    return {
        "hold": hold,
        "space": space,
        "face": clock_presenter.clock_face(space, now),
        "may": domain.may_release(hold, user),
        "until": until,
    }
