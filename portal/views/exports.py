"""Exports: all Spaces of a host in numbered parts. Request one, and follow the progress of its parts."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from archive import dbtime
from archive.bundles import exports, links, maintain
from archive.errors import Refused
from archive.log import Actor
from archive.models import Export, ExportPart, Space, User
from portal.downloads import download_path, link_ends_at
from portal.forms.requests import ExportForm
from portal.http import SignedInRequest
from portal.limits import limited


@require_http_methods(["GET", "HEAD", "POST"])
@limited("export")
def export(request: SignedInRequest) -> HttpResponse:
    """GET: the sizes to choose from, and the parts (htmx polls them while they are being built). POST: request an
    export in parts of the chosen size."""
    if request.method == "POST":
        return _request_export(request)
    if request.htmx:
        return render(request, "export/parts.html", _parts(request.user))
    return _page(request, ExportForm())


def _request_export(request: SignedInRequest) -> HttpResponse:
    form = ExportForm(request.POST)
    try:
        if form.is_valid():
            exports.request(request.user, form.cleaned_data["max_part_size"])
            return redirect("export")
    except Refused as error:
        form.add_error(None, str(error))
    form.show_problems(request, " " + _("Nothing was lost."))
    return _page(request, form, status=422)


@require_POST
def revoke_links(request: SignedInRequest) -> HttpResponse:
    """End every download link of the user's export parts that was handed out. The page has fresh ones."""
    if links.revoke_export_links(request.user, Actor.of(request.user)):
        messages.success(request, _("The download links that were given out have ended. This page has new ones."))
    return redirect("export")


def _page(request: SignedInRequest, form: ExportForm, status: int = 200) -> HttpResponse:
    shares = exports.shares(request.user)
    context = {
        "form": form,
        "count": len(shares),
        "choices": [_choice(size, str(label), shares) for size, label in Export.Size.choices],
        **_parts(request.user),
    }
    return render(request, "export/page.html", context, status=status)


def _choice(size: int, label: str, shares: list[exports.SizedSpace]) -> dict[str, Any]:
    packed = exports.packed(shares, size)
    larger = [part for part in packed if sum(share.size for share in part) > size]
    return {"value": size, "label": label, "parts": len(packed), "larger": len(larger)}


def _parts(user: User) -> dict[str, Any]:
    """The context of export/parts.html: the newest export, in a fixed number of queries."""
    newest, now = exports.newest(user), dbtime.now()
    parts = [_part(part, user, now) for part in exports.visible_parts(newest)] if newest else []
    return {
        "export": newest,
        "parts": parts,
        "polling": any(part["working"] for part in parts),
        "links_end_at": link_ends_at() if any(part["ready"] for part in parts) else None,
    }


def _part(part: ExportPart, user: User, now: datetime) -> dict[str, Any]:
    entries = list(part.places.all())
    inside: list[Space] = []
    expired: list[Space] = []
    for entry in entries:
        gone = entry.excluded or entry.space.is_gone(now)
        (expired if gone else inside).append(entry.space)
    has_expired = any(entry.space.is_gone(now) for entry in entries if not entry.excluded)
    ready = part.state == ExportPart.State.READY and bool(inside) and not has_expired
    return {
        "row": part,
        "inside": inside,
        "expired": expired,
        "ready": ready,
        "working": part.state in ExportPart.AT_WORK or maintain.is_to_be_proven(part),
        "until": min((space.expires_at for space in inside if space.expires_at), default=None),
        "url": f"{settings.SITE_URL}{download_path(part, user)}" if ready else None,
    }
