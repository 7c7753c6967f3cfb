"""Build bundles of Spaces before their deadline, so that late hosts can download at once.

A Space gets one only if its host has not downloaded all of it, and only once before each deadline: a bundle that
failed, or was removed without a download, is built again only on request. After a crash, the next run continues with
the Spaces that have no bundle.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from archive.bundles import build
from archive.models import Bundle, Recording, Space
from archive.models.downloaded import last_download

AT_ONCE = 10  # unrequested bundles pending or being built, so that a host's request does not wait long


def request_bundles() -> int:
    """Request the missing bundles of Spaces due within BUNDLE_AHEAD_DAYS, the nearest deadline first, as many as fit
    into AT_ONCE. Returns how many."""
    room = AT_ONCE - Bundle.objects.filter(requested_by=None, state__in=Bundle.AT_WORK).count()
    if not settings.BUNDLE_AHEAD_DAYS or room <= 0:
        return 0
    ids: list[UUID] = list(_without_bundle().values_list("pk", flat=True)[:room])
    return sum(build.request_ahead(space_id) is not None for space_id in ids)


def _without_bundle() -> QuerySet[Space]:
    """Return Spaces due soon without a bundle or a download. Spaces on hold have no deadline, so they are not among
    them."""
    period = timedelta(days=settings.BUNDLE_AHEAD_DAYS)
    tried = Q(requested_at__gte=OuterRef("expires_at") - period)
    bundles = Bundle.objects.filter(Q(state__in=Bundle.LIVE) | tried)
    soon = Space.objects.served().filter(expires_at__lte=Now() + period).annotate(downloaded_at=last_download())
    return soon.filter(
        Exists(Recording.objects.filter(space=OuterRef("pk"))),
        ~Exists(bundles.filter(space=OuterRef("pk"))),
        downloaded_at=None,
    ).order_by(F("expires_at"), "pk")
