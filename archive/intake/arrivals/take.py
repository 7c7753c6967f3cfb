"""Fetch a recording that a recorder left: register its Space, copy its bytes, wait for the examination.

If the worker is killed:

1. before the Space is registered: the arrival is `pending`, and nothing else exists.
2. after that (one transaction with `copying`): the Space is `receiving`; the next run copies the missing parts.
3. while parts are copied or the upload is completed: as for any upload (archive/intake/uploads/sessions.py).
4. before `examining`: the upload is completed, and the next run detects that.

A file is refused only for its content, never for a failing store or disk: then the work is retried until the deadline.
"""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from archive import dbtime, leases, lifecycle, rate_limits, recorders, restores, wakeups
from archive.errors import (
    Conflict,
    LeaseLost,
    ObjectChanged,
    ObjectMissing,
    Refused,
    SpacekeepError,
    TooManyRequests,
)
from archive.intake.arrivals import inbox_sidecar, livekit_facts
from archive.intake.arrivals.copying import copy, file_spec
from archive.intake.arrivals.facts import ArrivalFacts
from archive.intake.arrivals.sources import FileState, Source, source_of
from archive.intake.register import register_space
from archive.intake.uploads import clean_up
from archive.intake.uploads.sessions import Uploader, validate_file
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import Arrival, Space, UploadSession

State = Arrival.State
PATIENCE = timedelta(days=1)  # how long a recording may be missing after it was announced
DECIDED = Space.objects.filter(state__in=[Space.State.AVAILABLE, Space.State.REJECTED, *Space.DELETING])
# Arrivals that a worker can advance now. An arrival in `examining` waits for its Space. A subquery, because a joined
# row could not be locked.
READY = Q(state__in=[State.PENDING, State.COPYING]) | Q(state=State.EXAMINING, space__in=DECIDED)


def take(arrival_id: UUID) -> bool:
    """Take the next step of this arrival. Returns whether this call moved it to `examining` or ended it."""
    claim = leases.claim(Arrival, arrival_id, Arrival.AT_WORK, condition=READY)
    return leases.attempt(claim, _take, permanent=(Refused,), fail=refuse)


def _take(claim: Claim[Arrival]) -> bool:
    arrival = claim.row
    try:
        if arrival.state == State.PENDING:
            _register(claim)
        return _copy(claim) if arrival.state == State.COPYING else _decide(claim)
    except (Conflict, TooManyRequests) as error:  # the recorder has too many, or the Space is busy: retry later
        claim.release_for_retry(error.problem)
        return False


def _register(claim: Claim[Arrival]) -> None:
    """Move a pending arrival to `copying`, and register its Space. Raises Refused, StorageError, LeaseLost."""
    arrival = claim.row
    if recorders.find_working(arrival.recorder.prefix) is None:
        raise Refused("arrival.token_not_working", token=arrival.recorder.prefix)
    source = source_of(arrival)
    seen = _look(arrival, source)
    facts = _facts(arrival, source)
    if not seen.size:
        raise Refused("arrival.empty")
    if facts.size not in (None, seen.size):
        raise Refused("arrival.size_differs", size=seen.size, expected=facts.size)
    arrival.size, arrival.etag, arrival.sha256 = seen.size, seen.etag, facts.sha256
    validate_file(file_spec(arrival))
    by = Uploader(recorder=arrival.recorder)
    with transaction.atomic():
        rate_limits.count("space", by.caller)
        arrival.space = register_space(facts.space, by.actor)
        if not lifecycle.transition(
            arrival,
            State.PENDING,
            State.COPYING,
            actor=by.actor,
            condition=claim.still_held,
            detail={"size": seen.size, **by.detail},
            space=arrival.space,
            size=seen.size,
            etag=seen.etag,
            sha256=facts.sha256,
            ended_at=arrival.ended_at,
            problem={},
        ):
            raise LeaseLost("work.lease_lost", model="Arrival", id=arrival.pk, state=arrival.state)


def _look(arrival: Arrival, source: Source) -> FileState:
    try:
        return source.look()
    except ObjectMissing as error:
        if dbtime.now() - arrival.created_at > PATIENCE:
            raise Refused("arrival.recording_missing", name=arrival.path) from error
        raise


def _facts(arrival: Arrival, source: Source) -> ArrivalFacts:
    if arrival.source == Arrival.Source.LIVEKIT:
        return livekit_facts.read(arrival)
    return inbox_sidecar.read(arrival, source)


def _copy(claim: Claim[Arrival]) -> bool:
    """Copy, and move the arrival to `examining`. Returns False when the time of this run is up before that."""
    arrival, space = claim.row, claim.row.space
    if space is None or space.is_gone(dbtime.now()):
        return _restart(claim)
    if space.state == Space.State.RECEIVING:
        try:
            is_complete = copy(claim, space, source_of(arrival))
        except ObjectChanged as error:
            raise Refused("arrival.source_changed", name=arrival.path) from error
        if not is_complete:
            claim.release_for_retry({}, at_once=True)
            return False
    by = Uploader(recorder=arrival.recorder)
    with transaction.atomic():
        moved = lifecycle.transition(
            arrival,
            State.COPYING,
            State.EXAMINING,
            actor=SYSTEM,
            condition=claim.still_held,
            detail=by.detail,
            problem={},
            **leases.RESET,
        )
        wakeups.wake(Arrival, arrival.pk)  # the examination may have ended already
    return moved


def _decide(claim: Claim[Arrival]) -> bool:
    """Accept or refuse an examined arrival, according to the state of its Space."""
    arrival, space = claim.row, claim.row.space
    if space is not None and space.state == Space.State.REJECTED:
        raise Refused.of(space.problem)
    if space is not None and space.state == Space.State.AVAILABLE:
        with transaction.atomic():
            moved = lifecycle.transition(
                arrival,
                State.EXAMINING,
                State.ACCEPTED,
                actor=SYSTEM,
                condition=claim.still_held,
                problem={},
                **leases.RESET,
            )
            wakeups.wake(Arrival, arrival.pk)
        return moved
    return _restart(claim)


def _restart(claim: Claim[Arrival]) -> bool:
    """Fetch it again, because its Space is being deleted. If the reason is its deadline, the next run refuses it as too
    late; if no worker ran for a day and the Space was abandoned, it gets a new one."""
    arrival = claim.row
    with transaction.atomic():
        moved = lifecycle.transition(
            arrival,
            State(arrival.state),
            State.PENDING,
            actor=SYSTEM,
            condition=claim.still_held,
            space=None,
            problem={},
            **leases.RESET,
        )
        wakeups.wake(Arrival, arrival.pk)
    return moved


def refuse(claim: Claim[Arrival], error: SpacekeepError) -> None:
    """Move an arrival to `refused`. Ending its upload removes copied parts; a Space without an upload is deleted after
    a day. While deletion is paused (archive/restores.py), it waits: the upload may have been completed since the
    backup."""
    arrival = claim.row
    if arrival.space_id is not None and (pause := restores.find_pause()):
        claim.release_for_retry(pause)
        return
    with transaction.atomic():
        if arrival.space_id is not None:  # lock the Space before the arrival, as a deletion does
            Space.objects.select_for_update().get(pk=arrival.space_id)
        if not lifecycle.transition(
            arrival,
            State(arrival.state),
            State.REFUSED,
            actor=SYSTEM,
            condition=claim.still_held,
            detail=Uploader(recorder=arrival.recorder).detail,
            problem=error.problem,
            ended_at=arrival.ended_at,
            settled=arrival.source == Arrival.Source.LIVEKIT,  # there is no outcome to write into a foreign bucket
            **leases.RESET,
        ):
            return
        wakeups.wake(Arrival, arrival.pk)
        opened = UploadSession.objects.filter(space=arrival.space_id, recorder=arrival.recorder_id, state="open")
        for session in opened if arrival.space_id else ():
            clean_up.end(session, error.problem, SYSTEM)
