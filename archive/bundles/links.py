"""Revoke the download links of packages. The links themselves are signed by the site (portal/downloads.py)."""

from typing import TypeVar

from django.db import transaction
from django.db.models import F, QuerySet

from archive import log
from archive.log import Actor, events
from archive.models import Bundle, ExportPart, Space, User

REVOKED = {Bundle: events.BUNDLE_LINKS_REVOKED, ExportPart: events.EXPORT_PART_LINKS_REVOKED}
P = TypeVar("P", Bundle, ExportPart)


def revoke_bundle_links(space: Space, actor: Actor) -> int:
    """Revoke all links to bundles of the Space, of all users and tokens. Returns how many bundles had links."""
    return _revoke(Bundle.objects.filter(space=space, state=Bundle.State.READY), actor)


def revoke_export_links(host: User, actor: Actor) -> int:
    """Revoke all links to export parts of the host, of all users and tokens. Returns how many parts had links."""
    return _revoke(ExportPart.objects.filter(export__host=host, state=ExportPart.State.READY), actor)


def _revoke(packages: QuerySet[P], actor: Actor) -> int:
    with transaction.atomic():
        ready = list(packages.select_for_update(of=("self",), no_key=True).order_by("pk"))
        packages.model._default_manager.filter(pk__in=[package.pk for package in ready]).update(
            link_version=F("link_version") + 1
        )
        for package in ready:
            log.record(REVOKED[type(package)], space_id=package.log_space_id, actor=actor, **package.log_subject)
    return len(ready)
