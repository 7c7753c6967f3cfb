"""Handing out packages (bundles, volumes), to whoever holds an address that is signed for somebody.

So that `curl -C -` and download managers can go on without signing in. The address works until the first deadline of
what is inside, and only while the one it was made for may have it: a person, or a machine with a token.
"""

from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from archive import clock
from archive.bundles import upkeep
from archive.errors import Missing
from archive.intake import recorders
from archive.log import Actor
from archive.models import Bundle, RecorderToken, Space, User, Volume
from portal.access import Gone, find, find_for_token
from portal.views.content import begins, note, redirect_to

SALT = "portal.get"
KINDS: dict[str, Any] = {"b": Bundle, "v": Volume}
Package = Bundle | Volume


def package_path(package: Package, by: User | RecorderToken) -> str:
    """The address of a download of `package` for `by`."""
    kind = "v" if isinstance(package, Volume) else "b"
    whose = "t" if isinstance(by, RecorderToken) else "u"
    token = signing.dumps([kind, str(package.pk), whose, str(by.pk)], salt=SALT, compress=False)
    return reverse("get", args=[token, "volume" if kind == "v" else "bundle"])


@dataclass(frozen=True)
class Held:
    """Who holds the address, for the log."""

    actor: Actor
    detail: dict[str, str]


@require_safe
@never_cache
def get(request: HttpRequest, token: str, name: str) -> HttpResponse:
    try:
        kind, package_id, whose, by = signing.loads(token, salt=SALT)
        package = KINDS[kind].objects.filter(pk=package_id).first()
    except (signing.BadSignature, ValueError, KeyError):
        raise Http404 from None
    if package is None:
        raise Http404
    held, spaces = _allowed(package, whose, by)
    if package.state != package.State.READY:
        raise Http404
    until = min((space.expires_at for space in spaces if space.expires_at), default=None)
    try:
        answer = redirect_to(package.key, package.name, "application/zip", spaces[0], until)
    except Missing:
        upkeep.forget(package)  # so that it can be asked for again
        raise Http404 from None
    if request.method == "GET":
        type(package).objects.filter(pk=package.pk).update(fetched_at=Now())
    if begins(request):
        for space in spaces:
            note(space, held.actor, package.key, **held.detail)
    return answer


def _allowed(package: Package, whose: str, by: str) -> tuple[Held, list[Space]]:
    """Raises Http404, Gone."""
    spaces = _inside(package)
    if whose == "t":
        token = recorders.working().filter(pk=by).first()
        if token is None:
            raise Http404
        for space in spaces:
            find_for_token(token, space.pk)
        return Held(Actor("recorder"), {"recorder": str(token.pk)}), spaces
    user = User.objects.filter(pk=by, is_active=True).first()
    if user is None or (isinstance(package, Volume) and package.collection.host_id != user.pk):
        raise Http404
    for space in spaces if isinstance(package, Volume) else ():
        if not space.is_served(clock.now()):
            raise Gone(space, user)
    found = [find(user, space.pk, content=True).space for space in spaces] if isinstance(package, Bundle) else spaces
    return Held(Actor.of(user), {}), found


def _inside(package: Package) -> list[Space]:
    if isinstance(package, Bundle):
        return [package.space]
    return list(Space.objects.filter(pk__in=package.places.filter(left_out=False).values("space")))
