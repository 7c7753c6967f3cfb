"""Asking for a bundle, and watching it become ready."""

import shlex
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from archive import tasks
from archive.bundles import build, maintain
from archive.errors import Refused
from archive.log import Actor
from archive.models import Bundle, Space, User
from portal.access import current_user, find_space
from portal.views.downloads import download_path


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def bundle(request: HttpRequest, space_id: UUID) -> HttpResponse:
    """GET: the panel as it stands (htmx asks again while it is being prepared). POST: ask for the bundle."""
    user = current_user(request)
    space = find_space(user, space_id, content=True).space
    if request.method == "POST":
        try:
            asked = build.request(space.pk, Actor.of(user), user)
            if asked.state == Bundle.State.REQUESTED:
                tasks.wake(tasks.build_bundle, asked.pk)
        except Refused as error:
            messages.error(request, f"{error} Nothing was lost.")
        if not request.htmx:  # type: ignore[attr-defined]
            return redirect(f"{reverse('space', args=[space.pk])}#bundle")
    if not request.htmx and request.method != "POST":  # type: ignore[attr-defined]
        return redirect(f"{reverse('space', args=[space.pk])}#bundle")
    return render(request, "spaces/bundle.html", panel(request, space, user))


def panel(request: HttpRequest, space: Space, user: User) -> dict[str, Any]:
    """The context of spaces/bundle.html."""
    bundle = build.current(space)
    context: dict[str, Any] = {"space": space, "bundle": bundle, "polling": False, "proving": False}
    if bundle is None:
        return context
    context["proving"] = maintain.is_to_be_proven(bundle)
    context["polling"] = bundle.state in Bundle.AT_WORK or context["proving"]
    if bundle.state == Bundle.State.READY:
        address = f"{settings.SITE_URL}{download_path(bundle, user)}"
        context["bundle_url"] = address
        context["bundle_command"] = f"curl -L -C - -o {shlex.quote(bundle.name)} {shlex.quote(address)}"
    return context
