"""The proof of the retention log, for auditors and admins; its keys and newest checkpoint are public."""

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from archive import log
from archive.log import Actor, events
from archive.models import LogEntry
from archive.transparency import checkpoints, export, verification
from archive.transparency.keys import key_lines
from archive.transparency.receipts import make_receipt
from archive.transparency.verify_log import Invalid
from archive.transparency.witnesses import note_with_cosignatures
from portal.access import may_read_log, only
from portal.http import SignedInRequest, attachment
from portal.presenters.transparency import proof_page


@require_safe
@only(may_read_log)
def proof(request: SignedInRequest) -> HttpResponse:
    """Show what the newest checkpoint covers, the last verification, and how to verify the log elsewhere."""
    template = "log/verification.html" if request.htmx else "log/proof.html"
    return render(request, template, proof_page())


@require_POST
@only(may_read_log)
def verify(request: SignedInRequest) -> HttpResponse:
    """Have a worker verify the log."""
    verification.request(request.user)
    return redirect("log-proof")


@require_safe
@only(may_read_log)
def export_file(request: SignedInRequest) -> HttpResponseBase:
    """Stream the whole log as a package that anybody can verify. The export is logged, but its own entry is not part of
    it."""
    try:
        content = export.stream_export()
    except Invalid:
        raise Http404 from None
    if request.method == "GET":
        with transaction.atomic():
            log.record(events.LOG_DOWNLOADED, space_id=None, actor=Actor.of(request.user))
    response = StreamingHttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="retention-log-{timezone.now():%Y-%m-%d}.zip"'
    return response


@require_safe
@only(may_read_log)
def receipt(request: SignedInRequest, entry_id: int) -> HttpResponse:
    """Serve the proof that an entry is in the log, once a checkpoint covers it."""
    made = make_receipt(get_object_or_404(LogEntry, pk=entry_id))
    if made is None:
        return render(request, "log/no_receipt.html", status=404)
    return attachment(str(made).encode(), "text/plain; charset=utf-8", f"entry-{entry_id}.tlog-proof")


@login_not_required  # public: everybody who has a receipt or an export can verify it
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Serve the public keys of the log, one per line, with the period in which each one signs."""
    return HttpResponse(key_lines(), content_type="text/plain; charset=utf-8")


@login_not_required  # public: with this size, hash and signatures, people can prove later that the log was changed
@require_safe
def checkpoint(request: HttpRequest) -> HttpResponse:
    """Serve the newest checkpoint, at the path that c2sp.org/tlog-tiles defines."""
    newest = checkpoints.latest()
    if newest is None:
        raise Http404
    return HttpResponse(note_with_cosignatures(newest), content_type="text/plain; charset=utf-8")


@login_not_required  # as the keys
@require_safe
def verifier(request: HttpRequest) -> HttpResponse:
    """Serve the program that verifies an export or a receipt on any machine."""
    return attachment(export.verifier(), "text/x-python; charset=utf-8", "verify_log.py")


@login_not_required  # as the keys
@require_safe
def verifier_page(request: HttpRequest) -> HttpResponse:
    """Serve the page that verifies an export or a receipt offline."""
    return attachment(export.verifier_page(), "text/html; charset=utf-8", "verify.html")
