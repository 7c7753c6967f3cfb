"""Search in the transcripts of all Spaces that the user may read."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from archive.content_access import Kind, record_access
from archive.errors import Refused
from archive.formatting import format_duration
from archive.models import Space
from archive.search import FoundLine, FoundSpace, search_lines
from portal import search_words
from portal.access import may_have_content, only
from portal.forms.lists import SearchForm
from portal.http import SignedInRequest
from portal.limits import count_request


@require_http_methods(["GET", "HEAD", "POST"])
@only(may_have_content)
def search(request: SignedInRequest) -> HttpResponse:
    """POST: redirect to the results. GET: the best Spaces first, each with its best lines; the URL has the words
    encrypted."""
    if request.method == "POST":
        form = SearchForm(request.POST)
        if not form.is_valid():
            return _page(request, form, status=422)
        return redirect(f"{reverse('search')}{_query(form.cleaned_data['q'], request)}")
    try:
        form = SearchForm({"q": search_words.decrypt(request.GET, request.user), "page": request.GET.get("page")})
    except Refused as error:
        return _page(request, SearchForm({}), problem=str(error))
    is_query = form.is_valid() and bool(form.cleaned_data["q"])
    if is_query:
        count_request(request, "search")
    try:
        results = _results(request, form) if is_query else {}
    except Refused as error:
        form.add_error("q", str(error))
        results = {}
    return _page(request, form, **results)


def _page(request: SignedInRequest, form: SearchForm, status: int = 200, **results: Any) -> HttpResponse:
    context = {"typed": form.typed, "of_all": request.user.is_admin, "form": form, **results}
    if form.problems:
        context["problem"] = form.problems[0]
    return render(request, "search/results.html", context, status=status)


def _query(words: str, request: SignedInRequest, **more: Any) -> str:
    """The query string of the results for `words`."""
    if not words:
        return ""
    return f"?{urlencode({search_words.PARAMETER: search_words.encrypt(words, request.user), **more})}"


def _results(request: SignedInRequest, form: SearchForm) -> dict[str, Any]:
    """Raises Refused."""
    typed = form.cleaned_data["q"]
    found = search_lines(Space.objects.readable_by(request.user), typed, form.cleaned_data["page"])
    record_access(Kind.FOUND, [row.space for row in found.spaces], request.user)
    results: dict[str, Any] = {"found": found, "rows": [_row(space, typed) for space in found.spaces]}
    # PostgreSQL's configurations are named by languages, whose names Django's catalogs have.
    results["languages"] = ", ".join(gettext(name.capitalize()) for name in found.common)
    results["first_url"] = _query(typed, request)
    if found.next_page:
        results["next_url"] = _query(typed, request, page=found.next_page)
    return results


def _row(found: FoundSpace, typed: str) -> dict[str, Any]:
    page = reverse("space", args=[found.space.pk])
    return {
        "space": found.space,
        "url": page,
        "lines": [_line(line, found.space.pk) for line in found.lines],
        "more": found.more,
        "more_url": f"{page}#{urlencode({'find': typed})}",  # a fragment: browsers do not send it
    }


def _line(line: FoundLine, space_id: UUID) -> dict[str, Any]:
    seconds = line.start_ms / 1000
    return {
        "stamp": format_duration(seconds),
        "url": f"{reverse('space', args=[space_id])}?t={seconds:.12g}",
        "speaker": line.speaker,
        "pieces": line.pieces,
    }
