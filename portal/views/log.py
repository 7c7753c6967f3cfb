"""The retention log, for auditors and admins."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from archive import dbtime
from archive.models import DeletionCertificate, LogEntry, Space
from portal.access import may_read_log, only
from portal.forms.lists import LogFilterForm, event_labels
from portal.http import SignedInRequest
from portal.paging import page_of
from portal.presenters import clock as clock_presenter
from portal.presenters.log import log_lines

PAGE = 100
MAX_HISTORY = 1000  # entries on the page of one Space: the newest, for the end matters most


@require_safe
@only(may_read_log)
def log(request: SignedInRequest) -> HttpResponse:
    """All entries, the newest first; filters by event, Space and day (in the reader's time zone)."""
    form = LogFilterForm(request.GET)
    entries = LogEntry.objects.filter(**form.lookups) if form.is_valid() else LogEntry.objects.none()
    page, cursor = page_of(entries, request.GET.get("after"), ("at", "id"), PAGE, descending=True)
    context = {
        "entries": log_lines(page),
        "events": sorted(event_labels(), key=lambda pair: pair[1]),
        "values": form.typed,
        "form": form,
        "problems": form.problems,
        "next_url": f"?{urlencode({**form.typed, 'after': cursor})}" if cursor else None,
    }
    return render(request, "log/list.html", context)


@require_safe
@only(may_read_log)
def log_space(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """The history of one Space, also of one that was deleted."""
    newest = LogEntry.objects.filter(space_id=space_id).order_by("-id")[:MAX_HISTORY]
    entries = list(reversed(newest))
    space = Space.objects.filter(pk=space_id).first()
    if not entries and space is None:
        raise Http404
    face = clock_presenter.clock_face(space, dbtime.now()) if space else None
    context = {
        "space_id": space_id,
        "space": space,
        "face": face,
        "entries": log_lines(entries),
        "certified": DeletionCertificate.objects.filter(pk=space_id).exists(),
    }
    return render(request, "log/space.html", context)
