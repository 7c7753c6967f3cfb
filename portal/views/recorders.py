"""Tokens of recorders, for admins."""

import re
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from archive import dbtime
from archive import recorders as tokens
from archive.errors import Refused
from archive.models import RecorderToken, User
from portal.access import current_user

LIVES = {"30": "30 days", "90": "90 days", "180": "half a year", "365": "a year"}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def recorders(request: HttpRequest) -> HttpResponse:
    """All tokens, the newest first; a POST makes one and shows its text, which no later page does."""
    user = current_user(request)
    _require_admin(user)
    if request.method != "POST":
        return _page(request)
    typed = {name: request.POST.get(name, "") for name in ("name", "days", "hosts")}
    scopes = request.POST.getlist("scopes")
    try:
        days = int(typed["days"]) if typed["days"] in LIVES else 0
        token, text = tokens.create_token(typed["name"], days, user, _hosts(typed["hosts"]), scopes)
    except Refused as error:
        messages.error(request, str(error))
        return _page(request, status=422, typed=typed, chosen=scopes)
    return _page(request, made=token, text=text)


@login_required
@require_POST
def revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    user = current_user(request)
    _require_admin(user)
    token = RecorderToken.objects.filter(pk=token_id).first()
    if token is None:
        raise Http404
    if tokens.revoke(token_id, user):
        messages.success(request, f"The token of {token.name} is refused from now on. What it uploaded stays.")
    return redirect("recorders")


def _require_admin(user: User) -> None:
    if not user.is_admin:
        raise Http404


def _hosts(typed: str) -> list[User]:
    """User names with commas, spaces or lines between. Raises Refused for one that is nobody's."""
    names = [name for name in re.split(r"[,;\s]+", typed.replace("\x00", "")) if name]
    users = {user.username: user for user in User.objects.filter(username__in=names)}
    if missing := [name for name in names if name not in users]:
        raise Refused(f"There is no user {missing[0]!r}. Name hosts as they sign in, or leave the field empty for all.")
    return list(users.values())


def _page(request: HttpRequest, status: int = 200, **more: object) -> HttpResponse:
    now = dbtime.now()
    rows = RecorderToken.objects.select_related("created_by").prefetch_related("hosts", "created_by__groups")
    shown = [{"token": token, "state": tokens.state(token, now)} for token in rows]
    context = {
        "rows": shown,
        "lives": LIVES.items(),
        "scopes": RecorderToken.Scope.choices,
        "chosen": [RecorderToken.Scope.INTAKE],
        **more,
    }
    return render(request, "recorders/list.html", context, status=status)
