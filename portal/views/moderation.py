"""Flagging and lifting, for admins."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from archive import words
from archive.errors import Refused
from archive.models import Space
from archive.retention import violations
from portal.access import Found, current_user, find


@login_required
@require_POST
def flag(request: HttpRequest, space_id: UUID) -> HttpResponse:
    found = _found(request, space_id)
    code, reason = request.POST.get("rule", ""), request.POST.get("reason", "")
    try:
        violations.flag(found.space.pk, code, reason, current_user(request))
        messages.success(request, f"Flagged. {_kept(found.space)}")
    except Refused as error:
        messages.error(request, str(error))
    return redirect("space", space_id)


@login_required
@require_POST
def lift(request: HttpRequest, space_id: UUID) -> HttpResponse:
    found = _found(request, space_id)
    try:
        violations.lift(found.space.pk, request.POST.get("reason", ""), current_user(request))
        messages.success(request, f"Lifted. {_kept(found.space)}")
    except Refused as error:
        messages.error(request, str(error))
    return redirect("space", space_id)


def _found(request: HttpRequest, space_id: UUID) -> Found:
    found = find(current_user(request), space_id)
    if not found.may_flag:
        raise Http404
    return found


def _kept(space: Space) -> str:
    space.refresh_from_db()
    return f"The Space is kept until {words.moment(space.expires_at)}." if space.expires_at else "The Space is held."
