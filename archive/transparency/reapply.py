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

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now
from psycopg.errors import LockNotAvailable

from archive import export_revocation, leases, notices, policy
from archive.accounts import closing
from archive.errors import ObjectMissing
from archive.log import events
from archive.models import (
    Appeal,
    DeletionCertificate,
    Hold,
    Rule,
    Space,
    UploadSession,
    User,
    Violation,
    current_policy,
)
from archive.retention import tombstone
from archive.storage import keys, store
from archive.transparency.recovery import LostEntry

ATTEMPTS = 20  # at the transaction of a Space, if other transactions hold its locks
MAX_LOCK_WAIT = "500ms"  # less than PostgreSQL's deadlock_timeout (1 s), after which it would abort a transaction
OUTCOMES = {"restored": "restorable"}  # of a rehearsal
LOST = "(Lost. Entry {number} of the retention log, of {at}, records it.)"
# A sequence is not rolled back, which is harmless.
NEXT_NUMBER = """
SELECT setval(pg_get_serial_sequence('{table}', 'id'),
    greatest((SELECT max(id) FROM {table}), nextval(pg_get_serial_sequence('{table}', 'id'))))
"""


@dataclass(frozen=True)
class Step:
    """The result for an entry. `outcome`: restored; restorable (in a rehearsal); present (nothing to do); or by-hand,
    with the reason."""

    entry: int
    event: str
    space: str
    at: str
    outcome: str
    why: str = ""

    def __str__(self) -> str:
        return f"entry {self.entry}, {self.event} of Space {self.space}" + (f": {self.why}" if self.why else "")


class _ByHand(Exception):
    """The effect of an entry can't be restored from the log alone."""


def reapply(space_id: UUID, entries: Sequence[LostEntry], *, as_owner: bool) -> list[Step]:
    """Bring the rows of a Space up to date with `entries`: all of its lost entries, oldest first.

    `as_owner`: set the times that the entries have. Otherwise change nothing: a rehearsal. Raises StorageError.
    """
    ends = [entry for entry in entries if entry.event == events.SPACE_DELETED]
    certificate = _read_certificate(ends[-1]) if ends else None
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
        steps += [_delete(space, entry, certificate) for entry in ends]
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
    except _ByHand as error:
        why = str(error)
        if entry.event == events.HOLD_PLACED and not _is_released(entry, entries):
            why = ". ".join(filter(None, [why, _protect(space, entry)]))
        return _step(entry, "by-hand", why)
    if not changed:
        return _step(entry, "present")
    stands_in = f"account {entry.actor} is not in this database: a closed one stands in for it"
    return _step(entry, "restored", "" if has_account else stands_in)


def _step(entry: LostEntry, outcome: str, why: str = "") -> Step:
    return Step(entry.id, str(entry.event), str(entry.space), entry.at.isoformat(), outcome, why)


def _flag(space: Space, entry: LostEntry) -> bool:
    pk, by = int(entry.detail["violation"]), _account(entry)
    if known := Violation.objects.filter(pk=pk).first():
        return _same((known.space_id, known.flagged_by_id) == (space.pk, by.pk), f"flag {pk}")
    rule = Rule.objects.filter(code=entry.detail["rule"], number=entry.detail["rule_version"]).first()
    _require_no_deletion(space)
    if rule is None:
        raise _ByHand(f"this database does not have version {entry.detail['rule_version']} of its rule")
    Violation.objects.create(pk=pk, space=space, rule=rule, reason=_lost(entry), flagged_by=by, flagged_at=entry.at)
    Space.objects.filter(pk=space.pk, reviewed_at=None).update(reviewed_at=entry.at, reviewed_by=by)
    return True


def _lift(space: Space, entry: LostEntry) -> bool:
    by, at = _account(entry), datetime.fromisoformat(entry.detail["lifted_at"])
    violation = _violation(space, entry)
    if violation.state == Violation.State.LIFTED:
        return False
    return _change(violation, state=Violation.State.LIFTED, lifted_at=at, lifted_by=by, lift_reason=_lost(entry))


def _appeal(space: Space, entry: LostEntry) -> bool:
    violation, pk, by = _violation(space, entry), int(entry.detail["appeal"]), _account(entry)
    if known := Appeal.objects.filter(pk=pk).first():
        return _same(known.violation_id == violation.pk, f"appeal {pk}")
    Appeal.objects.create(pk=pk, violation=violation, statement=_lost(entry), created_by=by, created_at=entry.at)
    return _change(violation, state=Violation.State.APPEALED)


def _decide(space: Space, entry: LostEntry) -> bool:
    appeal = Appeal.objects.filter(pk=int(entry.detail["appeal"]), violation__space=space).first()
    if appeal is None:
        raise _ByHand("its appeal is not in this database")
    if appeal.state != Appeal.State.OPEN:
        return False
    state = Appeal.State.GRANTED if entry.event == events.APPEAL_GRANTED else Appeal.State.DENIED
    return _change(appeal, state=state, decided_at=entry.at, decided_by=_account(entry), decision_reason=_lost(entry))


def _uphold(space: Space, entry: LostEntry) -> bool:
    violation = _violation(space, entry)
    return violation.state == Violation.State.APPEALED and _change(violation, state=Violation.State.STANDING)


def _place_hold(space: Space, entry: LostEntry) -> bool:
    pk, by = int(entry.detail["hold"]), _account(entry)
    if known := Hold.objects.filter(pk=pk).first():
        return _same((known.space_id, known.placed_by_id) == (space.pk, by.pk), f"legal hold {pk}")
    review_on = entry.detail.get("review_on")
    _require_no_deletion(space)
    Hold.objects.create(pk=pk, space=space, reason=_lost(entry), placed_by=by, placed_at=entry.at, review_on=review_on)
    return True


def _is_released(entry: LostEntry, entries: Sequence[LostEntry]) -> bool:
    released = {int(one.detail["hold"]) for one in entries if one.event == events.HOLD_RELEASED}
    return int(entry.detail["hold"]) in released


def _protect(space: Space, entry: LostEntry) -> str:
    """Place a hold under another number instead of one that can't be restored. Returns a message for the operator.
    Without the row, triggers refuse a Space without a deadline."""
    if space.state in Space.DELETING:
        return ""
    reason = _lost(entry)
    hold = space.holds.filter(reason=reason).first()
    if hold is None:
        hold = Hold.objects.create(space=space, reason=reason, placed_by=_stand_in(entry), placed_at=entry.at)
    return f"Legal hold {hold.pk} protects the Space instead, until an admin releases it"


def _require_no_deletion(space: Space) -> None:
    if space.state in Space.DELETING:
        raise _ByHand("this database started its deletion after the restore: nothing protects it when you confirm")


def _release_hold(space: Space, entry: LostEntry) -> bool:
    hold = _hold(space, entry)
    if hold.state == Hold.State.RELEASED:
        return False
    return _change(
        hold,
        state=Hold.State.RELEASED,
        released_at=entry.at,
        released_by=_account(entry),
        release_reason=_lost(entry),
    )


def _review_hold(space: Space, entry: LostEntry) -> bool:
    hold, day = _hold(space, entry), entry.detail.get("review_on")
    return (hold.review_on and hold.review_on.isoformat()) != day and _change(hold, review_on=day)


def _receive(space: Space, entry: LostEntry) -> bool:
    """Complete the upload of a Space whose recording came after the backup, so that workers examine and publish it.
    Otherwise the Space would be deleted as abandoned, with its recording. Raises StorageError."""
    if space.state != Space.State.RECEIVING:
        return False
    opened = space.uploads.filter(state=UploadSession.State.OPEN)
    upload = next((one for one in opened if str(one.pk) == entry.detail.get("upload")), None)
    if upload is None:
        if not store().versions(keys.prefix(space.pk)):
            return False
        raise _ByHand(
            "the store has its recording, and this database no upload of it: copy it before you confirm, as the Space"
            " is deleted as abandoned"
        )
    try:
        stored = store().head(upload.key)
    except ObjectMissing:  # it was rejected
        return False
    UploadSession.objects.filter(pk=upload.pk).update(
        state=UploadSession.State.UPLOADED, etag=stored.etag, problem={}, **leases.RESET
    )
    Space.objects.filter(pk=space.pk).update(state=Space.State.PROCESSING, problem={}, **leases.RESET)
    return True


APPLIED: dict[str, Callable[[Space, LostEntry], bool]] = {
    events.VIOLATION_FLAGGED: _flag,
    events.VIOLATION_LIFTED: _lift,
    events.VIOLATION_APPEALED: _appeal,
    events.VIOLATION_UPHELD: _uphold,
    events.APPEAL_DENIED: _decide,
    events.APPEAL_GRANTED: _decide,
    events.HOLD_PLACED: _place_hold,
    events.HOLD_RELEASED: _release_hold,
    events.HOLD_REVIEWED: _review_hold,
    events.SPACE_RECEIVED: _receive,
}


def _violation(space: Space, entry: LostEntry) -> Violation:
    found = space.violations.filter(pk=int(entry.detail["violation"])).first()
    if found is None:
        raise _ByHand("its flag is not in this database")
    return found


def _hold(space: Space, entry: LostEntry) -> Hold:
    found = space.holds.filter(pk=int(entry.detail["hold"])).first()
    if found is None:
        raise _ByHand("its legal hold is not in this database")
    return found


def _account(entry: LostEntry) -> User:
    """Return the account that caused the entry, or a stand-in. Raises _ByHand if its number belongs to another account,
    created since the restore."""
    account = User.objects.filter(pk=entry.actor or 0).first()
    if account is None:
        return _stand_in(entry)
    is_stand_in = account.username == closing.NAME.format(pk=account.pk)
    _same(is_stand_in or account.date_joined <= entry.at, f"account {entry.actor}")
    return account


def _stand_in(entry: LostEntry) -> User:
    """Return a closed account (archive/accounts/closing.py) for a lost one, with its number unless that is taken."""
    is_taken = entry.actor is None or User.objects.filter(pk=entry.actor).exists()
    name = f"lost #{entry.actor}" if is_taken else closing.NAME.format(pk=entry.actor)
    closed = {"password": make_password(None), "is_active": False, "date_joined": entry.at, "closed_at": Now()}
    account, _ = User.objects.get_or_create(
        username=name, defaults={**closed, **({} if is_taken else {"pk": entry.actor})}
    )
    return account


def _same(is_same: bool, what: str) -> bool:
    """Return False if the row is the same one, so nothing is to do. Raises _ByHand for another row with its number."""
    if not is_same:
        raise _ByHand(f"{what} of this database is another one, which was made since the restore")
    return False


def _change(row: Violation | Appeal | Hold, **changes: Any) -> bool:
    return bool(type(row)._default_manager.filter(pk=row.pk).update(**changes))


def _lost(entry: LostEntry) -> str:
    return LOST.format(number=entry.id, at=f"{entry.at:%Y-%m-%d %H:%M} UTC")


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
        expires_at=due.at,
        deadline_reasons=due.reasons_as_json(),
        is_flagged=None in facts.lifted_at,
        is_appealed=any(violation.state == Violation.State.APPEALED for violation in space.violations.all()),
    )


def _read_certificate(entry: LostEntry) -> str | None:
    """Return the certificate that this entry records, byte for byte; None if the store lacks it. The entry has its
    SHA-256, and the checkpoint signs the entry."""
    assert entry.space is not None
    try:
        document = store().get(keys.certificate_copy(entry.space))
    except ObjectMissing:
        return None
    return document.decode() if hashlib.sha256(document).hexdigest() == entry.detail["certificate"] else None


def _delete(space: Space | None, entry: LostEntry, document: str | None) -> Step:
    """Make the Space deleted again, at that time and with that certificate. The store was empty then; the daily check
    (archive/retention/recheck.py) removes objects that came back since."""
    assert entry.space is not None
    changed = _add_certificate(entry.space, document)
    if space is not None and space.state != Space.State.DELETED:
        if space.holds.filter(state=Hold.State.STANDING).exists():
            return _step(entry, "by-hand", "a legal hold of this database stands: release it, then repeat")
        _write_tombstone(space, entry)
        changed = True
    has_certificate = DeletionCertificate.objects.filter(pk=entry.space).exists()
    if not has_certificate:
        return _step(entry, "by-hand", "the store does not have its certificate; the entry proves the deletion")
    return _step(entry, "restored" if changed else "present")


def _add_certificate(space_id: UUID, document: str | None) -> bool:
    if document is None or DeletionCertificate.objects.filter(pk=space_id).exists():
        return False
    facts = json.loads(document)
    issued_at = datetime.fromisoformat(facts["issued_at"])
    DeletionCertificate.objects.create(space_id=space_id, key_id=facts["key"], document=document, issued_at=issued_at)
    return True


def _write_tombstone(space: Space, entry: LostEntry) -> None:
    deadline = entry.detail["deadline"] and datetime.fromisoformat(entry.detail["deadline"])
    export_revocation.revoke([space])
    Space.objects.filter(pk=space.pk).update(
        state=Space.State.DELETED,
        expires_at=deadline or space.expires_at,
        deleted_at=datetime.fromisoformat(entry.detail["listed_empty_at"]),
        **tombstone.SCRUBBED,
        **leases.RESET,
    )
    tombstone.scrub([space])
    notices.dismiss([space])
