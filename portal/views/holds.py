"""Legal holds, for admins: placed on the page of a Space in moderation, released by another admin."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from archive import dbtime, formatting
from archive.models import Hold, Space, User
from archive.moderation import holds as domain
from archive.moderation.conflicts import find_own_space_conflict, find_release_conflict
from portal.access import find_space, is_admin, only
from portal.forms.holds import HoldForm, HoldReviewForm, ReleaseForm
from portal.http import SignedInRequest
from portal.paging import page_of
from portal.presenters import clock as clock_presenter
from portal.presenters.moderation_page import kept_until, link_back
from portal.presenters.moderation_tabs import moderation_tabs
from portal.presenters.violations import describe_release
from portal.reauthentication import require_reauthentication
from portal.responses import redirect_to_origin, render_origin
from portal.submissions import submit

PAGE = 25


@require_safe
@only(is_admin)
def holds(request: SignedInRequest) -> HttpResponse:
    """List active holds, the next review first."""
    return _page(request)


@require_POST
@only(is_admin)
@require_reauthentication
def hold(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    space = find_space(request.user, space_id).space
    form = HoldForm(request.POST)

    def place(typed: dict[str, Any]) -> None:
        case, day = typed["case_number"], typed["review_on"]
        domain.place(space_id, typed["reason"], request.user, case_number=case, review_on=day)

    if not submit(request, form, place):
        return render_origin(request, space_id, hold_form=form)
    text = _("Hold placed on “{title}”. {deadline}")
    messages.success(request, format_html(text, title=link_back(space), deadline=kept_until(space)))
    return redirect_to_origin(request, space_id, part="hold")


@require_POST
@only(is_admin)
@require_reauthentication
def release(request: SignedInRequest, hold_id: int) -> HttpResponse:
    if not Hold.objects.filter(pk=hold_id).exists():
        raise Http404
    form = ReleaseForm(request.POST)
    if not submit(request, form, lambda typed: domain.release(hold_id, typed["reason"], request.user)):
        return _page(request, {hold_id: form}, status=422)
    space = Space.objects.get(holds=hold_id)
    if space.is_gone(dbtime.now()):
        text = _("The hold on “<bdi>{title}</bdi>” is released. Its deadline has passed, so it is being deleted now.")
        messages.success(request, format_html(text, title=space))
    else:
        text = _("The hold on “{title}” is released. {deadline}")
        messages.success(request, format_html(text, title=link_back(space), deadline=kept_until(space)))
    return redirect("holds")


@require_POST
@only(is_admin)
def review(request: SignedInRequest, hold_id: int) -> HttpResponse:
    """Record that the hold is still needed, and the day of the next review."""
    if not Hold.objects.filter(pk=hold_id).exists():
        raise Http404
    form = HoldReviewForm(request.POST)
    if not submit(request, form, lambda typed: domain.review(hold_id, typed["review_on"], request.user)):
        return _page(request, review_forms={hold_id: form}, status=422)
    day = formatting.format_date(form.cleaned_data["review_on"])
    text = _("The hold on “{title}” is still needed. The next review is on {day}.")
    title = link_back(Space.objects.get(holds=hold_id))
    messages.success(request, format_html(text, title=title, day=day))
    return redirect("holds")


def _page(
    request: SignedInRequest,
    forms: dict[int, ReleaseForm] | None = None,
    review_forms: dict[int, HoldReviewForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render a page of holds by the day of their review; those without one come last. `forms` and `review_forms` have
    refused forms, by the hold's id."""
    now, forms, review_forms = dbtime.now(), forms or {}, review_forms or {}
    rows = Hold.objects.filter(state=Hold.State.STANDING).select_related("space__host", "placed_by")
    rows = rows.prefetch_related("space__holds", "space__violations")
    page, cursor = page_of(rows, request.GET.get("after"), ("review_on", "id"), PAGE)
    context = {
        "rows": [
            {
                **_row(hold, now, request.user),
                "form": forms.get(hold.pk, ReleaseForm()),
                "review_form": review_forms.get(hold.pk, HoldReviewForm()),
            }
            for hold in page
        ],
        "next_url": f"?{urlencode({'after': cursor})}" if cursor else None,
        **moderation_tabs(request.user),
    }
    return render(request, "moderation/holds.html", context, status=status)


def _row(hold: Hold, now: datetime, user: User) -> dict[str, Any]:
    space = hold.space
    alone = sum(one.state == Hold.State.STANDING for one in space.holds.all()) == 1
    return {
        "hold": hold,
        "space": space,
        "face": clock_presenter.clock_face(space, now),
        "conflict": find_release_conflict(hold, user),
        "own": find_own_space_conflict(space, user),
        "overdue": hold.review_on is not None and hold.review_on <= now.date(),
        "until": describe_release(space, now, is_only_hold=alone),
    }
