"""Files for auditors: the entries of a view of the log, the deletions of a period, the effect of another policy.

Files are streamed, so they may have any length. Each download is logged.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from archive import dbtime
from archive.audit import overview
from archive.audit.export import csv_lines, in_chunks, json_lines, record_export
from archive.audit.find import all_entries
from archive.audit.log_filter import LogFilter
from archive.log import events, rfc3339
from archive.log.groups import Choice
from archive.models import current_policy
from archive.retention.simulate import simulate
from portal.access import may_read_log, only
from portal.forms.base import PortalForm
from portal.forms.log import LogFilterForm
from portal.forms.period import PeriodForm
from portal.forms.simulation import PolicyForm
from portal.http import SignedInRequest
from portal.presenters import log_rows

TYPES = {"csv": "text/csv; charset=utf-8; header=present", "jsonl": "application/jsonl; charset=utf-8"}


@require_safe
@only(may_read_log)
def entries(request: SignedInRequest, ending: str) -> HttpResponseBase:
    """Stream the entries of a view of the log, the newest first."""
    form = LogFilterForm(request.GET)
    if refused := _check(form, ending):
        return refused
    record_export(request.user, "entries", ending, **form.as_codes())
    found = all_entries(form.wanted, dbtime.now())
    if ending == "csv":
        return _file(csv_lines(log_rows.ENTRY_COLUMNS, log_rows.entry_cells(found)), ending, "log")
    return _file(json_lines(log_rows.entry_as_json(entry) for entry in found), ending, "log")


@require_safe
@only(may_read_log)
def deletions(request: SignedInRequest, ending: str) -> HttpResponseBase:
    """Stream the deletions of a period, the newest first."""
    now = dbtime.now()
    form = PeriodForm(request.GET, now.astimezone(UTC).date())
    if refused := _check(form, ending):
        return refused
    first, last = form.period
    since, until = overview.day_bounds(first, last)
    record_export(request.user, "deletions", ending, since=first.isoformat(), until=last.isoformat())
    wanted = LogFilter((Choice(events.SPACE_DELETED),), since=since, until=until)
    rows = (log_rows.deletion_as_json(one) for one in overview.each_deletion(all_entries(wanted, now)))
    return _table(rows, log_rows.DELETION_COLUMNS, ending, f"deletions-{first}-{last}")


@require_safe
@only(may_read_log)
def simulation(request: SignedInRequest, ending: str) -> HttpResponseBase:
    """Stream all Spaces whose deadline another policy would move, the nearest deadline first."""
    form = PolicyForm.of_query(request.GET, current_policy())
    if not form.is_bound:
        raise Http404
    if refused := _check(form, ending):
        return refused
    record_export(request.user, "simulation", ending, **vars(form.policy))
    rows = (
        {
            "space": str(one.id),
            "host": one.host_id,
            "deadline": rfc3339(one.before),
            "would_be": rfc3339(one.after),
            "change": "at once" if one.at_once else "later" if one.longer else "earlier",
        }
        for one in simulate(form.policy)
    )
    return _table(rows, log_rows.SIMULATION_COLUMNS, ending, "simulation")


def _check(form: PortalForm, ending: str) -> HttpResponse | None:
    """Return an error response if a filter is invalid, else None. Raises Http404 for an unknown format."""
    if ending not in TYPES:
        raise Http404
    if form.is_valid():
        return None
    return HttpResponse("\n".join(form.problems) + "\n", content_type="text/plain; charset=utf-8", status=422)


def _table(rows: Iterable[dict[str, Any]], columns: tuple[str, ...], ending: str, name: str) -> StreamingHttpResponse:
    if ending == "csv":
        return _file(csv_lines(columns, (list(row.values()) for row in rows)), ending, name)
    return _file(json_lines(rows), ending, name)


def _file(lines: Iterator[str], ending: str, name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
    return StreamingHttpResponse(in_chunks(lines), content_type=TYPES[ending], headers=headers)
