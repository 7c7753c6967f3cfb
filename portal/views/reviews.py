"""Reviews in the moderation queue: the next Space, "no violation", and the claim of an open page."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from archive.errors import Refused
from archive.moderation import reviews
from portal.access import find_space, is_admin, only
from portal.http import SignedInRequest
from portal.presenters.moderation_page import link_back
from portal.responses import redirect_to_next, render_moderated_space, with_query
from portal.submissions import once
from portal.undoable import add_undoable


@require_POST
@only(is_admin)
def review_next(request: SignedInRequest) -> HttpResponse:
    """Claim the first Space of the queue that no other admin is reviewing, and open it."""
    return redirect_to_next(request)


@require_POST
@only(is_admin)
def review(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Record that the Space has no violation, and open the next one."""
    space = find_space(request.user, space_id).space
    try:
        with once(request) as is_first:
            if is_first:
                reviews.review(space_id, request.user)
    except Refused as error:
        messages.error(request, str(error))
        return render_moderated_space(request, space_id, status=422)
    undo = reverse("review-undo", args=[space_id])
    add_undoable(request, format_html(_("“{title}”: no violation."), title=link_back(space)), with_query(request, undo))
    return redirect_to_next(request, space)


@require_POST
@only(is_admin)
def undo(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Undo the admin's own review, and open the Space again."""
    space = find_space(request.user, space_id).space
    try:
        reviews.undo_review(space_id, request.user)
    except Refused as error:
        messages.error(request, str(error))
        return render_moderated_space(request, space_id, status=422)
    messages.success(request, format_html(_("“<bdi>{title}</bdi>” is back in the queue."), title=space))
    return redirect(with_query(request, reverse("moderate", args=[space_id])))


@require_POST
@only(is_admin)
def claim(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Renew the claim of an open page (409 if another admin has it, or the Space was reviewed); with `release`, end the
    claim of the page with this number."""
    find_space(request.user, space_id)
    release = request.POST.get("release", "")
    if release:
        if release.isascii() and release.isdigit() and len(release) < 19:
            reviews.release_claim(space_id, request.user, int(release))
        return HttpResponse(status=204)
    held = reviews.claim(space_id, request.user, new_page=False)
    return HttpResponse(status=204 if held else 409)
