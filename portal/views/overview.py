"""The auditors' overview: whether deletions were on time, in a period and now."""

from datetime import UTC
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from archive import dbtime, policy
from archive.audit import overview as auditing
from archive.audit.days import first_day, list_days
from archive.audit.find import MAX_COUNTED, find_page
from archive.audit.log_filter import LogFilter
from archive.errors import Refused
from archive.log import events
from archive.log.groups import Choice
from portal.access import may_read_log, only
from portal.forms.period import PeriodForm
from portal.http import SignedInRequest
from portal.presenters.charts import begin_line, count_charts, delay_chart
from portal.presenters.log_filters import read_number
from portal.presenters.transparency import proof_state

PAGE = 50


@require_safe
@only(may_read_log)
def overview(request: SignedInRequest) -> HttpResponse:
    """Show compliance, the state of the log's proof, charts by day, and the deletions of a period."""
    now = dbtime.now()
    form = PeriodForm(request.GET, now.astimezone(UTC).date())
    context: dict[str, Any] = {"now": now, "limit_minutes": int(policy.MAX_DELETION_DELAY.total_seconds() // 60)}
    if form.is_valid():
        try:
            context |= _period(request, form)
        except Refused as error:
            form.add_error(None, str(error))
    context |= {"form": form, "values": form.values, "problems": form.problems, "proof": proof_state()}
    return render(request, "log/overview.html", context)


def _period(request: SignedInRequest, form: PeriodForm) -> dict[str, Any]:
    first, last = form.period
    days = list_days(first, last)
    begins = first_day()
    since, until = auditing.day_bounds(first, last)
    wanted = LogFilter((Choice(events.SPACE_DELETED),), since=since, until=until)
    numbers = {name: read_number(request.GET.get(name)) for name in ("after", "before")}
    page = find_page(wanted, PAGE, **numbers)
    late = auditing.list_late(days)

    def url(**more: object) -> str:
        return f"?{urlencode({**form.values, **more})}#deletions"

    return {
        "first": first,
        "last": last,
        "table": days,
        "log_begins": begins if begins and begins > first else None,
        "begins_x": begin_line(days, begins),
        "card": auditing.compliance(days, dbtime.now()),
        "most_counted": MAX_COUNTED,
        "charts": count_charts(days),
        "delays": delay_chart(days),
        "late": late[: auditing.MAX_LATE],
        "is_late_cut": len(late) > auditing.MAX_LATE,
        "deletions": auditing.describe_deletions(page.entries),
        "newer_url": url(before=page.entries[0].pk) if page.has_newer and page.entries else None,
        "older_url": url(after=page.entries[-1].pk) if page.has_older else None,
    }
