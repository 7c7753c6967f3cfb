"""Bring the rows of a restored database up to date with its lost entries: flags, lifts, appeals, holds, releases,
deadlines, completed uploads, and deletions with their certificates.

Nothing is logged: the recovered entries (recovery.py) are the record. Each Space is one transaction, and each step
checks the present state before it writes, so everything can be repeated. The result lists what only a person can do.

The log has no texts. In place of a lost reason or statement, the row names the entry that recorded it. The log has no
names either: if an account was created after the backup, a closed account with its number replaces it. A legal hold
whose number is taken gets another number, so that the Space is protected until an admin has checked it.

Workers may run at the same time. They lock a Space before they write to the tables of flags and holds, and so does this
module; but some workers lock several Spaces. A transaction here that waits too long for a lock ends and is retried, so
PostgreSQL never aborts a worker's transaction because of a deadlock.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from archive import policy
from archive.log import events
from archive.models import Appeal, Hold, Space, User, Violation, current_policy
from archive.transparency import reapply_deletions, reapply_flags, reapply_holds, reapply_uploads
from archive.transparency.reapply_step import ByHand, Step, make_step
from archive.transparency.recovery import LostEntry

ATTEMPTS = 20  # at the transaction of a Space, if other transactions hold its locks
MAX_LOCK_WAIT = "500ms"  # less than PostgreSQL's deadlock_timeout (1 s), after which it would abort a transaction
OUTCOMES = {"restored": "restorable"}  # of a rehearsal
# A sequence is not rolled back, which is harmless.
NEXT_NUMBER = """
SELECT setval(pg_get_serial_sequence('{table}', 'id'),
    greatest((SELECT max(id) FROM {table}), nextval(pg_get_serial_sequence('{table}', 'id'))))
"""


def reapply(space_id: UUID, entries: Sequence[LostEntry], *, as_owner: bool) -> list[Step]:
    """Bring the rows of a Space up to date with `entries`: all of its lost entries, oldest first.

    `as_owner`: set the times that the entries have. Otherwise change nothing: a rehearsal. Raises StorageError.
    """
    ends = [entry for entry in entries if entry.event == events.SPACE_DELETED]
    certificate = reapply_deletions.read_certificate(ends[-1]) if ends else None
    for attempt in range(ATTEMPTS):
        try:
            return _reapply(space_id, entries, ends[-1:], certificate, as_owner=as_owner)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable) or attempt == ATTEMPTS - 1:
                raise
            time.sleep(0.1 * attempt)
    raise AssertionError("unreachable")


def _reapply(
    space_id: UUID, entries: Sequence[LostEntry], ends: Sequence[LostEntry], certificate: str | None, *, as_owner: bool
) -> list[Step]:
    with transaction.atomic():
        _wait_briefly()
        space = Space.objects.select_for_update().filter(pk=space_id).first()
        steps: list[Step] = []
        if space is not None and space.state != Space.State.DELETED:  # the entries can't change a tombstone
            with _own_numbers(entries) if as_owner else nullcontext():
                steps = [_apply(space, entry, entries) for entry in entries if entry.event in APPLIED]
                if any(step.outcome != "present" for step in steps):
                    _set_deadline(space, entries)
        steps += [reapply_deletions.add_tombstone(space, entry, certificate) for entry in ends]
        if not as_owner:
            transaction.set_rollback(True)
            steps = [replace(step, outcome=OUTCOMES.get(step.outcome, step.outcome)) for step in steps]
    return steps


def _wait_briefly() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{MAX_LOCK_WAIT}'")


@contextmanager
def _own_numbers(entries: Sequence[LostEntry]) -> Iterator[None]:
    """Let rows get their original numbers and flags their original times, and later rows higher numbers. A trigger sets
    the time of each flag, because decisions of two people depend on it; the owner of the table disables the trigger
    for the block. Lock the Space before."""
    has_flags = any(entry.event == events.VIOLATION_FLAGGED for entry in entries)
    with connection.cursor() as cursor:
        if has_flags:
            cursor.execute("ALTER TABLE archive_violation DISABLE TRIGGER archive_flag_sets_time")
        yield
        for model in (Violation, Appeal, Hold, User):
            cursor.execute(NEXT_NUMBER.format(table=model._meta.db_table))
        if has_flags:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # pending deferred checks would make ALTER TABLE fail
            cursor.execute("ALTER TABLE archive_violation ENABLE TRIGGER archive_flag_sets_time")


def _apply(space: Space, entry: LostEntry, entries: Sequence[LostEntry]) -> Step:
    has_account = entry.actor is None or User.objects.filter(pk=entry.actor).exists()
    try:
        changed = APPLIED[entry.event](space, entry)
    except ByHand as error:
        why = str(error)
        if entry.event == events.HOLD_PLACED and not reapply_holds.is_released(entry, entries):
            why = ". ".join(filter(None, [why, reapply_holds.protect(space, entry)]))
        return make_step(entry, "by-hand", why)
    if not changed:
        return make_step(entry, "present")
    stands_in = f"account {entry.actor} is not in this database: a closed one stands in for it"
    return make_step(entry, "restored", "" if has_account else stands_in)


APPLIED: dict[str, Callable[[Space, LostEntry], bool]] = {
    events.VIOLATION_FLAGGED: reapply_flags.flag,
    events.VIOLATION_LIFTED: reapply_flags.lift,
    events.VIOLATION_APPEALED: reapply_flags.appeal,
    events.VIOLATION_UPHELD: reapply_flags.uphold,
    events.APPEAL_DENIED: reapply_flags.decide,
    events.APPEAL_GRANTED: reapply_flags.decide,
    events.HOLD_PLACED: reapply_holds.place,
    events.HOLD_RELEASED: reapply_holds.release,
    events.HOLD_REVIEWED: reapply_holds.review,
    events.SPACE_RECEIVED: reapply_uploads.receive,
}


def _set_deadline(space: Space, entries: Sequence[LostEntry]) -> None:
    """Compute the deadline from the restored facts, under the policy in force at that time. It is never before the last
    logged deadline, so that nothing is deleted earlier than announced. A Space that is being deleted keeps its
    deadline."""
    space = Space.objects.prefetch_related("violations", "holds").get(pk=space.pk)
    policies = [entry.detail["policy"] for entry in entries if "policy" in entry.detail]
    rule = policy.RetentionPolicy(**policies[-1]) if policies else current_policy()
    facts = space.retention_facts()
    due = policy.deadline(facts, rule)
    moved = [entry.detail["after"] for entry in entries if entry.event == events.DEADLINE_MOVED]
    if due.at and moved and moved[-1]:
        due = replace(due, at=max(due.at, datetime.fromisoformat(moved[-1])))
    Space.objects.filter(pk=space.pk, state__in=Space.KEPT).update(
        expires_at=due.at, deadline_reasons=due.reasons_as_json()
    )
