"""Flagging and lifting, for admins."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from archive import tasks, words
from archive.errors import Refused
from archive.models import Space
from archive.retention import violations
from portal.access import Found, current_user, find
from portal.views.spaces import detail


@login_required
@require_POST
def flag(request: HttpRequest, space_id: UUID) -> HttpResponse:
    found = _found(request, space_id)
    code, reason = request.POST.get("rule", ""), request.POST.get("reason", "")
    try:
        violations.flag(found.space.pk, code, reason, current_user(request))
    except Refused as error:
        return _refused(request, found, error, {"flag_rule": code, "flag_reason": reason})
    tasks.wake_notices(space_id)
    messages.success(request, f"Flagged. {_kept(found.space)}")
    return redirect("space", space_id)


@login_required
@require_POST
def lift(request: HttpRequest, space_id: UUID) -> HttpResponse:
    found = _found(request, space_id)
    reason = request.POST.get("reason", "")
    try:
        violations.lift(found.space.pk, reason, current_user(request))
    except Refused as error:
        return _refused(request, found, error, {"lift_reason": reason})
    tasks.wake_notices(space_id)
    messages.success(request, f"Lifted. {_kept(found.space)}")
    return redirect("space", space_id)


def _refused(request: HttpRequest, found: Found, error: Refused, typed: dict[str, str]) -> HttpResponse:
    """The same page with what was typed still in it, and the reason above it."""
    messages.error(request, str(error))
    found = _found(request, found.space.pk)  # as it is by now: it may be gone
    return render(request, "spaces/detail.html", {**detail(request, found), **typed}, status=422)


def _found(request: HttpRequest, space_id: UUID) -> Found:
    found = find(current_user(request), space_id)
    if not found.may_flag:
        raise Http404
    return found


def _kept(space: Space) -> str:
    space.refresh_from_db()
    return f"The Space is kept until {words.moment(space.expires_at)}." if space.expires_at else "The Space is held."
