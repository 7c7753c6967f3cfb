"""What people were told: the list, and putting a note away."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from archive.models import Notice
from archive.notices import visible_notices
from portal.access import current_user
from portal.paging import page_of

PAGE = 25


@login_required
@require_safe
@never_cache
def notices(request: HttpRequest) -> HttpResponse:
    """All that still hold, the newest first, seen or not."""
    after = request.GET.get("after")
    page, cursor = page_of(visible_notices(current_user(request)), after, ("created_at", "id"), PAGE, descending=True)
    context = {
        "rows": page,
        "unseen": any(notice.dismissed_at is None for notice in page),
        "next_url": f"?after={cursor}" if cursor else None,
    }
    return render(request, "notices/list.html", context)


@login_required
@require_POST
def dismiss(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Put one note away; the next one takes its place."""
    mine = Notice.objects.filter(user=current_user(request), pk=notice_id)
    if not mine.exists():
        raise Http404
    mine.filter(dismissed_at=None).update(dismissed_at=Now())
    return _back(request)


@login_required
@require_POST
def dismiss_all(request: HttpRequest) -> HttpResponse:
    Notice.objects.filter(user=current_user(request), dismissed_at=None).update(dismissed_at=Now())
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """The notes that are left, for htmx; else the page on which the button was."""
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "notices/panel.html", {"back": request.POST.get("back", "")})
    back = request.POST.get("back", "")
    inside = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if inside else "notices")
