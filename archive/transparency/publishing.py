"""Publish the newest checkpoint: to witnesses, the second bucket, and a time-stamp authority.

This does not need the signing key, so it runs in a process that does not delete: no deletion waits for a server that
hangs. The sequencer writes the witnesses' signatures to the store in its next round, since only one process may write
there.
"""

from collections.abc import Callable
from functools import partial

from archive import leases
from archive.leases import Claim
from archive.models import LogCheckpoint, LogPublisher
from archive.steps import run_each
from archive.storage import store
from archive.transparency import checkpoints, copies, second_bucket, timestamps, witnesses


def run() -> bool:
    """Publish the newest checkpoint wherever it is missing. Returns False if another worker is publishing."""
    row, _ = LogPublisher.objects.get_or_create(pk=1)
    claim = leases.claim(LogPublisher, row.pk, ["publishing"])
    return leases.attempt(claim, _run, parks=False)


def _run(claim: Claim[LogPublisher]) -> bool:
    """Publish to each in turn. Each handles its own network and storage errors; even an unexpected error in one keeps
    none of the others from running."""
    last = checkpoints.latest()
    if last is not None:
        run_each(partial(_step, claim, publish) for publish in _publishers(claim, last))
    claim.renew(problem={}, **leases.RESET)
    return True


def _publishers(claim: Claim[LogPublisher], last: LogCheckpoint) -> list[Callable[[], object]]:
    budget = claim.budget()
    steps: list[Callable[[], object]] = [partial(witnesses.collect_cosignatures, last)]
    if second_bucket.is_configured():
        steps.append(partial(second_bucket.publish, last, checkpoints.log_extends))
    if timestamps.is_configured():
        steps.append(lambda: timestamps.publish(last, store()))
    if second_bucket.is_configured():
        steps.append(partial(copies.compare, claim, budget))
    return steps


def _step(claim: Claim[LogPublisher], publish: Callable[[], object]) -> None:
    publish()
    claim.renew()
