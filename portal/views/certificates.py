"""Certificates of deletion: for auditors and admins all of them, for hosts their own, and the key that checks them."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from archive.models import DeletionCertificate
from archive.retention import certificate as certifying
from portal.access import current_user, visible
from portal.paging import page_of

PAGE = 50


@login_required
@require_safe
@never_cache
def certificates(request: HttpRequest) -> HttpResponse:
    """The newest first."""
    user = current_user(request)
    if not (user.is_auditor or user.is_admin):
        raise Http404
    page, cursor = page_of(
        DeletionCertificate.objects.defer("document"),
        request.GET.get("after"),
        ("issued_at", "space_id"),
        PAGE,
        descending=True,
    )
    context: dict[str, Any] = {
        "certificates": page,
        "key_id": certifying.key_id(),
        "next_url": f"?{urlencode({'after': cursor})}" if cursor else None,
    }
    return render(request, "certificates.html", context)


@login_required
@require_safe
@never_cache
def certificate(request: HttpRequest, space_id: UUID) -> HttpResponse:
    """The document, byte for byte as it was signed."""
    if not visible(current_user(request)).filter(pk=space_id).exists():
        raise Http404
    found = get_object_or_404(DeletionCertificate, pk=space_id)
    return _file(found.document.encode(), "application/json", f"deletion-of-{space_id}.json")


@require_safe
def key(request: HttpRequest) -> HttpResponse:
    """The public key. It is for everybody who was handed a certificate, so no sign-in is asked for."""
    return _file(certifying.public_key(), "application/x-pem-file", "spacekeep-certificates.pem")


def _file(content: bytes, content_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
