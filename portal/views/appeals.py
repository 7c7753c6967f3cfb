"""Appeals: a host appeals on the page of the Space; admins decide, the shortest deadline first."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from archive import dbtime
from archive.content_access import Kind, record_access
from archive.display.transcript import EvidenceLine
from archive.errors import Refused
from archive.models import Appeal, Violation
from archive.moderation import appeals as domain
from archive.moderation.conflicts import find_decision_conflict
from portal.access import find_space, is_admin, only
from portal.forms.moderation import AppealForm, DecisionForm
from portal.http import SignedInRequest
from portal.paging import page_of
from portal.presenters import clock as clock_presenter
from portal.presenters.moderation_page import kept_until, tab_counts
from portal.presenters.violations import describe_change, nearby
from portal.reauthentication import require_reauthentication
from portal.responses import render_space
from portal.submissions import once

PAGE = 10


@require_POST
def appeal(request: SignedInRequest, space_id: UUID, violation_id: int) -> HttpResponse:
    space = find_space(request.user, space_id).space
    if space.host_id != request.user.pk or not space.violations.filter(pk=violation_id).exists():
        raise Http404
    form = AppealForm(request.POST)
    try:
        if form.is_valid():
            with once(request) as is_first:
                if is_first:
                    domain.appeal(violation_id, form.cleaned_data["statement"], request.user)
    except Refused as error:
        form.add_error(None, str(error))
    if form.errors:
        form.show_problems(request)
        return render_space(request, space_id, status=422, appeal_of=violation_id, appeal_form=form)
    messages.success(request, _("Your appeal was sent. Until it is decided, the deadline stays as it is."))
    return redirect("space", space_id)


@require_safe
@only(is_admin)
def appeals(request: SignedInRequest) -> HttpResponse:
    """Open appeals, the shortest deadline first."""
    return _page(request)


@require_POST
@only(is_admin)
@require_reauthentication
def decide(request: SignedInRequest, appeal_id: int) -> HttpResponse:
    if not Appeal.objects.filter(pk=appeal_id).exists():
        raise Http404
    form = DecisionForm(request.POST)
    decided = None
    try:
        if form.is_valid():
            with once(request) as is_first:
                decided = (
                    domain.decide(appeal_id, form.cleaned_data["reason"], request.user, granted=form.granted)
                    if is_first
                    else Appeal.objects.select_related("violation__space").get(pk=appeal_id)
                )
    except Refused as error:
        form.add_error(None, str(error))
    if decided is None:
        form.show_problems(request)
        return _page(request, {appeal_id: form}, status=422)
    result = _("Granted: the violation is lifted.") if form.granted else _("Denied: the violation stands.")
    messages.success(request, f"{result} {kept_until(decided.violation.space)}")
    return redirect("appeals")


def _page(request: SignedInRequest, forms: dict[int, DecisionForm] | None = None, status: int = 200) -> HttpResponse:
    """`forms` has the refused form of an appeal, by the appeal's id."""
    now, forms = dbtime.now(), forms or {}
    rows = Violation.objects.filter(state=Violation.State.APPEALED).select_related("space__host", "rule", "appeal")
    rows = rows.prefetch_related("space__violations", "space__holds")
    page, cursor = page_of(rows, request.GET.get("after"), ("space__expires_at", "id"), PAGE)
    evidence = nearby(violation for violation in page if violation.space.is_served(now))
    record_access(Kind.READ, [violation.space for violation in page if evidence.get(violation.pk)], request.user)
    context = {
        "rows": [
            {
                **_row(violation, evidence.get(violation.pk, []), now),
                "conflict": find_decision_conflict(violation, request.user),
                "form": forms.get(violation.appeal.pk, DecisionForm()),
            }
            for violation in page
        ],
        "next_url": f"?{urlencode({'after': cursor})}" if cursor else None,
        **tab_counts(),
    }
    return render(request, "moderation/appeals.html", context, status=status)


def _row(violation: Violation, evidence: list[EvidenceLine], now: datetime) -> dict[str, Any]:
    space = violation.space
    return {
        "violation": violation,
        "appeal": violation.appeal,
        "space": space,
        "face": clock_presenter.clock_face(space, now),
        "evidence": evidence,
        "if_granted": describe_change(space.expires_at, domain.if_granted(space, violation, now)),
        "if_denied": describe_change(space.expires_at, space.stored_deadline()),
    }
