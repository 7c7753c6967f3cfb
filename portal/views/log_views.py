"""Saved views of the log."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from archive.audit import saved_views
from archive.errors import Refused
from portal.access import may_read_log, only
from portal.forms.log import LogFilterForm, SavedViewForm
from portal.http import SignedInRequest


@require_POST
@only(may_read_log)
def save(request: SignedInRequest) -> HttpResponse:
    """Save the filters of the page under a name; an existing view of this name is replaced."""
    form = SavedViewForm(request.POST)
    query = QueryDict(request.POST.get("query", "").removeprefix("?"))
    filters = LogFilterForm(query)
    if not form.is_valid() or not filters.is_valid():
        for problem in [*form.problems, *filters.problems]:
            messages.error(request, problem)
        return redirect(f"{reverse('log')}?{urlencode(query, doseq=True)}")
    url = filters.url_without_names()
    try:
        saved_views.save(request.user, form.cleaned_data["name"], url)
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The view was saved."))
    return redirect(f"{reverse('log')}{url}")


@require_POST
@only(may_read_log)
def delete(request: SignedInRequest, view_id: int) -> HttpResponse:
    """Delete one of the user's own views. Deleting a missing one succeeds."""
    saved_views.delete(request.user, view_id)
    messages.success(request, _("The saved view was deleted."))
    return redirect("log")
