"""Publish the newest checkpoint: to witnesses, the second bucket, and a time-stamp authority.

This does not need the signing key, so it runs in a process that does not delete: no deletion waits for a server that
hangs. The sequencer writes the witnesses' signatures to the store in its next round, since only one process may write
there.
"""

from archive import leases
from archive.leases import Claim
from archive.models import LogPublisher
from archive.storage import store
from archive.transparency import checkpoints, copies, second_bucket, timestamps, witnesses


def run() -> bool:
    """Publish the newest checkpoint wherever it is missing. Returns False if another worker is publishing."""
    row, _ = LogPublisher.objects.get_or_create(pk=1)
    claim = leases.claim(LogPublisher, row.pk, ["publishing"])
    return leases.attempt(claim, _run, parks=False)


def _run(claim: Claim[LogPublisher]) -> bool:
    """Publish to each in turn. Each handles its own network and storage errors, so that the others still run."""
    budget = claim.budget()
    last = checkpoints.latest()
    if last is not None:
        witnesses.collect_cosignatures(last)
        claim.renew()
        if second_bucket.is_configured():
            second_bucket.publish(last, checkpoints.log_extends)
            claim.renew()
        if timestamps.is_configured():
            timestamps.publish(last, store())
            claim.renew()
        if second_bucket.is_configured():
            copies.compare(claim, budget)
    claim.renew(problem={}, **leases.RESET)
    return True
