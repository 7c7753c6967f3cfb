"""Appeals: a host makes one on the page of the Space; admins decide them, the shortest deadline first."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from archive import dbtime, tasks
from archive.errors import Refused
from archive.models import Appeal, Violation
from archive.moderation import appeals as domain
from portal.access import current_user, find_space
from portal.paging import page_of
from portal.presenters import clock as clock_presenter
from portal.presenters.violations import describe_change, nearby
from portal.views.moderation import kept, require_admin, tabs
from portal.views.spaces import detail

PAGE = 10


@login_required
@require_POST
def appeal(request: HttpRequest, space_id: UUID, violation_id: int) -> HttpResponse:
    user = current_user(request)
    found = find_space(user, space_id)
    if found.space.host_id != user.pk or not found.space.violations.filter(pk=violation_id).exists():
        raise Http404
    text = request.POST.get("statement", "")
    try:
        domain.appeal(violation_id, text, user)
    except Refused as error:
        messages.error(request, str(error))
        found = find_space(user, space_id)  # as it is by now: it may be gone
        context = {**detail(request, found), "appeal_of": violation_id, "appeal_typed": text}
        return render(request, "spaces/detail.html", context, status=422)
    messages.success(request, "Your appeal was sent. Until it is decided, the deadline stays as it is.")
    return redirect("space", space_id)


@login_required
@require_safe
@never_cache
def appeals(request: HttpRequest) -> HttpResponse:
    """Those that wait for a decision, the shortest deadline first."""
    require_admin(current_user(request))
    return _page(request)


@login_required
@require_POST
def decide(request: HttpRequest, appeal_id: int) -> HttpResponse:
    user = require_admin(current_user(request))
    if not Appeal.objects.filter(pk=appeal_id).exists():
        raise Http404
    decision, reason = request.POST.get("decision", ""), request.POST.get("reason", "")
    try:
        if decision not in ("grant", "deny"):
            raise Refused("Choose whether the appeal is granted or denied.")
        decided = domain.decide(appeal_id, reason, user, granted=decision == "grant")
    except Refused as error:
        messages.error(request, str(error))
        return _page(request, 422, typed_for=appeal_id, typed=reason)
    tasks.wake_notices(decided.violation.space_id)
    word = "Granted: the violation is lifted." if decision == "grant" else "Denied: the violation stands."
    messages.success(request, f"{word} {kept(decided.violation.space)}")
    return redirect("appeals")


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    now, user = dbtime.now(), current_user(request)
    rows = Violation.objects.filter(state=Violation.State.APPEALED).select_related("space__host", "rule", "appeal")
    rows = rows.prefetch_related("space__violations", "space__holds")
    page, cursor = page_of(rows, request.GET.get("after"), ("space__expires_at", "id"), PAGE)
    near = nearby(violation for violation in page if violation.space.is_served(now))
    shown = [_row(violation, near.get(violation.pk, []), now, user.pk) for violation in page]
    context = {"rows": shown, "next_url": f"?{urlencode({'after': cursor})}" if cursor else None, **tabs(), **more}
    return render(request, "moderation/appeals.html", context, status=status)


def _row(violation: Violation, near: list[Any], now: Any, user_id: int) -> dict[str, Any]:
    space = violation.space
    return {
        "violation": violation,
        "appeal": violation.appeal,
        "space": space,
        "face": clock_presenter.clock_face(space, now),
        "evidence": near,
        "own": space.host_id == user_id,
        "if_granted": describe_change(space.expires_at, domain.if_granted(space, violation, now)),
        "if_denied": describe_change(space.expires_at, space.stored_deadline()),
    }
