"""Certificates of deletion: all of them for auditors and admins, their own for hosts, and the key that checks them."""

import hashlib
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from archive.models import DeletionCertificate, Space
from archive.retention import certificate as certifying
from portal.access import may_read_log, only
from portal.http import SignedInRequest, attachment
from portal.paging import page_of

PAGE = 50


@require_safe
@only(may_read_log)
def certificates(request: SignedInRequest) -> HttpResponse:
    """The newest first."""
    rows = DeletionCertificate.objects.defer("document")
    page, cursor = page_of(rows, request.GET.get("after"), ("issued_at", "space_id"), PAGE, descending=True)
    context: dict[str, Any] = {
        "certificates": page,
        "key_ids": certifying.public_key_ids(),
        "file_sha256": hashlib.sha256(certifying.public_keys()).hexdigest(),
        "next_url": f"?{urlencode({'after': cursor})}" if cursor else None,
    }
    return render(request, "certificates.html", context)


@require_safe
def certificate(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """The document, byte for byte as it was signed."""
    if not Space.objects.visible_to(request.user).filter(pk=space_id).exists():
        raise Http404
    issued = get_object_or_404(DeletionCertificate, pk=space_id)
    return attachment(issued.document.encode(), "application/json", f"deletion-of-{space_id}.json")


@login_not_required  # everybody who received a certificate can check it
@require_safe
def key(request: HttpRequest) -> HttpResponse:
    """The public key."""
    return attachment(certifying.public_keys(), "application/x-pem-file", "spacekeep-certificates.pem")


@login_not_required  # as the key: it has no secrets
@require_safe
def verifier(request: HttpRequest) -> HttpResponse:
    """The program that checks a certificate on any machine."""
    return attachment(certifying.verifier(), "text/x-python; charset=utf-8", "verify_certificate.py")
