"""Answers that several views of one Space share."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from archive.content_access import Kind, record_access
from archive.models import Space
from portal.access import find_space
from portal.http import SignedInRequest
from portal.presenters.moderation_page import moderated_space
from portal.presenters.moderation_queue import ASKED
from portal.presenters.space_page import space_page


def render_space(request: SignedInRequest, space_id: UUID, *, status: int = 200, **context: Any) -> HttpResponse:
    """The page of the Space. Raises Http404, Gone: after a refused form the Space may be gone by now."""
    visible = find_space(request.user, space_id)
    page = space_page(visible, request.user)
    _record_reading(request, visible.space, page)
    return render(request, "spaces/detail.html", {**page, **context}, status=status)


def render_moderated_space(
    request: SignedInRequest, space_id: UUID, *, status: int = 200, **context: Any
) -> HttpResponse:
    """The Space's page in moderation, for admins. Raises Http404, Gone."""
    visible = find_space(request.user, space_id)
    if not request.user.is_admin:
        raise Http404
    page = moderated_space(visible, request.user, request.GET.dict())
    _record_reading(request, visible.space, page)
    return render(request, "moderation/space.html", {**page, **context}, status=status)


def render_origin(request: SignedInRequest, space_id: UUID, **context: Any) -> HttpResponse:
    """The page that an act of moderation was refused on, again: with what was typed, as `context`."""
    again = render_moderated_space if "from_moderation" in request.POST else render_space
    return again(request, space_id, status=422, **context)


def redirect_to_origin(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Redirect to the page on which an act of moderation was done."""
    if "from_moderation" not in request.POST:
        return redirect("space", space_id)
    query = urlencode({name: request.GET[name] for name in ASKED if request.GET.get(name)})
    return redirect(f"{reverse('moderate', args=[space_id])}{'?' if query else ''}{query}")


def _record_reading(request: SignedInRequest, space: Space, page: dict[str, Any]) -> None:
    """Log that a page has lines of the transcript: all of it, or those that a flag cites."""
    if page.get("cues") or any(flag.evidence for flag in page["violations"]):
        record_access(Kind.READ, [space], request.user)
