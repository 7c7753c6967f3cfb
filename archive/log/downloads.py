"""When hosts downloaded their Spaces, from the log: bundles, exports, or the recording. A transcript alone does not
count."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from archive.log import events
from archive.models import LogEntry, Space

WHOLE = r"^(exports/|spaces/[^/]+/(bundles|recording)/)"  # keys of objects (archive/storage/keys.py)


def last_downloads(spaces: Iterable[Space]) -> dict[UUID, datetime]:
    """{Space's id: when its host last downloaded it (UTC)}, of those that they did download. One query."""
    hosts = {space.pk: space.host_id for space in spaces}
    entries = LogEntry.objects.filter(
        space_id__in=hosts, event=events.CONTENT_DOWNLOADED, actor_kind="user", detail__key__regex=WHOLE
    )
    rows = (
        entries.values("space_id", "actor_id")
        .annotate(last=Max("at"))
        .order_by()
        .values_list("space_id", "actor_id", "last")
    )
    return {space_id: last for space_id, actor_id, last in rows if space_id and actor_id == hosts[space_id]}
