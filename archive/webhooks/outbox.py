"""Write events: a row for each endpoint, in the transaction of the change (a transactional outbox)."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from archive import dbtime, log, policy, wakeups
from archive.models import Space, WebhookDelivery, WebhookEndpoint, WebhookEvent
from archive.models.user import ADMINS

KEPT = timedelta(days=30)
AT_ONCE = 500


def working() -> QuerySet[WebhookEndpoint]:
    """Return the endpoints that get events now."""
    return WebhookEndpoint.objects.filter(stopped_at=None, owner__is_active=True, owner__groups__name=ADMINS)


def announce(event: WebhookEvent, space: Space, subject_id: object, **data: Any) -> None:
    """Send `event` of `space` after the caller's transaction commits. `subject_id` distinguishes it from other events
    of this type: repeating it adds nothing. `data`: ids, codes and times only. Raises RuntimeError outside a
    transaction."""
    announce_all(event, [(space, subject_id, data)])


def announce_all(event: WebhookEvent, items: Iterable[tuple[Space, object, dict[str, Any]]]) -> None:
    """Like `announce`, for many Spaces in two statements."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"{event}: an event must be written in the transaction of its change")
    endpoints = list(working().filter(events__contains=[event]))
    if endpoints:
        items = list(items)
        write([_make(event, endpoint, *item) for endpoint in endpoints for item in items])


def write(rows: list[WebhookDelivery]) -> None:
    """Insert the missing rows, and wake up workers."""
    WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    wakeups.wake(WebhookDelivery, *(row.pk for row in rows))


def announce_overdue() -> int:
    """Announce, once each, the Spaces that are not deleted although MAX_DELETION_DELAY has passed since their deadline.
    Returns how many events were written."""
    before = dbtime.now() - policy.MAX_DELETION_DELAY
    written = 0
    for endpoint in working().filter(events__contains=[WebhookEvent.OVERDUE]):
        announced = WebhookDelivery.objects.filter(endpoint=endpoint, event=WebhookEvent.OVERDUE, space=OuterRef("pk"))
        late = (Space.objects.overdue(before), Space.objects.filter(state=Space.State.EXPIRING, expires_at__lte=before))
        spaces = [space for rows in late for space in rows.filter(~Exists(announced)).order_by("expires_at")[:AT_ONCE]]
        with transaction.atomic():
            write([_make(WebhookEvent.OVERDUE, endpoint, space, log.rfc3339(space.expires_at), {}) for space in spaces])
        written += len(spaces)
    return written


def delete_old() -> int:
    """Delete deliveries that are older than KEPT, in any state. Returns how many."""
    old = WebhookDelivery.objects.filter(created_at__lt=Now() - KEPT).values_list("pk", flat=True)[: 20 * AT_ONCE]
    return WebhookDelivery.objects.filter(pk__in=list(old)).delete()[0]


def _make(
    event: WebhookEvent, endpoint: WebhookEndpoint, space: Space, subject_id: object, data: dict[str, Any]
) -> WebhookDelivery:
    facts = {"space": str(space.pk), "deadline": log.rfc3339(space.expires_at), **data}
    return WebhookDelivery(event=event, endpoint=endpoint, space=space, subject_id=str(subject_id), data=facts)
