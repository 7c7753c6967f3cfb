"""The bundle of a Space: request it, and follow its progress."""

from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from archive.bundles import build, links
from archive.errors import Refused
from archive.log import Actor
from portal.access import find_space
from portal.http import SignedInRequest
from portal.limits import limited
from portal.presenters.panels import bundle_panel, bundle_progress
from portal.section_messages import add_error, add_success


@require_http_methods(["GET", "HEAD", "POST"])
@limited("bundle")
def bundle(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """GET: the panel (htmx polls it while the bundle is being built). POST: request the bundle. Returns JSON for the
    scripts of lists, which request it."""
    user = request.user
    space = find_space(user, space_id, content=True).space
    wants_json = request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    if request.method == "POST":
        try:
            build.request(space.pk, Actor.of(user), user)
        except Refused as error:
            problem = _("{error} Nothing was lost.").format(error=error)
            if wants_json:
                return JsonResponse({"state": "failed", "text": problem}, status=422)
            add_error(request, "bundle", problem)
    if wants_json:
        return JsonResponse(bundle_progress(space, user))
    if not request.htmx:
        return redirect(f"{reverse('space', args=[space.pk])}#bundle")
    return render(request, "spaces/bundle.html", bundle_panel(space, user))


@require_POST
def revoke_links(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """End every existing download link of the bundle. The page has a new one."""
    space = find_space(request.user, space_id, content=True).space
    if links.revoke_bundle_links(space, Actor.of(request.user)):
        add_success(request, "bundle", _("The earlier download links no longer work. This page has a new one."))
    return redirect(f"{reverse('space', args=[space.pk])}#bundle")
