"""Moderation, for admins: the queue of Spaces, flagging one with evidence, lifting."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive import dbtime
from archive.content_access import Kind, record_access
from archive.moderation import violations
from portal.access import find_space, is_admin, only
from portal.forms.lists import QueueForm
from portal.forms.moderation import EvidenceFlagForm, LiftForm
from portal.http import SignedInRequest
from portal.limits import count_request, limited
from portal.presenters.moderation_page import kept_until, link_back, link_to_lift
from portal.presenters.moderation_queue import Queue, queue_page
from portal.presenters.moderation_search import search_page
from portal.presenters.moderation_selection import selection
from portal.presenters.moderation_tabs import moderation_tabs
from portal.reauthentication import require_reauthentication
from portal.responses import (
    redirect_to_next,
    redirect_to_origin,
    render_moderated_space,
    render_origin,
    section_of_origin,
)
from portal.section_messages import add_success
from portal.submissions import submit


@require_http_methods(["GET", "HEAD", "POST"])
@only(is_admin)
def moderation(request: SignedInRequest) -> HttpResponse:
    """Show the queue: Spaces to review, by date, by listeners or by spoken words; reviewed Spaces; flagged Spaces. POST
    takes words to filter by, or to find in transcripts, and redirects to a URL that contains them encrypted."""
    asked, now = selection(request.GET.dict(), request.user), dbtime.now()
    if request.method == "POST":
        form = QueueForm({**asked.query, "q": request.POST.get("q", "")})
        if form.is_valid():
            return redirect(f"{reverse('moderation')}{asked.url_of_words(form.cleaned_data['q'])}")
        found, status = Queue(asked, [], problem=form.problems[0], typed=form.typed), 422
    elif asked.order == "search":
        found, status = search_page(asked, now), 200
    else:
        if asked.typed:
            count_request(request, "search")
        found, status = queue_page(asked, now), 200
    record_access(Kind.FOUND, [row.space for row in found.rows if row.lines], request.user)
    context = {"queue": found, **moderation_tabs(request.user)}
    return render(request, "moderation/queue.html", context, status=status)


@require_safe
@only(is_admin)
def moderate(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Show one Space to play, read, and flag with lines as evidence, beside the queue."""
    return render_moderated_space(request, space_id)


@require_POST
@only(is_admin)
@limited("flag")
def flag(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Flag the Space. If it was in the queue, open the next one."""
    space = find_space(request.user, space_id).space
    was_to_review = space.reviewed_at is None
    form = EvidenceFlagForm(request.POST)

    def place_flag(typed: dict[str, Any]) -> None:
        violations.flag(space.pk, typed["rule"].code, typed["reason"], request.user, form.evidence)

    if not submit(request, form, place_flag, section=section_of_origin(request)):
        return render_origin(request, space_id, flag_form=form, ticked=form.ticked)
    if "from_moderation" in request.POST and was_to_review and request.GET.get("order") != "search":
        text = _("Flagged “{title}”. {deadline} By mistake? {lift}.")
        message = format_html(text, title=link_back(space), deadline=kept_until(space), lift=link_to_lift(space))
        messages.success(request, message)
        return redirect_to_next(request, space)
    text = _("Flagged. {deadline} By mistake? {lift}.")
    message = format_html(text, deadline=kept_until(space), lift=link_to_lift(space))
    add_success(request, section_of_origin(request), message)
    return redirect_to_origin(request, space_id)


@require_POST
@only(is_admin)
@require_reauthentication
def lift(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Lift all flags of the Space."""
    space = find_space(request.user, space_id).space
    form = LiftForm(request.POST)
    section = section_of_origin(request)
    if not submit(
        request, form, lambda typed: violations.lift(space.pk, typed["reason"], request.user), section=section
    ):
        return render_origin(request, space_id, lift_form=form)
    add_success(request, section, _("Lifted. {deadline}").format(deadline=kept_until(space)))
    return redirect_to_origin(request, space_id)
