"""Search over the transcripts of all Spaces that somebody may read."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from archive import search as lines
from archive.errors import Refused
from archive.formatting import format_duration
from archive.search import FoundLine, FoundSpace
from portal.access import current_user, readable

MOST_PAGES = 1000


@login_required
@require_safe
@never_cache
def search(request: HttpRequest) -> HttpResponse:
    """The best Spaces first, each with its best lines. Auditors may not read content: nothing is here for them."""
    user = current_user(request)
    if user.is_auditor and not user.is_admin:
        raise Http404
    typed = request.GET.get("q", "").strip()
    context: dict[str, Any] = {"typed": typed, "of_all": user.is_admin}
    if typed:
        try:
            found = lines.search_lines(readable(user), typed, _page(request))
        except Refused as refused:
            context["problem"] = str(refused)
        else:
            context |= {"found": found, "rows": [_row(space, typed) for space in found.spaces]}
            context["languages"] = ", ".join(name.capitalize() for name in found.common)
            if found.next_page:
                context["next_url"] = f"?{urlencode({'q': typed, 'page': found.next_page})}"
    return render(request, "search/results.html", context)


def _page(request: HttpRequest) -> int:
    number = request.GET.get("page", "")
    return min(max(int(number), 1), MOST_PAGES) if number.isascii() and number.isdigit() and len(number) < 9 else 1


def _row(found: FoundSpace, typed: str) -> dict[str, Any]:
    page = reverse("space", args=[found.space.pk])
    return {
        "space": found.space,
        "url": page,
        "lines": [_line(line, found.space.pk) for line in found.lines],
        "more": found.more,
        "more_url": f"{page}?{urlencode({'find': typed})}#transcript-title",
    }


def _line(line: FoundLine, space_id: UUID) -> dict[str, Any]:
    seconds = line.start_ms / 1000
    return {
        "stamp": format_duration(int(seconds)),
        "url": f"{reverse('space', args=[space_id])}?t={seconds:.12g}",
        "speaker": line.speaker,
        "pieces": line.pieces,
    }
