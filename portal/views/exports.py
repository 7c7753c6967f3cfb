"""Exports: all or chosen Spaces of a host, in numbered parts. Request one, and follow its progress."""

import math
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive import dbtime
from archive.bundles import exports, links, maintain
from archive.errors import Refused
from archive.formatting import format_number
from archive.log import Actor
from archive.models import Export, ExportPart, Space, User
from portal.downloads import download_path, link_ends_at
from portal.forms.requests import ChosenExportForm, ExportForm
from portal.http import SignedInRequest
from portal.limits import limited

MAX_MEASURED = 200  # Spaces whose sizes are added up for the page
MAX_COUNTED = 10_000


@require_http_methods(["GET", "HEAD", "POST"])
@limited("export")
def export(request: SignedInRequest) -> HttpResponse:
    """GET: the parts of all Spaces (htmx polls them while they are being built), and the sizes to choose from. POST:
    request an export of all Spaces in parts of the chosen size."""
    if request.method == "POST":
        return _request_all(request)
    if request.htmx:
        return render(request, "export/parts.html", _parts(request.user, exports.newest(request.user)))
    return _page(request, ExportForm())


def _request_all(request: SignedInRequest) -> HttpResponse:
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
@limited("export")
def export_chosen(request: SignedInRequest) -> HttpResponse:
    """Request an export of the Spaces ticked in a list, in as few parts as possible."""
    form = ChosenExportForm(request.POST)
    try:
        if form.is_valid():
            chosen = form.cleaned_data["space"]
            size = exports.smallest_size(exports.shares(request.user, chosen))
            return redirect("chosen-export", exports.request(request.user, size, chosen).pk)
    except Refused as error:
        form.add_error(None, str(error))
    form.show_problems(request, " " + _("Nothing was lost."))
    return redirect("spaces")


@require_safe
def chosen_export(request: SignedInRequest, export_id: UUID) -> HttpResponse:
    """Show the parts of an export of chosen Spaces (htmx polls them while they are being built)."""
    found = Export.objects.filter(pk=export_id, host=request.user, chosen=True).first()
    if found is None:
        raise Http404
    template = "export/parts.html" if request.htmx else "export/chosen.html"
    return render(request, template, _parts(request.user, found))


@require_POST
def revoke_links(request: SignedInRequest) -> HttpResponse:
    """End every existing download link of the user's export parts. The page has new ones."""
    if links.revoke_export_links(request.user, Actor.of(request.user)):
        messages.success(request, _("The earlier download links no longer work. This page has new ones."))
    return redirect("export")


def _page(request: SignedInRequest, form: ExportForm, status: int = 200) -> HttpResponse:
    """If there are very many Spaces, only the first ones are measured, and the numbers of files are estimates."""
    shares = exports.shares(request.user, most=MAX_MEASURED + 1)
    count = len(shares)
    if count > MAX_MEASURED:
        shares = shares[:MAX_MEASURED]
        count = exports.count_served(request.user, MAX_COUNTED + 1)
    choices = [_choice(size, str(label), shares, count) for size, label in Export.Size.choices]
    context = {
        "form": form,
        "count": count,
        "count_text": format_number(MAX_COUNTED),
        "is_more": count > max(MAX_COUNTED, len(shares)),
        "is_estimate": count > len(shares),
        "choices": choices,
        "is_one_file": all(choice["parts"] == 1 for choice in choices),
        **_parts(request.user, exports.newest(request.user)),
    }
    return render(request, "export/page.html", context, status=status)


def _choice(size: int, label: str, shares: list[exports.SizedSpace], count: int) -> dict[str, Any]:
    """`shares`: the first of `count` Spaces."""
    packed = exports.packed(shares, size)
    larger = [part for part in packed if sum(share.size for share in part) > size]
    parts = len(packed)
    if count > len(shares):  # no part has more than MOST_SPACES
        counted = min(count, MAX_COUNTED)
        parts = max(math.ceil(counted / exports.MOST_SPACES), round(parts * counted / len(shares)))
    return {"value": size, "label": label, "parts": parts, "parts_text": format_number(parts), "larger": len(larger)}


def _parts(user: User, export: Export | None) -> dict[str, Any]:
    """The context of export/parts.html, in a fixed number of queries."""
    now = dbtime.now()
    parts = [_part(part, user, now) for part in exports.visible_parts(export)] if export else []
    return {
        "export": export,
        "parts": parts,
        "inside": sum(len(part["inside"]) for part in parts),
        "announcement": _announcement(parts),
        "polling": any(part["working"] for part in parts),
        "links_end_at": max((part["link_ends_at"] for part in parts if part["ready"]), default=None),
    }


def _announcement(parts: list[dict[str, Any]]) -> str:
    """Return the text for screen readers to announce; "" while no part is done."""
    if any(part["row"].state == ExportPart.State.FAILED for part in parts):
        return _("A part could not be created.")
    ready = sum(part["ready"] for part in parts)
    if not ready:
        return ""
    text = ngettext("The export is ready to download.", "{ready} of {count} parts are ready to download.", len(parts))
    return text.format(ready=format_number(ready), count=format_number(len(parts)))


def _part(part: ExportPart, user: User, now: datetime) -> dict[str, Any]:
    entries = list(part.places.all())
    inside: list[Space] = []
    expired: list[Space] = []
    for entry in entries:
        gone = entry.excluded or entry.space.is_gone(now)
        (expired if gone else inside).append(entry.space)
    has_expired = any(entry.space.is_gone(now) for entry in entries if not entry.excluded)
    ready = part.state == ExportPart.State.READY and bool(inside) and not has_expired
    until = min((space.expires_at for space in inside if space.expires_at), default=None)
    return {
        "row": part,
        "inside": inside,
        "expired": expired,
        "ready": ready,
        "working": part.state in ExportPart.AT_WORK or maintain.awaits_verification(part),
        "until": until,
        "link_ends_at": min(filter(None, (link_ends_at(), until))),  # nothing is served after it
        "url": f"{settings.SITE_URL}{download_path(part, user)}" if ready else None,
    }
