"""Search Spaces by names and ids, and by spoken words in those that the user may read."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from archive import dbtime
from archive.content_access import Kind, record_access
from archive.errors import Refused
from archive.formatting import format_duration
from archive.models import Space
from archive.search import FoundLine, FoundSpace, find_spaces, limited_time, search_lines
from portal import search_words
from portal.access import may_have_content
from portal.forms.lists import SearchForm
from portal.http import SignedInRequest
from portal.limits import count_request
from portal.presenters.space_list import find_deleted
from portal.presenters.space_rows import read_rows, space_rows

NEWEST = ("-ended_at", "-id")
MAX_NAMED = 5  # Spaces shown above the spoken words; the list has all of them


@require_http_methods(["GET", "HEAD", "POST"])
def search(request: SignedInRequest) -> HttpResponse:
    """POST redirects to the results. GET shows Spaces with matching names, then the best transcripts, each with its
    best lines; auditors see no lines. The URL contains the words encrypted."""
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
    results: dict[str, Any] = {}
    if is_query:
        typed, page = form.cleaned_data["q"], form.cleaned_data["page"]
        for find in (_spoken, _named):
            try:
                results |= find(request, typed, page)
            except Refused as error:
                form.add_error("q", str(error))
    return _page(request, form, **results)


def _page(request: SignedInRequest, form: SearchForm, status: int = 200, **results: Any) -> HttpResponse:
    user = request.user
    context = {"typed": form.typed, "of_all": user.is_admin, "reads": may_have_content(user), "form": form, **results}
    if form.problems:
        context["problem"] = form.problems[0]
    return render(request, "search/results.html", context, status=status)


def _query(words: str, request: SignedInRequest, **more: Any) -> str:
    """The query string of the results for `words`."""
    if not words:
        return ""
    return f"?{urlencode({search_words.PARAMETER: search_words.encrypt(words, request.user), **more})}"


def _named(request: SignedInRequest, typed: str, page: int) -> dict[str, Any]:
    """Find Spaces with matching names, the latest first, for the first page. Raises Refused."""
    if page > 1:
        return {}
    user, now = request.user, dbtime.now()
    with limited_time():
        found = find_spaces(Space.objects.listed_for(user).kept(now), typed, user, NEWEST)
        if found.known_to is None or len(found.first) > MAX_NAMED:
            first = [pk for _, pk in found.first[: MAX_NAMED + 1]]
        else:
            first = list(found.rows.order_by(*NEWEST).values_list("pk", flat=True)[: MAX_NAMED + 1])
    words = {search_words.PARAMETER: search_words.encrypt(typed, user)}
    return {
        "named": space_rows(read_rows(first[:MAX_NAMED], user), user, now),
        "some_named": found.is_cut,
        "deleted": find_deleted(user, typed, now),
        "list_url": f"{reverse('spaces')}?{urlencode(words)}" if len(first) > MAX_NAMED else None,
        "view": "admin" if user.is_admin else "auditor" if user.is_auditor else "host",
    }


def _spoken(request: SignedInRequest, typed: str, page: int) -> dict[str, Any]:
    """Find spoken words, for users who may read them. Raises Refused."""
    if not may_have_content(request.user):
        return {}
    user = request.user
    found = search_lines(Space.objects.readable_by(user), typed, page, host=None if user.is_admin else user)
    record_access(Kind.FOUND, [row.space for row in found.spaces], request.user)
    results: dict[str, Any] = {"found": found, "rows": [_row(space, typed) for space in found.spaces]}
    # PostgreSQL's configurations are named after languages, whose names are in Django's catalogs.
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
        "url": f"{reverse('space', args=[space_id])}?t={seconds:.12g}{search_words.find_fragment(line.pieces)}",
        "speaker": line.speaker,
        "pieces": line.pieces,
    }
