"""Verify the log when an auditor requests it: as a row of work, so that the page does not wait, and the result stays.

A large log takes longer than one run may. The progress is saved on the row every 65,536 entries, and the next run
continues from there, also after a crash.
"""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from archive import leases, log, wakeups
from archive.leases import Claim
from archive.log import Actor, events
from archive.models import LogVerification, User
from archive.transparency import database_log
from archive.transparency.verify import verify
from archive.transparency.verify_log import Invalid


def request(by: User) -> LogVerification:
    """Request a verification. Idempotent: a pending verification serves all users."""
    try:
        with transaction.atomic():
            row = LogVerification.objects.create(requested_by=by.pk)
            wakeups.wake(LogVerification, row.pk)
    except IntegrityError:
        row = LogVerification.objects.get(state=LogVerification.State.PENDING)
    return row


def latest() -> LogVerification | None:
    """Return the last finished verification."""
    return LogVerification.objects.filter(state=LogVerification.State.DONE).order_by("-finished_at").first()


def pending() -> LogVerification | None:
    """Return the verification that is running, or waits for a worker."""
    return LogVerification.objects.filter(state=LogVerification.State.PENDING).first()


def run(pk: int) -> bool:
    claim = leases.claim(LogVerification, pk, [LogVerification.State.PENDING])
    return leases.attempt(claim, _run)


class _TimeIsOver(Exception):
    """The run used up its time; the next run continues from the saved state."""


def _run(claim: Claim[LogVerification]) -> bool:
    budget = claim.budget()
    claim.renew(total=database_log.covered())

    def save(state: dict[str, Any]) -> None:
        budget.heartbeat(at_once=True, done=state["size"], progress=state)
        if budget.is_used_up():
            raise _TimeIsOver

    try:
        code, values = "log.verified", verify(step=budget.heartbeat, state=claim.row.progress, save=save)
    except Invalid as error:
        code, values = error.code, error.values
    except _TimeIsOver:
        return claim.release_for_retry({}, at_once=True)
    _finish(claim, code, values)
    return True


def _finish(claim: Claim[LogVerification], code: str, values: Mapping[str, Any]) -> None:
    result = {"state": LogVerification.State.DONE, "code": code, "values": dict(values), "finished_at": Now()}
    changes = result | {"done": values.get("count", F("done")), "progress": {}}
    with transaction.atomic():
        claim.renew(**changes, problem={}, **leases.RESET)
        actor = Actor("user", claim.row.requested_by)
        log.record(events.LOG_VERIFIED, space_id=None, actor=actor, verdict=code, count=values.get("count"))
