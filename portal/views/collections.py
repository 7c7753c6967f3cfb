"""All Spaces of a host at once: asking, and watching the volumes become ready."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from archive import clock, tasks
from archive.bundles import collect, upkeep
from archive.errors import Refused
from archive.models import Collection, Space, User, Volume
from portal.access import current_user
from portal.views.packages import package_path


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def collection(request: HttpRequest) -> HttpResponse:
    """GET: what could be had, and the volumes as they stand (htmx asks again while they are being prepared). POST: ask
    for all, in volumes of the chosen size."""
    user = current_user(request)
    if request.method == "POST":
        try:
            made = collect.request(user, _chosen(request))
            for pk in collect.waiting(made):
                tasks.wake(tasks.build_volume, pk)
        except Refused as error:
            messages.error(request, f"{error} Nothing was lost.")
        return redirect("collection")
    part = request.htmx  # type: ignore[attr-defined]
    return render(
        request, "collection/volumes.html" if part else "collection/page.html", _context(user, part=bool(part))
    )


def _chosen(request: HttpRequest) -> int:
    """Raises Refused."""
    typed = request.POST.get("volume_size", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 15 else 0


def _context(user: User, *, part: bool) -> dict[str, Any]:
    last = collect.newest(user)
    volumes = [_volume(volume, user) for volume in collect.shown(last)] if last else []
    context: dict[str, Any] = {
        "collection": last,
        "volumes": volumes,
        "polling": any(volume["working"] for volume in volumes),
    }
    if not part:
        found = collect.shares(user)
        context |= {
            "count": len(found),
            "choices": [_choice(size, label, found) for size, label in Collection.Size.choices],
        }
    return context


def _choice(size: int, label: str, found: list[collect.Share]) -> dict[str, Any]:
    packed = collect.packed(found, size)
    larger = [volume for volume in packed if sum(share.size for share in volume) > size]
    return {"value": size, "label": label, "volumes": len(packed), "larger": len(larger)}


def _volume(volume: Volume, user: User) -> dict[str, Any]:
    now = clock.now()
    inside: list[Space] = []
    expired: list[Space] = []
    for place in volume.places.all():
        gone = place.left_out or place.space.is_gone(now)
        (expired if gone else inside).append(place.space)
    ready = (
        volume.state == Volume.State.READY
        and bool(inside)
        and not any(place.space.is_gone(now) for place in volume.places.all() if not place.left_out)
    )
    return {
        "row": volume,
        "inside": inside,
        "expired": expired,
        "ready": ready,
        "working": volume.state in Volume.AT_WORK or upkeep.is_to_be_proven(volume),
        "until": min((space.expires_at for space in inside if space.expires_at), default=None),
        "url": f"{settings.SITE_URL}{package_path(volume, user)}" if ready else None,
    }
