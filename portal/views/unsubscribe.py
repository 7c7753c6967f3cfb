"""Unsubscribe from a kind of mail with the link in each mail. Needs no sign-in, because mail programs send the POST."""

from django.contrib.auth.decorators import login_not_required
from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from archive.models.notice_kinds import LOG_CHECKPOINT
from archive.notices import unsubscribe as links
from portal.presenters.mail_kinds import mail_label


@csrf_exempt  # RFC 8058: a mail program sends no cookie and no token; the URL is the authorization
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks for confirmation, because mail programs and scanners open links automatically; POST unsubscribes. Raises
    Http404 for a link that was not signed here."""
    try:
        if request.method == "POST":
            return _page(request, links.unsubscribe(token), is_done=True)
        return _page(request, links.read_token(token)[1], is_done=False)
    except BadSignature:
        raise Http404 from None


def _page(request: HttpRequest, kind: str, *, is_done: bool) -> HttpResponse:
    context = {"label": mail_label(kind), "is_done": is_done, "is_notice": kind != LOG_CHECKPOINT}
    return render(request, "account/unsubscribe.html", context)
