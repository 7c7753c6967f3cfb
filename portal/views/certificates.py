"""Certificates of deletion: auditors and admins see all, hosts their own; and the key that verifies them."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from archive import dbtime
from archive.audit import certificates as auditing
from archive.audit.export import record_export
from archive.audit.overview import day_bounds
from archive.models import DeletionCertificate, Space
from archive.retention import certificate as certifying
from archive.transparency import certificate_package
from portal.access import may_read_log, only
from portal.forms.period import PeriodForm
from portal.http import SignedInRequest, attachment
from portal.paging import page_of
from portal.presenters.certificates import certificate_details, certificate_line

PAGE = 50


@require_safe
@only(may_read_log)
def certificates(request: SignedInRequest) -> HttpResponse:
    """List certificates, the newest first."""
    rows = auditing.with_facts(DeletionCertificate.objects.all())
    page, cursor = page_of(rows, request.GET.get("after"), ("issued_at", "space_id"), PAGE, descending=True)
    context: dict[str, Any] = {
        "certificates": [certificate_line(auditing.list_view(row)) for row in page],
        "key_ids": certifying.public_key_ids(),
        "file_sha256": hashlib.sha256(certifying.public_keys()).hexdigest(),
        "next_url": f"?{urlencode({'after': cursor})}" if cursor else None,
        "period": PeriodForm({}, _today()).values,
        "now": dbtime.now(),
    }
    return render(request, "certificates/list.html", context)


@require_safe
def certificate_page(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Show a certificate in readable form, also for printing."""
    issued = _find(request, space_id)
    context = {**certificate_details(auditing.full_view(issued)), "now": dbtime.now()}
    context |= {"sha256": certifying.digest(issued), "reads_log": may_read_log(request.user)}
    context |= {"recorded": certificate_package.recorded(issued), "pause": certificate_package.pause().total_seconds()}
    return render(request, "certificates/page.html", context)


@require_safe
def certificate(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Serve the document, byte for byte as it was signed."""
    issued = _find(request, space_id)
    return attachment(issued.document.encode(), "application/json", f"deletion-of-{space_id}.json")


@require_safe
def with_receipt(request: SignedInRequest, space_id: UUID) -> HttpResponseBase:
    """Serve a ZIP file with the document, its receipt if there is one, the keys and the verifiers."""
    return _package([_find(request, space_id)], f"deletion-of-{space_id}.zip")


@require_safe
@only(may_read_log)
def as_zip(request: SignedInRequest) -> HttpResponseBase:
    """Serve the certificates of a period and their receipts in one ZIP file, with keys and verifiers."""
    form = PeriodForm(request.GET, _today())
    if not form.is_valid():
        return HttpResponse("\n".join(form.problems) + "\n", content_type="text/plain; charset=utf-8", status=422)
    first, last = form.period
    since, until = day_bounds(first, last)
    record_export(request.user, "certificates", "zip", since=first.isoformat(), until=last.isoformat())
    rows = DeletionCertificate.objects.filter(issued_at__gte=since, issued_at__lt=until)
    return _package(_each(rows), f"certificates-{first}-{last}.zip")


def _package(certificates: Iterable[DeletionCertificate], name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    content = certificate_package.package(certificates)
    return StreamingHttpResponse(content, content_type="application/zip", headers=headers)


def _each(rows: QuerySet[DeletionCertificate]) -> Iterator[DeletionCertificate]:
    """Yield them page by page, so that no transaction stays open while the file is sent."""
    cursor = None
    while True:
        page, cursor = page_of(rows, cursor, ("issued_at", "space_id"), PAGE)
        yield from page
        if cursor is None:
            return


def _find(request: SignedInRequest, space_id: UUID) -> DeletionCertificate:
    """Raise Http404 for everybody who could not see the Space."""
    if not Space.objects.visible_to(request.user).filter(pk=space_id).exists():
        raise Http404
    return get_object_or_404(DeletionCertificate, pk=space_id)


def _today() -> date:
    return dbtime.now().astimezone(UTC).date()


@login_not_required  # public: everybody who received a certificate can verify it
@require_safe
def key(request: HttpRequest) -> HttpResponse:
    """Serve the public keys."""
    return attachment(certifying.public_keys(), "application/x-pem-file", "spacekeep-certificates.pem")


@login_not_required  # public like the key: it contains no secrets
@require_safe
def verifier(request: HttpRequest) -> HttpResponse:
    """Serve the program that verifies a certificate on any machine."""
    return attachment(certifying.verifier(), "text/x-python; charset=utf-8", "verify_certificate.py")
