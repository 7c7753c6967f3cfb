"""When hosts downloaded their Spaces, as a bundle or in an export part. Downloads of single files don't count."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest

from archive.models.bundle import Bundle
from archive.models.compiled_query import CompiledQuery
from archive.models.export import ExportPart
from archive.models.space import Space


def last_download() -> Greatest:
    """Return an annotation for Spaces: when the host's last complete download started (UTC). NULL: never."""
    newest = "-host_fetched_at"
    bundles = Bundle.objects.filter(space=OuterRef("pk"), host_fetched_at__isnull=False)
    parts = ExportPart.objects.filter(
        places__space=OuterRef("pk"), places__excluded=False, host_fetched_at__isnull=False
    )
    return Greatest(
        Subquery(bundles.order_by(newest).values("host_fetched_at")[:1]),
        Subquery(parts.order_by(newest).values("host_fetched_at")[:1]),
    )


def last_download_of(space_id: UUID) -> datetime | None:
    """Return when the host's last complete download of this Space started (UTC). None: never."""
    found: list[tuple[datetime | None]] = _OF_ONE.tuples(space_id)
    return found[0][0] if found else None


def _of_one(space_id: UUID) -> QuerySet[Space, Any]:
    return Space.objects.filter(pk=space_id).values_list(last_download())


_OF_ONE = CompiledQuery(_of_one, UUID)


def last_downloads(spaces: Iterable[Space]) -> dict[UUID, datetime]:
    """Return {Space id: when its host last downloaded it (UTC)}, without Spaces never downloaded. One query."""
    rows = Space.objects.filter(pk__in=[space.pk for space in spaces]).annotate(last=last_download())
    return dict(rows.exclude(last=None).values_list("pk", "last"))
