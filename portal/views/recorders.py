"""Tokens of recorders, for admins."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from archive import dbtime
from archive import recorders as tokens
from archive.errors import Refused
from archive.models import RecorderToken
from portal.access import is_admin, only
from portal.forms.requests import TOKEN_DAYS, RecorderTokenForm
from portal.http import SignedInRequest
from portal.reauthentication import require_reauthentication
from portal.submissions import once


@require_http_methods(["GET", "HEAD", "POST"])
@only(is_admin)
@require_reauthentication
def recorders(request: SignedInRequest) -> HttpResponse:
    """List all tokens, the newest first. POST creates one and shows its text, only once."""
    if request.method != "POST":
        return _page(request, RecorderTokenForm(initial={"scopes": [RecorderToken.Scope.INTAKE]}))
    form = RecorderTokenForm(request.POST)
    try:
        if form.is_valid():
            asked = form.cleaned_data
            with once(request) as is_first:
                if not is_first:
                    messages.info(request, _("This form was sent twice. The token was created once, and shown then."))
                    return redirect("recorders")
                token, text = tokens.create_token(
                    asked["name"],
                    asked["days"],
                    request.user,
                    asked["hosts"],
                    asked["scopes"],
                    for_anybody=asked["for_anybody"],
                )
            empty = RecorderTokenForm(initial={"scopes": [RecorderToken.Scope.INTAKE]})
            return _page(request, empty, made=token, text=text)
    except Refused as error:
        form.add_error(None, str(error))
    form.show_problems(request)
    return _page(request, form, status=422)


@require_POST
@only(is_admin)
@require_reauthentication
def revoke(request: SignedInRequest, token_id: UUID) -> HttpResponse:
    token = RecorderToken.objects.filter(pk=token_id).first()
    if token is None:
        raise Http404
    if tokens.revoke(token_id, request.user):
        messages.success(request, _("The token of {name} was revoked. Its uploads stay.").format(name=token.name))
    return redirect("recorders")


def _page(request: SignedInRequest, form: RecorderTokenForm, status: int = 200, **made: object) -> HttpResponse:
    now = dbtime.now()
    rows = RecorderToken.objects.select_related("created_by").prefetch_related("hosts", "created_by__groups")
    context = {
        "rows": [{"token": token, "state": tokens.state(token, now), "hosts": _hosts(token)} for token in rows],
        "lives": TOKEN_DAYS.items(),
        "scopes": RecorderToken.Scope.choices,
        "form": form,
        **made,
    }
    return render(request, "recorders/list.html", context, status=status)


def _hosts(token: RecorderToken) -> SafeString:
    return format_html_join(", ", "<bdi>{}</bdi>", ((host.username,) for host in token.hosts.all()))
