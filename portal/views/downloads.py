"""Handing out packages (bundles, parts), to whoever holds an address that is signed for somebody.

So that `curl -C -` and download managers can go on without signing in. The address works until the first deadline of
what is inside, and only while the one it was made for may have it: a person, or a machine with a token.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core import signing
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from archive import dbtime, recorders
from archive.bundles import maintain
from archive.errors import ObjectMissing
from archive.log import Actor
from archive.models import Bundle, ExportPart, RecorderToken, Space, User
from portal.access import Gone, find_for_token, find_space
from portal.views.content import begins, note, redirect_to

SALT = "portal.get"
KINDS: dict[str, Any] = {"b": Bundle, "v": ExportPart}
Package = Bundle | ExportPart


def download_path(package: Package, by: User | RecorderToken) -> str:
    """The address of a download of `package` for `by`. A bundle's names its Space, too: the row of the bundle goes with
    that, and whoever comes later is told so."""
    kind = "v" if isinstance(package, ExportPart) else "b"
    whose = "t" if isinstance(by, RecorderToken) else "u"
    inside = [str(package.space_id)] if isinstance(package, Bundle) else []
    token = signing.dumps([kind, str(package.pk), whose, str(by.pk), *inside], salt=SALT, compress=False)
    return reverse("download", args=[token, "export_part" if kind == "v" else "bundle"])


@dataclass(frozen=True)
class DownloadGrantee:
    """Whom the address was made for: a person, or a machine with a token."""

    by: User | RecorderToken

    def find(self, space_id: UUID) -> Space:
        """The Space, if they may have its content. Raises Http404, Gone."""
        if isinstance(self.by, RecorderToken):
            return find_for_token(self.by, space_id)
        return find_space(self.by, space_id, content=True).space

    @property
    def actor(self) -> Actor:
        return Actor("recorder") if isinstance(self.by, RecorderToken) else Actor.of(self.by)

    @property
    def detail(self) -> dict[str, str]:
        """What the log adds to the actor."""
        return {"recorder": str(self.by.pk)} if isinstance(self.by, RecorderToken) else {}


@require_safe
@never_cache
def download(request: HttpRequest, token: str, name: str) -> HttpResponse:
    try:
        kind, package_id, whose, by, *inside = signing.loads(token, salt=SALT)
        package = KINDS[kind].objects.filter(pk=package_id).first()
    except (signing.BadSignature, ValueError, KeyError):
        raise Http404 from None
    holder = _holder(whose, by)
    if package is None:
        for space_id in inside:
            holder.find(UUID(space_id))  # Gone
        raise Http404
    spaces = _allowed(package, holder)
    if package.state != package.State.READY:
        raise Http404
    until = min((space.expires_at for space in spaces if space.expires_at), default=None)
    try:
        answer = redirect_to(package.key, package.name, "application/zip", spaces[0], until)
    except ObjectMissing:
        maintain.mark_missing(package)  # so that it can be asked for again
        raise Http404 from None
    if request.method == "GET":
        type(package).objects.filter(pk=package.pk).update(fetched_at=Now())
    if begins(request):
        for space in spaces:
            note(space, holder.actor, package.key, **holder.detail)
    return answer


def _holder(whose: str, by: str) -> DownloadGrantee:
    """Raises Http404 when they have no account any more, or the token does not work."""
    found: User | RecorderToken | None = (
        recorders.working().filter(pk=by).first()
        if whose == "t"
        else User.objects.filter(pk=by, is_active=True).first()
    )
    if found is None:
        raise Http404
    return DownloadGrantee(found)


def _allowed(package: Package, holder: DownloadGrantee) -> list[Space]:
    """The Spaces that are in it. Raises Http404, Gone."""
    spaces = _inside(package)
    if isinstance(package, Bundle) or isinstance(holder.by, RecorderToken):
        return [holder.find(space.pk) for space in spaces]
    if package.export.host_id != holder.by.pk:
        raise Http404
    for space in spaces:
        if not space.is_served(dbtime.now()):
            raise Gone(space, holder.by)
    return spaces


def _inside(package: Package) -> list[Space]:
    if isinstance(package, Bundle):
        return [package.space]
    return list(Space.objects.filter(pk__in=package.places.filter(excluded=False).values("space")))
