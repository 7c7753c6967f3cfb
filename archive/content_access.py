"""Log the access to content: one entry per grantee, Space, kind and hour, however the content was requested.

Call `record_access` before each response that has content of a Space, or a URL at which the store serves it. A unique
row (models/content_access.py) decides which request of the hour writes the entry, so a player that repeats its request
costs one statement that changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from archive import log
from archive.log import OPERATOR, Actor, events
from archive.models import ContentAccess, RecorderToken, Space, User

Kind = ContentAccess.Kind
Grantee = User | RecorderToken | None  # None: the operator's command line
EVENTS = {
    Kind.PLAYED: events.CONTENT_PLAYED,
    Kind.READ: events.CONTENT_READ,
    Kind.FOUND: events.CONTENT_FOUND,
    Kind.DOWNLOADED: events.CONTENT_DOWNLOADED,
}
KEPT = timedelta(days=1)
ROWS_AT_ONCE = 10_000


def record_access(kind: ContentAccess.Kind, spaces: Iterable[Space], by: Grantee, **detail: Any) -> None:
    """Log that `by` gets content of `spaces`, unless this hour has such an entry.

    An admin's access to another host's Space has an event of its own. `detail` is added to the kind and role in the
    entry, as in `log.record`.
    """
    by_id = {space.pk: space for space in spaces}
    if not by_id:
        return
    with transaction.atomic():
        entries = defaultdict(list)
        for space_id in _insert(kind, sorted(by_id), by):
            event, role = _event_and_role(kind, by_id[space_id], by)
            entries[event].append((space_id, {"kind": kind.value, "role": role, **_recorder(by), **detail}))
        for event, details in entries.items():
            log.record_all(event, details, actor=_actor(by))


def delete_old() -> int:
    """Delete the rows of past hours. Returns how many."""
    old = ContentAccess.objects.filter(hour__lt=Now() - KEPT).order_by("hour")
    return ContentAccess.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:ROWS_AT_ONCE])).delete()[0]


def _insert(kind: ContentAccess.Kind, space_ids: Sequence[UUID], by: Grantee) -> list[UUID]:
    """Insert the rows of this hour. Returns the Spaces that had none. The ids must be sorted: two transactions that
    insert the same rows in different orders would deadlock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO archive_contentaccess (space_id, grantee, kind, hour)"
            " SELECT id, %s, %s, date_trunc('hour', now(), 'UTC')"
            " FROM unnest(%s::uuid[]) WITH ORDINALITY AS ids (id, n) ORDER BY n"
            " ON CONFLICT DO NOTHING RETURNING space_id",
            [_grantee(by), kind.value, list(space_ids)],
        )
        return [space_id for (space_id,) in cursor.fetchall()]


def _event_and_role(kind: ContentAccess.Kind, space: Space, by: Grantee) -> tuple[str, str]:
    match by:
        case None:
            return EVENTS[kind], "operator"
        case RecorderToken():
            return EVENTS[kind], "recorder"
        case User(pk=space.host_id):
            return EVENTS[kind], "host"
        case User(is_admin=True):
            return events.CONTENT_ACCESSED_BY_ADMIN, "admin"
        case _:
            return EVENTS[kind], "speaker"


def _grantee(by: Grantee) -> str:
    match by:
        case None:
            return "command"
        case RecorderToken():
            return f"recorder:{by.pk}"
        case _:
            return f"user:{by.pk}"


def _actor(by: Grantee) -> Actor:
    match by:
        case None:
            return OPERATOR
        case RecorderToken():
            return Actor("recorder")
        case _:
            return Actor.of(by)


def _recorder(by: Grantee) -> dict[str, str]:
    return {"recorder": str(by.pk)} if isinstance(by, RecorderToken) else {}
