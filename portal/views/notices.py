"""Notices: the list, and dismissing them."""

from itertools import compress
from operator import not_
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from archive.content_access import record_access
from archive.display.flag_details import find_flag_details
from archive.models import ContentAccess, Notice
from archive.models.notice_kinds import REMINDERS
from archive.notices import visible_notices, with_superseded
from portal.forms.requests import DismissForm
from portal.http import SignedInRequest
from portal.paging import Part, page_of_parts

PAGE = 25


@require_safe
def notices(request: SignedInRequest) -> HttpResponse:
    """List all notices that are still true: first open ones about deadlines, the nearest first; then the others, open
    or not, the newest first."""
    every = with_superseded(visible_notices(request.user))
    # Only reminders have a deadline. Filtering by kind as well would make PostgreSQL expect too few rows, and read the
    # reminders of all users. Reminders are not true after their deadline, so the index scan starts at current ones.
    due = Q(deadline__gt=Now(), dismissed_at=None, superseded=False)
    soon = Part(every.filter(due), ("deadline", "id"), has_null=False)
    others = Part(every.exclude(due), ("created_at", "id"), descending=True)
    page, cursor = page_of_parts([soon, others], request.GET.get("after"), PAGE)
    flags = find_flag_details(page)
    quoted = [n.space for n in page if n.pk in flags and flags[n.pk].evidence]
    record_access(ContentAccess.Kind.READ, quoted, request.user)
    rows = [
        {"notice": n, "is_open": n.dismissed_at is None and not n.superseded, "flag": flags.get(n.pk)} for n in page
    ]
    is_due = [row["is_open"] and row["notice"].kind in REMINDERS for row in rows]
    groups = [(_("Deleted soon"), compress(rows, is_due)), (_("Other notices"), compress(rows, map(not_, is_due)))]
    context = {
        "groups": [(title, part) for title, found in groups if (part := list(found))],
        "has_due": any(is_due),
        "has_open": any(row["is_open"] for row in rows),
        "next_url": f"?after={cursor}" if cursor else None,
    }
    return render(request, "notices/list.html", context)


@require_POST
def dismiss(request: SignedInRequest, notice_id: UUID) -> HttpResponse:
    """Dismiss one notice."""
    own = Notice.objects.filter(user=request.user, pk=notice_id)
    if not own.exists():
        raise Http404
    own.filter(dismissed_at=None).update(dismissed_at=Now())
    return _remaining(request)


@require_POST
def dismiss_all(request: SignedInRequest) -> HttpResponse:
    """Dismiss all notices; from a banner, those that it summarizes."""
    rows = Notice.objects.filter(user=request.user, dismissed_at=None)
    if "notice" in request.POST:
        form = DismissForm(request.POST)
        form.full_clean()
        rows = rows.filter(pk__in=form.cleaned_data["notice"])
    rows.update(dismissed_at=Now())
    return _remaining(request)


def _remaining(request: SignedInRequest) -> HttpResponse:
    """Return the bell and the next banner for htmx; otherwise redirect to the page with the button."""
    back = request.POST.get("back", "")
    if request.htmx:
        return render(request, "notices/panel.html", {"back": back, "swaps": True})
    inside = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if inside else "notices")
