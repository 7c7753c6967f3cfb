"""Search in the transcripts of all Spaces that the user may read."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from archive.content_access import Kind, record_access
from archive.errors import Refused
from archive.formatting import format_duration
from archive.models import Space
from archive.search import FoundLine, FoundSpace, search_lines
from portal.access import may_have_content, only
from portal.forms.lists import SearchForm
from portal.http import SignedInRequest


@require_safe
@only(may_have_content)
def search(request: SignedInRequest) -> HttpResponse:
    """The best Spaces first, each with its best lines."""
    form = SearchForm(request.GET)
    try:
        results = _results(request, form) if form.is_valid() and form.cleaned_data["q"] else {}
    except Refused as error:
        form.add_error("q", str(error))
        results = {}
    context = {"typed": form.typed, "of_all": request.user.is_admin, "form": form, **results}
    if form.problems:
        context["problem"] = form.problems[0]
    return render(request, "search/results.html", context)


def _results(request: SignedInRequest, form: SearchForm) -> dict[str, Any]:
    """Raises Refused."""
    typed = form.cleaned_data["q"]
    found = search_lines(Space.objects.readable_by(request.user), typed, form.cleaned_data["page"])
    record_access(Kind.FOUND, [row.space for row in found.spaces], request.user)
    results: dict[str, Any] = {"found": found, "rows": [_row(space, typed) for space in found.spaces]}
    # PostgreSQL's configurations are named by languages, whose names Django's catalogs have.
    results["languages"] = ", ".join(gettext(name.capitalize()) for name in found.common)
    if found.next_page:
        results["next_url"] = f"?{urlencode({'q': typed, 'page': found.next_page})}"
    return results


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
        "stamp": format_duration(seconds),
        "url": f"{reverse('space', args=[space_id])}?t={seconds:.12g}",
        "speaker": line.speaker,
        "pieces": line.pieces,
    }
