"""Send an event to its endpoint.

If the worker dies at any step of `deliver`, the claim's lease expires and the next attempt starts from the beginning.
If it dies between the request and the commit, the receiver gets the event twice, with the same `webhook-id`. A worker
that was only slow finds a higher fence right before it sends, and stops.
"""

import json
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce, Now

from archive import dbtime, leases, lifecycle
from archive.errors import DeliveryFailed, DeliveryRefused, Refused, SpacekeepError
from archive.leases import Claim
from archive.log import SYSTEM, rfc3339
from archive.models import WebhookDelivery, WebhookEndpoint
from archive.webhooks import endpoints
from archive.webhooks.addresses import Lookup, find_addresses, look_up, parse_url
from archive.webhooks.endpoints import Stop
from archive.webhooks.post import Answer, post
from archive.webhooks.signing import active_secrets, sign

State = WebhookDelivery.State

# Pauses of 10, 30, 90, ... seconds, at most four hours each: 13 attempts in 23 hours.
FIRST_PAUSE, FACTOR, LAST_PAUSE = timedelta(seconds=10), 3, timedelta(hours=4)
MAX_ATTEMPTS = 13
JITTER = 0.2  # of a pause, so that events that failed together are not retried together
OTHERS_PAUSE = timedelta(minutes=10)  # the longest pause of other events for an endpoint that fails
USER_AGENT = "Spacekeep-Webhooks/1"


@dataclass
class Attempt:
    """The result of one request."""

    answer: Answer | None = None
    started: float = 0.0
    seconds: float | None = None

    @property
    def columns(self) -> dict[str, Any]:
        return {
            "attempted_at": Now(),
            "status": self.answer.status if self.answer else None,
            "duration_ms": None if self.seconds is None else round(1000 * self.seconds),
        }


def deliver(delivery_id: UUID, lookup: Lookup = look_up) -> bool:
    """Send the event, if it is pending. Returns True when this call delivered it; False when another worker has it,
    when it failed (see its row), or when it waits for the next attempt. `lookup` resolves the name of the host."""
    claim = leases.claim(WebhookDelivery, delivery_id, [State.PENDING])
    attempt = Attempt()
    return leases.attempt(
        claim,
        partial(_deliver, attempt=attempt, lookup=lookup),
        permanent=(DeliveryRefused, Refused),
        fail=partial(_fail, attempt=attempt),
        retry=partial(_retry, attempt=attempt),
        max_attempts=MAX_ATTEMPTS,
    )


def pause_after(attempt: int, retry_after: str = "") -> timedelta:
    """Return the pause after the attempt with this number, with jitter. `retry_after`: the receiver's header, in
    seconds or as a date; it counts up to LAST_PAUSE."""
    pause = min(FIRST_PAUSE * int(FACTOR ** min(attempt - 1, 10)), LAST_PAUSE)
    pause = pause * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  (nobody gains by guessing it)
    return max(pause, min(_parse_retry_after(retry_after), LAST_PAUSE))


def make_payload(row: WebhookDelivery) -> bytes:
    """Return the body, the same at each attempt: `timestamp` is the time of the event."""
    payload = {"type": row.event, "timestamp": rfc3339(row.created_at), "data": row.data}
    return json.dumps(payload, separators=(",", ":")).encode()


def _deliver(claim: Claim[WebhookDelivery], *, attempt: Attempt, lookup: Lookup) -> bool:
    row = claim.row
    endpoint = WebhookEndpoint.objects.select_related("owner").filter(pk=row.endpoint_id).first()
    if endpoint is None:  # removed while the event was written
        WebhookDelivery.objects.filter(pk=row.pk).delete()
        return False
    endpoints.check_works(endpoint)
    now, body = dbtime.now(), make_payload(row)
    secrets = active_secrets(endpoint, now)
    target = parse_url(endpoint.url)
    addresses = find_addresses(target, lookup)
    timestamp = int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": row.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secrets, row.message_id, timestamp, body),
    }
    claim.renew()
    attempt.started = time.monotonic()
    try:
        attempt.answer = post(target, addresses, headers, body)
    finally:
        attempt.seconds = time.monotonic() - attempt.started
    _check(attempt.answer)
    delivered = _end(claim, State.DELIVERED, attempt)
    # Not in one transaction: removing an endpoint locks it first, and then its deliveries.
    WebhookEndpoint.objects.filter(pk=row.endpoint_id).exclude(failing_since=None).update(failing_since=None)
    return delivered


def _check(answer: Answer) -> None:
    """Raise DeliveryRefused for 410, DeliveryFailed for anything else but 2xx."""
    if answer.status == 410:
        raise DeliveryRefused("webhook.gone")
    if 300 <= answer.status < 400:
        raise DeliveryFailed("webhook.redirected", status=answer.status)
    if not 200 <= answer.status < 300:
        raise DeliveryFailed("webhook.not_accepted", status=answer.status)


def _end(claim: Claim[WebhookDelivery], state: WebhookDelivery.State, attempt: Attempt, **changes: Any) -> bool:
    # An event that the receiver accepted is delivered, even if another worker has claimed the row since.
    condition = None if state == State.DELIVERED else claim.still_held
    detail = {"status": attempt.answer.status} if attempt.answer else {}
    reset: dict[str, Any] = {"lease_until": None, "retry_at": None, "unforeseen": 0, "problem": {}}
    return lifecycle.transition(
        claim.row,
        State.PENDING,
        state,
        actor=SYSTEM,
        condition=condition,
        detail=detail,
        **{**reset, **attempt.columns, **changes},
    )


def _fail(claim: Claim[WebhookDelivery], error: SpacekeepError, *, attempt: Attempt) -> None:
    if not _end(claim, State.FAILED, attempt, problem=error.problem):
        return
    if error.code == "webhook.gone":
        endpoints.stop_for(claim.row.endpoint_id, Stop.GONE)
    elif isinstance(error, DeliveryFailed):
        _note_failure(claim.row.endpoint_id)


def _retry(claim: Claim[WebhookDelivery], error: SpacekeepError, *, attempt: Attempt) -> None:
    pause = pause_after(claim.attempt, attempt.answer.retry_after if attempt.answer else "")
    if claim.release_for_retry(error.problem, pause=pause, **attempt.columns):
        _note_failure(claim.row.endpoint_id)
        _delay_others(claim.row, min(pause, OTHERS_PAUSE))


def _note_failure(endpoint_id: UUID) -> None:
    """Record the start of the failures, and stop the endpoint after WEBHOOK_STOP_DAYS of them."""
    rows = WebhookEndpoint.objects.filter(pk=endpoint_id)
    rows.update(failing_since=Coalesce("failing_since", Now()))
    if rows.filter(failing_since__lte=Now() - timedelta(days=settings.WEBHOOK_STOP_DAYS)).exists():
        endpoints.stop_for(endpoint_id, Stop.FAILING)


def _delay_others(row: WebhookDelivery, pause: timedelta) -> None:
    """Delay the other events for this endpoint. A receiver that does not answer blocks a worker for seconds, so only
    one event tries it, and not a thousand."""
    with transaction.atomic():
        others = WebhookDelivery.objects.select_for_update(skip_locked=True).filter(
            leases.claimable(), endpoint=row.endpoint_id, state=State.PENDING
        )
        pks = list(others.exclude(pk=row.pk).values_list("pk", flat=True)[:10_000])
        WebhookDelivery.objects.filter(pk__in=pks).update(retry_at=Now() + pause)


def _parse_retry_after(text: str) -> timedelta:
    """Parse a number of seconds or a date. Returns zero for other text."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**6))
    try:
        return parsedate_to_datetime(text) - dbtime.now()
    except (TypeError, ValueError):
        return timedelta(0)
