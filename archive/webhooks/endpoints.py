"""Manage endpoints: create, change, start, stop, remove; send a test, send an event again. For admins."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from archive import dbtime, leases, lifecycle, log, wakeups
from archive.errors import Conflict, Refused
from archive.log import SYSTEM, Actor, events
from archive.models import User, WebhookDelivery, WebhookEndpoint, WebhookEvent
from archive.models.webhook import SUBSCRIBABLE
from archive.webhooks import outbox
from archive.webhooks.addresses import parse_url
from archive.webhooks.signing import encrypt, make_secret

MAX_ENDPOINTS = 20
FORMER_SECRET_SIGNS = timedelta(days=1)  # after its replacement

Stop = WebhookEndpoint.Stop


class EndpointState(StrEnum):
    """Whether an endpoint works. If it was stopped, `stop_reason` says why."""

    WORKS = "works"
    FAILING = "failing"
    STOPPED = "stopped"
    OWNER_NOT_ADMIN = "owner-not-admin"


def create(name: str, url: str, types: Sequence[str], by: User) -> tuple[WebhookEndpoint, str]:
    """Create an endpoint. Returns it with its secret, which is shown only this once. Raises Refused."""
    _check_is_admin(by)
    fields = _validated(name, url, types)
    secret = make_secret()
    with transaction.atomic():
        _lock_creation()
        if WebhookEndpoint.objects.count() >= MAX_ENDPOINTS:
            raise Conflict("webhook.too_many", limit=MAX_ENDPOINTS)
        endpoint = WebhookEndpoint.objects.create(**fields, secret=encrypt(secret), owner=by)
        _record(events.WEBHOOK_CREATED, endpoint, Actor.of(by), events=fields["events"])
    return endpoint, secret


def change(endpoint_id: UUID, name: str, url: str, types: Sequence[str], by: User) -> None:
    """Change the name, address and events. Pending events go to the new address. Raises Refused."""
    fields = _validated(name, url, types)
    with transaction.atomic():
        endpoint = _lock(endpoint_id, by)
        changed = {key: value for key, value in fields.items() if getattr(endpoint, key) != value}
        if changed:
            WebhookEndpoint.objects.filter(pk=endpoint_id).update(**changed)
            _record(events.WEBHOOK_CHANGED, endpoint, Actor.of(by), fields=sorted(changed))


def replace_secret(endpoint_id: UUID, by: User) -> str:
    """Make a new secret, which is shown only this once. The former one signs as well for FORMER_SECRET_SIGNS. Raises
    Refused."""
    secret = make_secret()
    with transaction.atomic():
        endpoint = _lock(endpoint_id, by)
        WebhookEndpoint.objects.filter(pk=endpoint_id).update(
            secret=encrypt(secret), former_secret=F("secret"), former_until=Now() + FORMER_SECRET_SIGNS
        )
        _record(events.WEBHOOK_SECRET_REPLACED, endpoint, Actor.of(by))
    return secret


def start(endpoint_id: UUID, by: User) -> None:
    """Start the endpoint again. `by` becomes its owner. Raises Refused."""
    with transaction.atomic():
        endpoint = _lock(endpoint_id, by)
        WebhookEndpoint.objects.filter(pk=endpoint_id).update(
            stopped_at=None, stop_reason="", failing_since=None, owner_notified=True, owner=by
        )
        _record(events.WEBHOOK_STARTED, endpoint, Actor.of(by))


def stop(endpoint_id: UUID, by: User) -> None:
    """Stop the endpoint. Pending events fail at their next attempt. Raises Refused."""
    with transaction.atomic():
        _lock(endpoint_id, by)
        stop_for(endpoint_id, Stop.OFF, Actor.of(by))


def stop_for(endpoint_id: UUID, reason: WebhookEndpoint.Stop, actor: Actor = SYSTEM) -> bool:
    """Stop the endpoint for `reason`. Unless an admin did it, its owner gets a mail. Returns False if it was stopped
    before."""
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_id, stopped_at=None).first()
        if endpoint is None:
            return False
        WebhookEndpoint.objects.filter(pk=endpoint_id).update(
            stopped_at=Now(), stop_reason=reason, owner_notified=reason == Stop.OFF
        )
        _record(events.WEBHOOK_STOPPED, endpoint, actor, why=reason)
    return True


def remove(endpoint_id: UUID, by: User) -> None:
    """Remove the endpoint with its deliveries, including pending ones. Raises Refused."""
    with transaction.atomic():
        _remove(_lock(endpoint_id, by), Actor.of(by))


def remove_all_of(account: User, actor: Actor) -> None:
    """Remove the endpoints of an account that is being closed. Call it in a transaction."""
    for endpoint in WebhookEndpoint.objects.select_for_update().filter(owner=account).order_by("pk"):
        _remove(endpoint, actor)


def send_test(endpoint_id: UUID, by: User) -> WebhookDelivery:
    """Send an event without a Space. Raises Refused if the endpoint does not work."""
    with transaction.atomic():
        endpoint = _lock(endpoint_id, by)
        check_works(endpoint)
        row = WebhookDelivery(event=WebhookEvent.TEST, endpoint=endpoint, data={"webhook": str(endpoint.pk)})
        outbox.write([row])
    return row


def send_again(endpoint_id: UUID, delivery_id: UUID, by: User) -> None:
    """Send a delivered or failed event again, with the same id, so that the receiver can detect a duplicate. Raises
    Refused, and Conflict if it is pending."""
    with transaction.atomic():
        endpoint = _lock(endpoint_id, by)
        check_works(endpoint)
        row = WebhookDelivery.objects.filter(pk=delivery_id, endpoint=endpoint).first()
        if row is None:
            raise Refused("webhook.not_found")
        old = WebhookDelivery.State(row.state)
        if old == WebhookDelivery.State.PENDING:
            raise Conflict("webhook.not_delivered")
        pending = WebhookDelivery.State.PENDING
        lifecycle.transition(row, old, pending, actor=Actor.of(by), problem={}, status=None, **leases.RESET)
        wakeups.wake(WebhookDelivery, row.pk)


def state(endpoint: WebhookEndpoint) -> EndpointState:
    if endpoint.stopped_at is not None:
        return EndpointState.STOPPED
    if not (endpoint.owner.is_active and endpoint.owner.is_admin):
        return EndpointState.OWNER_NOT_ADMIN
    return EndpointState.FAILING if endpoint.failing_since else EndpointState.WORKS


def former_secret_until(endpoint: WebhookEndpoint) -> datetime | None:
    """Return until when the former secret signs; None if it does not."""
    until = endpoint.former_until
    return until if until is not None and until > dbtime.now() else None


def _validated(name: str, url: str, types: Sequence[str]) -> dict[str, Any]:
    name, url = name.replace("\x00", "").strip(), url.strip()
    if not 0 < len(name) <= 100:
        raise Refused("webhook.bad_name")
    if not types or set(types) - set(SUBSCRIBABLE):
        raise Refused("webhook.no_event")
    parse_url(url)
    return {"name": name, "url": url, "events": sorted(set(types))}


def _check_is_admin(by: User) -> None:
    if not (by.is_active and by.is_admin):
        raise Refused("webhook.not_an_admin")


def _lock_creation() -> None:
    """Until the transaction ends, let others who create an endpoint wait, so that they can't exceed the limit together.
    An advisory lock, because there may be no row to lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('archive_webhookendpoint'))")


def _lock(endpoint_id: UUID, by: User) -> WebhookEndpoint:
    _check_is_admin(by)
    endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_id).first()
    if endpoint is None:
        raise Refused("webhook.not_found")
    return endpoint


def check_works(endpoint: WebhookEndpoint) -> None:
    """Raise Refused if no events are sent to the endpoint."""
    now = state(endpoint)
    if now == EndpointState.STOPPED:
        raise Refused("webhook.stopped", why=endpoint.stop_reason)
    if now == EndpointState.OWNER_NOT_ADMIN:
        raise Refused("webhook.owner_not_admin")


def _remove(endpoint: WebhookEndpoint, actor: Actor) -> None:
    _record(events.WEBHOOK_REMOVED, endpoint, actor)
    endpoint.delete()


def _record(event: str, endpoint: WebhookEndpoint, actor: Actor, **detail: Any) -> None:
    """Log a change, without the URL: it may hold a secret of the receiver."""
    log.record(event, space_id=None, actor=actor, webhook=str(endpoint.pk), **detail)
