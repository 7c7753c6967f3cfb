"""Moderation, for admins: the queue of Spaces, flagging one with evidence or several at once, lifting."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive import dbtime
from archive.content_access import Kind, record_access
from archive.errors import Refused
from archive.models import Space
from archive.moderation import violations
from archive.moderation.conflicts import find_own_space_conflict
from portal.access import find_space, is_admin, only
from portal.forms.lists import QueueForm
from portal.forms.moderation import ChosenSpacesForm, EvidenceFlagForm, FlagForm, LiftForm
from portal.http import SignedInRequest
from portal.limits import limited
from portal.presenters.moderation_page import kept_until, tab_counts
from portal.presenters.moderation_queue import ORDERS, queue, search_url
from portal.presenters.violations import describe_change, rules
from portal.reauthentication import require_reauthentication
from portal.responses import redirect_to_origin, render_moderated_space, render_origin
from portal.submissions import once


@require_http_methods(["GET", "HEAD", "POST"])
@only(is_admin)
def moderation(request: SignedInRequest) -> HttpResponse:
    """The queue: the newest Spaces, the ones with the most listeners, or those in which some words were spoken. POST:
    redirect to the results of a search."""
    refused, status = None, 200
    if request.method == "POST":
        form = QueueForm({"order": "search", "q": request.POST.get("q", "")})
        if form.is_valid():
            return redirect(f"{reverse('moderation')}{search_url(form.cleaned_data['q'], request.user)}")
        refused, status = form, 422
    found = queue(request.GET.dict(), dbtime.now(), request.user, refused)
    record_access(Kind.FOUND, [row.space for row in found.rows if row.lines], request.user)
    context = {"queue": found, "orders": ORDERS.items(), **tab_counts()}
    return render(request, "moderation/queue.html", context, status=status)


@require_safe
@only(is_admin)
def moderate(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """One Space, to play, read, and flag by its lines; beside it the queue."""
    return render_moderated_space(request, space_id)


@require_POST
@only(is_admin)
@limited("flag")
def flag(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    space = find_space(request.user, space_id).space
    form = EvidenceFlagForm(request.POST)
    try:
        if form.is_valid():
            rule, reason = form.cleaned_data["rule"], form.cleaned_data["reason"]
            with once(request) as is_first:
                if is_first:
                    violations.flag(space.pk, rule.code, reason, request.user, form.evidence)
    except Refused as error:
        form.add_error(None, str(error))
    if form.errors:
        form.show_problems(request)
        return render_origin(request, space_id, flag_form=form, ticked=form.ticked)
    messages.success(request, _("Flagged. {deadline}").format(deadline=kept_until(space)))
    return redirect_to_origin(request, space_id)


@require_POST
@only(is_admin)
@require_reauthentication
def lift(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    space = find_space(request.user, space_id).space
    form = LiftForm(request.POST)
    try:
        if form.is_valid():
            with once(request) as is_first:
                if is_first:
                    violations.lift(space.pk, form.cleaned_data["reason"], request.user)
    except Refused as error:
        form.add_error(None, str(error))
    if form.errors:
        form.show_problems(request)
        return render_origin(request, space_id, lift_form=form)
    messages.success(request, _("Lifted. {deadline}").format(deadline=kept_until(space)))
    return redirect_to_origin(request, space_id)


@require_http_methods(["GET", "HEAD", "POST"])
@only(is_admin)
@limited("flag")
def flag_several(request: SignedInRequest) -> HttpResponse:
    """Flag the Spaces chosen in the queue. GET previews what would happen to each, POST flags them."""
    if request.method != "POST":
        spaces = _chosen_spaces(ChosenSpacesForm(request.GET))
        return _render_several(request, spaces, FlagForm(initial=request.GET.dict()))
    spaces, form = _chosen_spaces(ChosenSpacesForm(request.POST)), FlagForm(request.POST)
    outcomes = []
    try:
        if form.is_valid():
            rule, reason = form.cleaned_data["rule"], form.cleaned_data["reason"]
            ids = sorted(space.pk for space in spaces)  # all locked in one transaction: in one order
            with once(request) as is_first:
                outcomes = violations.flag_each(ids, rule.code, reason, request.user) if is_first else []
    except Refused as error:
        form.add_error(None, str(error))
    if form.errors:
        form.show_problems(request)
        return _render_several(request, spaces, form, status=422)
    _report(request, spaces, outcomes)
    return redirect("moderation")


def _report(request: SignedInRequest, spaces: list[Space], outcomes: list[violations.Outcome]) -> None:
    titles = {space.pk: str(space) for space in spaces}
    if flagged := sum(outcome.violation is not None for outcome in outcomes):
        messages.success(
            request, ngettext("Flagged {count} Space.", "Flagged {count} Spaces.", flagged).format(count=flagged)
        )
    for outcome in outcomes:
        if outcome.refusal:
            messages.error(
                request,
                _("{title} was not flagged. {reason}").format(title=titles[outcome.space_id], reason=outcome.refusal),
            )


def _render_several(request: SignedInRequest, spaces: list[Space], form: FlagForm, status: int = 200) -> HttpResponse:
    now = dbtime.now()
    rows = [
        {
            "space": space,
            "conflict": find_own_space_conflict(space, request.user),
            "until": describe_change(space.expires_at, violations.preview_flag(space, now)[0]),
        }
        for space in spaces
    ]
    return render(
        request, "moderation/several.html", {"rows": rows, "rules": rules(), "flag_form": form}, status=status
    )


def _chosen_spaces(form: ChosenSpacesForm) -> list[Space]:
    """Those of the chosen Spaces that exist and whose deadline has not passed."""
    form.full_clean()
    ids, now = form.cleaned_data["space"], dbtime.now()
    spaces = Space.objects.select_related("host").prefetch_related("violations", "holds").in_bulk(ids)
    return [spaces[pk] for pk in ids if pk in spaces and not spaces[pk].is_gone(now)]
