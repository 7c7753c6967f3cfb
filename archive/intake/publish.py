"""Publish an uploaded recording: examine it if needed, then make the Space `available` or `rejected`.

At most EXAMINATIONS_PER_HOST recordings of one host are examined at a time, so that other hosts' recordings do not wait
behind a host who uploads many.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Window
from django.db.models.functions import Now, RowNumber

from archive import leases, lifecycle, wakeups
from archive.errors import DiskFailed, ObjectChanged, Refused
from archive.intake.examine import examine, refuse
from archive.intake.transcription import enqueue
from archive.intake.transcripts import import_upload
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import Arrival, Recording, Space, UploadSession, User
from archive.storage import store


def finish(space_id: UUID) -> bool:
    """Examine an uploaded recording if needed, verify its objects in the store, and make the Space available.

    `ingest` and a worker call this. Returns False when this call did not make the Space available. A recording whose
    upload was acknowledged is never abandoned: after errors of the store or the decoder it is retried.
    """
    claim = _claim(space_id)
    try:
        return leases.attempt(claim, _finish)
    finally:
        if claim is not None:
            _wake_next(claim.row.host_id)


def pending_ids(only: Q) -> list[Any]:
    """Return Spaces that can be published now, the first ones of each host before the others, so that the rows of one
    host never fill the dispatcher's page."""
    waiting = Space.objects.filter(leases.claimable(), only, state=Space.State.PROCESSING)
    turn = Window(RowNumber(), partition_by=F("host_id"), order_by=[F("lease_until").asc(nulls_first=True), "id"])
    rows = waiting.annotate(turn=turn).filter(turn__lte=settings.EXAMINATIONS_PER_HOST).order_by("lease_until")
    return list(rows.values_list("pk", flat=True)[:1000])


def _claim(space_id: UUID) -> Claim[Space] | None:
    """Claim the Space unless enough of its host's are being examined. Locks the host's row, so that two workers count
    one after the other."""
    with transaction.atomic():
        host = User.objects.select_for_update(no_key=True).filter(spaces=space_id).order_by().first()
        if host is None:
            return None
        is_examined = Exists(Recording.objects.filter(space=OuterRef("pk")))
        others = Space.objects.filter(host=host, state=Space.State.PROCESSING, lease_until__gt=Now())
        busy = others.exclude(pk=space_id).filter(~is_examined).count()
        is_free = busy < settings.EXAMINATIONS_PER_HOST
        return leases.claim(Space, space_id, [Space.State.PROCESSING], condition=None if is_free else Q(is_examined))


def _wake_next(host_id: int) -> None:
    """Wake up a worker for the next recording of this host."""
    waiting = Space.objects.filter(leases.claimable(), state=Space.State.PROCESSING, host=host_id)
    ordered = waiting.order_by(F("lease_until").asc(nulls_first=True), "id")
    wakeups.wake(Space, *ordered.values_list("pk", flat=True)[:1])


def _finish(claim: Claim[Space]) -> bool:
    space = claim.row
    if space.processing_step == Space.ProcessingStep.REJECTING:
        refuse(claim, space.problem)
        _wake_arrivals(space)
        return False
    try:
        if not space.recordings.exists():
            examine(claim)
    except Refused as error:
        refuse(claim, error.problem)
        _wake_arrivals(space)
        return False
    except OSError as error:
        raise DiskFailed("audio.disk_failed", error=error.strerror) from error
    for stored in [*space.recordings.all(), *space.derived.all(), *space.transcripts.all()]:
        if not store().head(stored.key).is_one(stored.size, stored.etag):
            raise ObjectChanged("storage.object_differs", key=stored.key)
    return _make_available(claim)


def _make_available(claim: Claim[Space]) -> bool:
    space = claim.row
    with transaction.atomic():
        moved = lifecycle.transition(
            space,
            Space.State.PROCESSING,
            Space.State.AVAILABLE,
            actor=SYSTEM,
            condition=claim.still_held,
            problem={},
            **leases.RESET,
        )
        if moved:
            enqueue.request(space, SYSTEM)
            wakeups.wake(UploadSession, *import_upload.pending_imports(space.pk))
            _wake_arrivals(space)
    return moved


def _wake_arrivals(space: Space) -> None:
    """Wake up the arrival of this recording, which waits for the outcome (archive/intake/arrivals/)."""
    wakeups.wake(Arrival, *space.arrivals.values_list("pk", flat=True))
