"""All Spaces of a host at once: asking, and watching the parts become ready."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from archive import dbtime, tasks
from archive.bundles import exports, maintain
from archive.errors import Refused
from archive.models import Export, ExportPart, Space, User
from portal.access import current_user
from portal.views.downloads import download_path


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def export(request: HttpRequest) -> HttpResponse:
    """GET: what could be had, and the parts as they stand (htmx asks again while they are being prepared). POST: ask
    for all, in parts of the chosen size."""
    user = current_user(request)
    if request.method == "POST":
        try:
            made = exports.request(user, _chosen(request))
            for pk in exports.pending_parts(made):
                tasks.wake(tasks.build_export_part, pk)
        except Refused as error:
            messages.error(request, f"{error} Nothing was lost.")
        return redirect("export")
    part = request.htmx  # type: ignore[attr-defined]
    return render(request, "export/parts.html" if part else "export/page.html", _context(user, part=bool(part)))


def _chosen(request: HttpRequest) -> int:
    """Raises Refused."""
    typed = request.POST.get("max_part_size", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 15 else 0


def _context(user: User, *, part: bool) -> dict[str, Any]:
    last = exports.newest(user)
    export_parts = [_export_part(export_part, user) for export_part in exports.visible_parts(last)] if last else []
    context: dict[str, Any] = {
        "export": last,
        "parts": export_parts,
        "polling": any(export_part["working"] for export_part in export_parts),
    }
    if not part:
        found = exports.shares(user)
        context |= {
            "count": len(found),
            "choices": [_choice(size, label, found) for size, label in Export.Size.choices],
        }
    return context


def _choice(size: int, label: str, found: list[exports.SizedSpace]) -> dict[str, Any]:
    packed = exports.packed(found, size)
    larger = [export_part for export_part in packed if sum(share.size for share in export_part) > size]
    return {"value": size, "label": label, "parts": len(packed), "larger": len(larger)}


def _export_part(export_part: ExportPart, user: User) -> dict[str, Any]:
    now = dbtime.now()
    inside: list[Space] = []
    expired: list[Space] = []
    for place in export_part.places.all():
        gone = place.excluded or place.space.is_gone(now)
        (expired if gone else inside).append(place.space)
    ready = (
        export_part.state == ExportPart.State.READY
        and bool(inside)
        and not any(place.space.is_gone(now) for place in export_part.places.all() if not place.excluded)
    )
    return {
        "row": export_part,
        "inside": inside,
        "expired": expired,
        "ready": ready,
        "working": export_part.state in ExportPart.AT_WORK or maintain.is_to_be_proven(export_part),
        "until": min((space.expires_at for space in inside if space.expires_at), default=None),
        "url": f"{settings.SITE_URL}{download_path(export_part, user)}" if ready else None,
    }
