"""The retention log, for auditors and admins."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from archive import dbtime
from archive.audit import saved_views
from archive.audit.find import MAX_COUNTED, count_entries, find_page, limited_search
from archive.errors import Refused
from archive.formatting import format_number
from archive.log.events import EVENTS
from archive.models import DeletionCertificate, LogEntry, Space
from portal.access import may_read_log, only
from portal.forms.log import ROLES, LogFilterForm, list_rule_codes
from portal.http import SignedInRequest
from portal.presenters import clock as clock_presenter
from portal.presenters.log import log_lines
from portal.presenters.log_filters import event_groups, read_number

PAGE = 100
MAX_HISTORY = 1000  # entries on the page of one Space: the newest ones, which matter most


@require_safe
@only(may_read_log)
def log(request: SignedInRequest) -> HttpResponse:
    """List entries, the newest first; the URL has all filters. An invalid filter shows its error and no entries."""
    form = LogFilterForm(request.GET)
    context: dict[str, Any] = {"form": form, "values": form.values, "chosen": form.chosen}
    if form.is_valid():
        try:
            context |= _page(form, read_number(request.GET.get("after")), read_number(request.GET.get("before")))
        except Refused as error:
            form.add_error(None, str(error))
    context |= {
        "problems": form.problems,
        "is_filtered": bool(form.typed_lists),
        "chosen_labels": form.chosen_labels,
        "groups": event_groups(form.chosen),
        "has_chosen_events": any(name in EVENTS for name in form.chosen),
        "roles": ROLES,
        "rules": list_rule_codes(),
        "described": form.described(),
        "views": saved_views.list_views(request.user),
        "query": form.url(),
        "now": dbtime.now(),
    }
    return render(request, "log/list.html", context)


def _page(form: LogFilterForm, after: int | None, before: int | None) -> dict[str, Any]:
    with limited_search():
        page = find_page(form.wanted, PAGE, after=after, before=before)
        count = count_entries(form.wanted)
    lines = log_lines(page.entries)
    return {
        "entries": lines,
        "has_commands": any(entry.actor_kind == "command" for entry in page.entries),
        "count": format_number(min(count, MAX_COUNTED)),
        "is_one": count == 1,
        "is_more": count > MAX_COUNTED,
        "is_part": page.has_newer or page.has_older,
        "newer_url": form.url(before=lines[0].number) if page.has_newer and lines else None,
        "newest_url": form.url() if page.has_newer else None,
        "older_url": form.url(after=lines[-1].number) if page.has_older else None,
    }


@require_safe
@only(may_read_log)
def log_space(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Show the history of one Space, even of a deleted one."""
    newest = LogEntry.objects.filter(space_id=space_id).order_by("-at", "-id")[:MAX_HISTORY]
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
        "has_commands": any(entry.actor_kind == "command" for entry in entries),
        "now": dbtime.now(),
        "certified": DeletionCertificate.objects.filter(pk=space_id).exists(),
    }
    return render(request, "log/space.html", context)
