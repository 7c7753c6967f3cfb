"""Give the newest checkpoint to others: witnesses, the second bucket, a time-stamp authority.

None of it needs the key that signs, so it runs in a process that does not delete: no deletion waits for a server that
hangs. What a witness says is written to the store by the sequencer, in its next round: only one process writes there.
"""

from archive import leases
from archive.leases import Claim
from archive.models import LogPublisher
from archive.storage import store
from archive.transparency import checkpoints, copies, second_bucket, timestamps, witnesses


def run() -> bool:
    """Publish the newest checkpoint where it is missing. Returns False if another worker is publishing."""
    row, _ = LogPublisher.objects.get_or_create(pk=1)
    claim = leases.claim(LogPublisher, row.pk, ["publishing"])
    return leases.attempt(claim, _run, parks=False)


def _run(claim: Claim[LogPublisher]) -> bool:
    """None of them can fail the others."""
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
