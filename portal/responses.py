"""Responses that several views of one Space share."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from archive.content_access import Kind, record_access
from archive.models import Space
from archive.moderation import reviews
from portal import search_words
from portal.access import find_space
from portal.http import SignedInRequest, is_background
from portal.paging import rows_after
from portal.presenters.moderation_page import moderated_space
from portal.presenters.moderation_selection import Selection, selection
from portal.presenters.space_page import space_page

SORTED = ("newest", "listened")  # orders of the queue that a URL can name; the default is by deadline


def render_space(request: SignedInRequest, space_id: UUID, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render the page of the Space. Raises Http404, Gone: after a refused form the Space may have been deleted."""
    visible = find_space(request.user, space_id)
    page = space_page(visible, request.user)
    _record_reading(request, visible.space, page)
    return render(request, "spaces/detail.html", {**page, **context}, status=status)


def render_moderated_space(
    request: SignedInRequest, space_id: UUID, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Render the Space's page in moderation, for admins. Opening it claims the review. Raises Http404, Gone."""
    visible = find_space(request.user, space_id)
    if not request.user.is_admin:
        raise Http404
    new_page = not is_background(request)  # a refresh by a script keeps the claim of its page
    claim = reviews.claim(space_id, request.user, new_page=new_page) if request.method != "HEAD" else None
    page = moderated_space(visible, request.user, request.GET.dict(), claim)
    _record_reading(request, visible.space, page)
    return render(request, "moderation/space.html", {**page, **context}, status=status)


def render_origin(request: SignedInRequest, space_id: UUID, **context: Any) -> HttpResponse:
    """Render the page again on which a moderation action was refused, with the typed text in `context`."""
    again = render_moderated_space if "from_moderation" in request.POST else render_space
    return again(request, space_id, status=422, **context)


def redirect_to_origin(request: SignedInRequest, space_id: UUID, *, part: str = "") -> HttpResponse:
    """Redirect to the page on which a moderation action was done; on the moderation page, to this part of it."""
    if section := section_of_origin(request):
        return redirect(f"{reverse('space', args=[space_id])}#{section}")
    return _redirect_to_moderated(space_id, selection(request.GET.dict(), request.user), part)


def section_of_origin(request: SignedInRequest) -> str:
    """Return the section with the form of a moderation action; "" on the moderation page, which is visible as a
    whole."""
    return "" if "from_moderation" in request.POST else "moderation"


def redirect_to_next(request: SignedInRequest, before: Space | None = None) -> HttpResponse:
    """Claim the next Space to review after `before`, or else the first one, and redirect to it. Redirect to the queue
    if there is none."""
    kept = ("host", search_words.PARAMETER)
    query = {name: value for name, value in request.GET.dict().items() if name in kept or value in SORTED}
    asked = selection(query, request.user)
    spaces = after = asked.spaces.order_by(*asked.sort)
    if before is not None:
        after = rows_after(spaces, before, asked.columns, descending=asked.is_descending)
    space = reviews.claim_next(after, request.user) or reviews.claim_next(spaces, request.user)
    if space is not None:
        return _redirect_to_moderated(space.pk, asked)
    messages.info(request, _("Nothing is left to review here."))
    return redirect(f"{reverse('moderation')}{asked.url()}")


def with_query(request: SignedInRequest, url: str) -> str:
    """Return the URL with the query of this request, which has the place in the queue."""
    query = request.GET.urlencode()
    return f"{url}?{query}" if query else url


def _redirect_to_moderated(space_id: UUID, asked: Selection, part: str = "") -> HttpResponse:
    query, fragment = "?" if asked.query else "", "#" if part else ""
    return redirect(f"{reverse('moderate', args=[space_id])}{query}{asked.asked}{fragment}{part}")


def _record_reading(request: SignedInRequest, space: Space, page: dict[str, Any]) -> None:
    """Log that a page shows lines of the transcript: all lines, or those that a flag cites."""
    if page.get("cues") or any(flag.evidence for flag in page["violations"]):
        record_access(Kind.READ, [space], request.user)
