"""Bulk moderation: flag, lift or hold the ticked Spaces. GET previews the effect on each Space; POST does it, and
reports each refused Space."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from archive import dbtime
from archive.errors import Refused
from archive.models import Space, User
from archive.moderation import several
from portal.access import is_admin, only
from portal.forms.base import PortalForm
from portal.forms.holds import HoldSeveralForm
from portal.forms.moderation import ChosenSpacesForm, FlagForm, LiftForm
from portal.http import SignedInRequest
from portal.limits import limited
from portal.presenters.several import preview
from portal.presenters.violations import reason_templates, rules
from portal.reauthentication import require_reauthentication
from portal.submissions import once

METHODS = ["GET", "HEAD", "POST"]


@dataclass(frozen=True)
class Act:
    """A bulk action. `perform(ids, form, admin)` does it; `done(count)` is the sentence about the changed Spaces."""

    name: str
    form: type[PortalForm]
    perform: Callable[[list[UUID], dict[str, Any], User], list[several.Outcome]]
    done: Callable[[int], str]


FLAG = Act(
    "flag",
    FlagForm,
    lambda ids, typed, by: several.flag_each(ids, typed["rule"].code, typed["reason"], by),
    lambda count: ngettext("Flagged {count} Space.", "Flagged {count} Spaces.", count).format(count=count),
)
LIFT = Act(
    "lift",
    LiftForm,
    lambda ids, typed, by: several.lift_each(ids, typed["reason"], by),
    lambda count: ngettext("Lifted the flags of {count} Space.", "Lifted the flags of {count} Spaces.", count).format(
        count=count
    ),
)
HOLD = Act(
    "hold",
    HoldSeveralForm,
    lambda ids, typed, by: several.hold_each(
        ids, typed["reason"], by, case_number=typed["case_number"], review_on=typed["review_on"]
    ),
    lambda count: ngettext("Placed {count} hold.", "Placed {count} holds.", count).format(count=count),
)


@require_http_methods(METHODS)
@only(is_admin)
@limited("flag")
def flag_several(request: SignedInRequest) -> HttpResponse:
    return _answer(request, FLAG)


@require_http_methods(METHODS)
@only(is_admin)
@limited("flag")
@require_reauthentication
def lift_several(request: SignedInRequest) -> HttpResponse:
    return _answer(request, LIFT)


@require_http_methods(METHODS)
@only(is_admin)
@limited("flag")
@require_reauthentication
def hold_several(request: SignedInRequest) -> HttpResponse:
    return _answer(request, HOLD)


def _answer(request: SignedInRequest, act: Act) -> HttpResponse:
    if request.method != "POST":
        spaces = _chosen_spaces(ChosenSpacesForm(request.GET))
        return _render(request, act, spaces, act.form(initial=request.GET.dict()))
    spaces, form = _chosen_spaces(ChosenSpacesForm(request.POST)), act.form(request.POST)
    outcomes: list[several.Outcome] = []
    try:
        if form.is_valid():
            ids = sorted(space.pk for space in spaces)  # all locked in one transaction, so always in the same order
            with once(request) as is_first:
                outcomes = act.perform(ids, form.cleaned_data, request.user) if is_first else []
    except Refused as error:
        form.add_error(None, str(error))
    if form.errors:
        form.show_problems(request)
        return _render(request, act, spaces, form, status=422)
    _report(request, act, spaces, outcomes)
    return redirect("moderation")


def _report(request: SignedInRequest, act: Act, spaces: list[Space], outcomes: list[several.Outcome]) -> None:
    titles = {space.pk: str(space) for space in spaces}
    if count := sum(not outcome.refusal for outcome in outcomes):
        messages.success(request, act.done(count))
    for outcome in outcomes:
        if outcome.refusal:
            text = _("“{title}” was not changed. {reason}")
            messages.error(request, text.format(title=titles[outcome.space_id], reason=outcome.refusal))


def _render(
    request: SignedInRequest, act: Act, spaces: list[Space], form: PortalForm, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "act": act.name,
        "rows": preview(act.name, spaces, request.user, dbtime.now()),
        f"{act.name}_form": form,
        "hold_needs_second_admin": settings.HOLD_RELEASE_NEEDS_SECOND_ADMIN,
    }
    if act is FLAG:
        context |= {"rules": rules(), "reason_templates": reason_templates()}
    return render(request, "moderation/several.html", context, status=status)


def _chosen_spaces(form: ChosenSpacesForm) -> list[Space]:
    """Return the chosen Spaces that exist and whose deadline has not passed."""
    form.full_clean()
    ids, now = form.cleaned_data["space"], dbtime.now()
    related = ("violations__appeal", "holds")
    spaces = Space.objects.select_related("host").prefetch_related(*related).in_bulk(ids)
    return [spaces[pk] for pk in ids if pk in spaces and not spaces[pk].is_gone(now)]
