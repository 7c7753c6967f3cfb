"""The list of Spaces, and the page of one."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from archive import dbtime, notices, search
from archive.errors import Refused
from portal import search_words
from portal.forms.lists import SearchForm, SpaceListForm
from portal.http import SignedInRequest, is_background
from portal.limits import count_request
from portal.presenters.space_list import ListQuery, SpaceList, space_list
from portal.responses import render_space


@require_http_methods(["GET", "HEAD", "POST"])
def spaces(request: SignedInRequest) -> HttpResponse:
    """GET lists the Spaces, the nearest deadline first; deleted ones only with their filter. POST takes words to filter
    by, and redirects to a URL that contains them encrypted."""
    form = SpaceListForm(request.GET)
    chosen = ListQuery(*form.chosen)
    if request.method == "POST":
        words = SearchForm(request.POST)
        if not words.is_valid():
            return _page(request, chosen, words.typed, words.problems, status=422)
        query = ListQuery(chosen.filter, chosen.sort, words.cleaned_data["q"])
        return redirect(f"{reverse('spaces')}{query.url(request.user)}")
    try:
        typed = search_words.decrypt(request.GET, request.user)
    except Refused as error:
        return _page(request, chosen, "", [*form.problems, str(error)])
    return _page(request, chosen, typed, form.problems)


def _page(
    request: SignedInRequest, query: ListQuery, typed: str, problems: list[str], status: int = 200
) -> HttpResponse:
    user, now = request.user, dbtime.now()
    if typed and not problems:
        count_request(request, "search")
        try:
            with search.limited_time():
                query = ListQuery(query.filter, query.sort, typed)
                listed = space_list(user, query, request.GET.get("after"), now)
        except Refused as error:
            problems = [str(error)]
    if problems or not typed:
        listed = space_list(user, ListQuery(query.filter, query.sort), request.GET.get("after"), now)
    return render(request, "spaces/list.html", _context(request, query, typed, listed, problems), status=status)


def _context(
    request: SignedInRequest, query: ListQuery, typed: str, listed: SpaceList, problems: list[str]
) -> dict[str, Any]:
    user = request.user
    rows = [] if problems else listed.rows
    return {
        "view": "admin" if user.is_admin else "auditor" if user.is_auditor else "host",
        "filter": query.filter,
        "list": listed,
        "rows": rows,
        "has_actions": bool(rows or typed or query.filter != "all"),  # an empty archive offers them below
        "next_url": None if problems else listed.next_url,
        "problems": problems,
        "typed": typed,
        "box_url": query.url(user),
        "form": SearchForm({"q": typed}),
    }


@require_safe
def space(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Show one Space. Opening the page dismisses the notices about it; a refresh by a script does not."""
    if request.method == "GET" and not is_background(request):
        notices.retire(request.user, [space_id])
    return render_space(request, space_id)
