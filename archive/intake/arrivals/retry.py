"""For operators: list the arrivals that are not in the archive, and retry refused ones."""

from uuid import UUID

from django.db.models import Q, QuerySet

from archive import leases, lifecycle, wakeups
from archive.errors import Refused
from archive.log import SYSTEM
from archive.models import Arrival

# Refused, in progress, or accepted with something left to do at the source.
OPEN = ~Q(state=Arrival.State.ACCEPTED, settled=True)


def list_open() -> QuerySet[Arrival]:
    """Return arrivals that are not settled or were refused, the newest first."""
    return Arrival.objects.filter(OPEN).select_related("recorder").order_by("-created_at")


def retry(arrival_id: UUID) -> None:
    """Move a refused arrival to `pending`, after a host, a token or a setting was corrected. Raises Refused."""
    arrival = Arrival.objects.filter(pk=arrival_id).first()
    if arrival is None or not arrival.path:
        raise Refused("arrival.cannot_retry", id=arrival_id)
    # Not if its recording was rejected: the same bytes would be rejected again.
    condition = Q(space=None) & leases.claimable()
    if not lifecycle.transition(
        arrival,
        Arrival.State.REFUSED,
        Arrival.State.PENDING,
        actor=SYSTEM,
        condition=condition,
        problem={},
        settled=False,
        **leases.RESET,
    ):
        raise Refused("arrival.cannot_retry", id=arrival_id)
    wakeups.wake(Arrival, arrival.pk)
