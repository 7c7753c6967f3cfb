"""Appeals: hosts appeal on the page of the Space; admins decide, the nearest deadline first."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from archive import dbtime
from archive.content_access import Kind, record_access
from archive.display.transcript import EvidenceLine
from archive.models import Appeal, Space, Violation
from archive.moderation import appeals as domain
from archive.moderation.conflicts import find_decision_conflict
from portal.access import find_space, is_admin, only
from portal.forms.moderation import AppealForm, DecisionForm
from portal.http import SignedInRequest
from portal.paging import page_of
from portal.presenters import clock as clock_presenter
from portal.presenters.moderation_page import describe_deadline, kept_until, link_back
from portal.presenters.moderation_tabs import moderation_tabs
from portal.presenters.violations import describe_change, nearby
from portal.reauthentication import require_reauthentication
from portal.responses import render_space
from portal.section_messages import add_success
from portal.submissions import submit

PAGE = 10  # Spaces
DECIDED_PAGE = 25


@require_POST
def appeal(request: SignedInRequest, space_id: UUID, violation_id: int) -> HttpResponse:
    space = find_space(request.user, space_id).space
    if space.host_id != request.user.pk or not space.violations.filter(pk=violation_id).exists():
        raise Http404
    form, section = AppealForm(request.POST), f"appeal-{violation_id}"
    if not submit(
        request, form, lambda typed: domain.appeal(violation_id, typed["statement"], request.user), section=section
    ):
        return render_space(request, space_id, status=422, appeal_of=violation_id, appeal_form=form)
    add_success(request, section, _("Your appeal was sent. The deadline does not change while we decide."))
    return redirect(f"{reverse('space', args=[space_id])}#{section}")


@require_safe
@only(is_admin)
def appeals(request: SignedInRequest) -> HttpResponse:
    """List open appeals, the nearest deadline first."""
    return _page(request)


@require_safe
@only(is_admin)
def decided(request: SignedInRequest) -> HttpResponse:
    """List decided appeals, the newest decision first, until the Space is deleted."""
    now = dbtime.now()
    rows = domain.decided_appeals().select_related(
        "violation__space__host", "violation__rule", "violation__flagged_by", "decided_by"
    )
    page, cursor = page_of(rows, request.GET.get("after"), ("decided_at", "id"), DECIDED_PAGE, descending=True)
    context = {
        "rows": [{"appeal": one, "kept": describe_deadline(one.violation.space, now)} for one in page],
        "next_url": f"?{urlencode({'after': cursor})}" if cursor else None,
        **moderation_tabs(request.user),
    }
    return render(request, "moderation/decided.html", context)


@require_POST
@only(is_admin)
@require_reauthentication
def decide(request: SignedInRequest, appeal_id: int) -> HttpResponse:
    if not Appeal.objects.filter(pk=appeal_id).exists():
        raise Http404
    form = DecisionForm(request.POST)
    if not submit(
        request, form, lambda typed: domain.decide(appeal_id, typed["reason"], request.user, granted=form.granted)
    ):
        return _page(request, {appeal_id: form}, status=422)
    space = Space.objects.get(violations__appeal=appeal_id)
    granted = _("Appeal about “{title}” granted: the flag is lifted. {deadline} {decision}")
    denied = _("Appeal about “{title}” denied: the flag stays. {deadline} {decision}")
    url = f"{reverse('decided-appeals')}#appeal-{appeal_id}"
    decision = format_html('<a href="{}">{}</a>', url, _("Your decision"))
    text = granted if form.granted else denied
    shown = format_html(text, title=link_back(space), deadline=kept_until(space), decision=decision)
    messages.success(request, shown)
    return redirect("appeals")


def _page(request: SignedInRequest, forms: dict[int, DecisionForm] | None = None, status: int = 200) -> HttpResponse:
    """Render a page of appeals. `forms` has refused forms, by the appeal's id."""
    now, forms = dbtime.now(), forms or {}
    appealed = Space.objects.filter(state__in=Space.KEPT).appealed().only("expires_at")
    spaces, cursor = page_of(appealed, request.GET.get("after"), ("expires_at", "id"), PAGE)
    places = [space.pk for space in spaces]
    rows = domain.open_appeals().filter(space__in=places).select_related("space__host", "rule", "appeal", "flagged_by")
    rows = rows.prefetch_related("space__violations", "space__holds")
    page = sorted(rows, key=lambda violation: (places.index(violation.space_id), violation.pk))
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
        **moderation_tabs(request.user),
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
