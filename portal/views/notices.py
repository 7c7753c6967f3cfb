"""Notices: the list, and dismissing them."""

from uuid import UUID

from django.db.models.functions import Now
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from archive.models import Notice
from archive.notices import visible_notices
from portal.http import SignedInRequest
from portal.paging import page_of

PAGE = 25


@require_safe
def notices(request: SignedInRequest) -> HttpResponse:
    """All notices that are still true, the newest first, dismissed or not."""
    after = request.GET.get("after")
    page, cursor = page_of(visible_notices(request.user), after, ("created_at", "id"), PAGE, descending=True)
    context = {
        "rows": page,
        "unseen": any(notice.dismissed_at is None for notice in page),
        "next_url": f"?after={cursor}" if cursor else None,
    }
    return render(request, "notices/list.html", context)


@require_POST
def dismiss(request: SignedInRequest, notice_id: UUID) -> HttpResponse:
    """Dismiss one notice; the next one takes its place."""
    own = Notice.objects.filter(user=request.user, pk=notice_id)
    if not own.exists():
        raise Http404
    own.filter(dismissed_at=None).update(dismissed_at=Now())
    return _remaining(request)


@require_POST
def dismiss_all(request: SignedInRequest) -> HttpResponse:
    Notice.objects.filter(user=request.user, dismissed_at=None).update(dismissed_at=Now())
    return _remaining(request)


def _remaining(request: SignedInRequest) -> HttpResponse:
    """The remaining notices for htmx; else a redirect to the page on which the button was."""
    back = request.POST.get("back", "")
    if request.htmx:
        return render(request, "notices/panel.html", {"back": back})
    inside = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if inside else "notices")
