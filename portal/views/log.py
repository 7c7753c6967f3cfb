"""The retention log, for auditors (and admins)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from archive import dbtime
from archive.log import events
from archive.models import DeletionCertificate, LogEntry, Space
from portal.access import current_user
from portal.paging import page_of
from portal.presenters import clock as clock_presenter
from portal.presenters.log import log_lines

PAGE = 100
STORY = 1000  # entries of one Space that its page shows: the newest, for the end matters most


@login_required
@require_safe
@never_cache
def log(request: HttpRequest) -> HttpResponse:
    """All entries, the newest first; filters by event, Space and day (UTC)."""
    _require_reader(request)
    values = {name: request.GET.get(name, "").strip() for name in ("event", "space", "since", "until")}
    entries, problems = _filtered(LogEntry.objects.all(), values)
    page, cursor = page_of(entries, request.GET.get("after"), ("at", "id"), PAGE, descending=True)
    asked = {name: value for name, value in values.items() if value}
    context = {
        "entries": log_lines(page),
        "events": sorted(((event, str(event.label)) for event in events.EVENTS.values()), key=lambda pair: pair[1]),
        "values": values,
        "problems": problems,
        "next_url": f"?{urlencode({**asked, 'after': cursor})}" if cursor else None,
    }
    return render(request, "log/list.html", context)


@login_required
@require_safe
@never_cache
def log_space(request: HttpRequest, space_id: UUID) -> HttpResponse:
    """The story of one Space, also of one that no longer exists."""
    _require_reader(request)
    newest = LogEntry.objects.filter(space_id=space_id).order_by("-id")[:STORY]
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


def _require_reader(request: HttpRequest) -> None:
    user = current_user(request)
    if not (user.is_auditor or user.is_admin):
        raise Http404


def _filtered(entries: QuerySet[LogEntry], values: dict[str, str]) -> tuple[QuerySet[LogEntry], list[str]]:
    problems: list[str] = []
    if values["event"] in events.EVENTS:
        entries = entries.filter(event=values["event"])
    elif values["event"]:
        problems.append(f"“{values['event']}” is nothing that the log knows, so it was left out.")
    if values["space"]:
        try:
            entries = entries.filter(space_id=UUID(values["space"]))
        except ValueError:
            problems.append(f"“{values['space']}” is not a Space's id, so it was left out.")
    for name, lookup, shift in (("since", "at__gte", 0), ("until", "at__lt", 1)):
        if values[name]:
            try:
                day: Any = datetime.strptime(values[name], "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=shift)
                entries = entries.filter(**{lookup: day})
            except (ValueError, OverflowError):
                problems.append(f"“{values[name]}” is not a day such as 2026-11-22, so it was left out.")
    return entries, problems
