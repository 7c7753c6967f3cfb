"""Bring the rows of a restored database up to date with the entries that it had lost: flags, lifts, appeals, holds,
releases, deadlines, and deletions with the certificates that were issued.

Nothing is logged: the entries that were recovered (recovery.py) are the record. Each Space is one transaction, and each
step looks at what is there before it writes, so all of it can be repeated. What only a person can do is returned.

The log has no texts. Where a reason or a statement was lost, the row says which entry recorded it.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from archive import export_revocation, leases, notices, policy
from archive.errors import ObjectMissing
from archive.log import events
from archive.models import Appeal, DeletionCertificate, Hold, Rule, Space, User, Violation, current_policy
from archive.retention import tombstone
from archive.storage import keys, store
from archive.transparency.recovery import LostEntry

LOST = "(Lost. Entry {number} of the retention log, of {at}, records it.)"
# A sequence is not rolled back, which does no harm.
NEXT_NUMBER = """
SELECT setval(pg_get_serial_sequence('{table}', 'id'),
    greatest((SELECT max(id) FROM {table}), nextval(pg_get_serial_sequence('{table}', 'id'))))
"""


@dataclass(frozen=True)
class Step:
    """What became of an entry. `outcome`: restored; present (its effect was there); or by-hand, with the reason."""

    entry: int
    event: str
    space: str
    at: str
    outcome: str
    why: str = ""


class _ByHand(Exception):
    """The effect of an entry can't be restored from the log alone."""


def reapply(space_id: UUID, entries: Sequence[LostEntry], *, as_owner: bool) -> list[Step]:
    """Bring the rows of a Space up to date with these entries, which are all of it that were lost, oldest first.

    `as_owner`: times are set as the entries have them. Otherwise nothing is changed: a rehearsal. Raises StorageError.
    """
    ends = [entry for entry in entries if entry.event == events.SPACE_DELETED]
    certificate = _read_certificate(ends[-1]) if ends else None
    with transaction.atomic(), _own_times() if as_owner else nullcontext():
        space = Space.objects.select_for_update().filter(pk=space_id).first()
        steps = [_apply(space, entry) for entry in entries if space and entry.event in APPLIED]
        if any(step.outcome != "present" for step in steps):
            _set_deadline(space_id, entries)
        steps += [_delete(space, entry, certificate) for entry in ends[-1:]]
        if not as_owner:
            transaction.set_rollback(True)
    return steps


@contextmanager
def _own_times() -> Iterator[None]:
    """A trigger sets the time of each flag, which decisions of two people rest on; the owner of the table gives it the
    one that it had. Rows get the numbers that they had, too, and later ones the numbers after these."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE archive_violation DISABLE TRIGGER archive_flag_sets_time")
        yield
        for model in (Violation, Appeal, Hold):
            cursor.execute(NEXT_NUMBER.format(table=model._meta.db_table))
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waits for the commit would keep the table as it is
        cursor.execute("ALTER TABLE archive_violation ENABLE TRIGGER archive_flag_sets_time")


def _apply(space: Space, entry: LostEntry) -> Step:
    try:
        changed = APPLIED[entry.event](space, entry)
    except _ByHand as error:
        return _step(entry, "by-hand", str(error))
    return _step(entry, "restored" if changed else "present")


def _step(entry: LostEntry, outcome: str, why: str = "") -> Step:
    return Step(entry.id, str(entry.event), str(entry.space), entry.at.isoformat(), outcome, why)


def _flag(space: Space, entry: LostEntry) -> bool:
    pk, by = int(entry.detail["violation"]), _account(entry)
    if known := Violation.objects.filter(pk=pk).first():
        return _same((known.space_id, known.flagged_by_id) == (space.pk, by.pk), f"flag {pk}")
    rule = Rule.objects.filter(code=entry.detail["rule"], number=entry.detail["rule_version"]).first()
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
    Hold.objects.create(pk=pk, space=space, reason=_lost(entry), placed_by=by, placed_at=entry.at, review_on=review_on)
    return True


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
    """Who did it. Raises _ByHand where the account was created since."""
    found = User.objects.filter(pk=entry.actor or 0).first()
    if found is None:
        raise _ByHand(f"this database does not have account {entry.actor}, which did it")
    return found


def _same(is_same: bool, what: str) -> bool:
    """False, as it is there already. Raises _ByHand if its number belongs to another one, made since the restore."""
    if not is_same:
        raise _ByHand(f"{what} of this database is another one, which was made since the restore")
    return False


def _change(row: Violation | Appeal | Hold, **changes: Any) -> bool:
    return bool(type(row)._default_manager.filter(pk=row.pk).update(**changes))


def _lost(entry: LostEntry) -> str:
    return LOST.format(number=entry.id, at=f"{entry.at:%Y-%m-%d %H:%M} UTC")


def _set_deadline(space_id: UUID, entries: Sequence[LostEntry]) -> None:
    """Compute the deadline from the facts that were restored, under the policy that was in force. It is never before
    the one that was logged last: nothing is deleted earlier than it was announced."""
    space = Space.objects.prefetch_related("violations", "holds").get(pk=space_id)
    policies = [entry.detail["policy"] for entry in entries if "policy" in entry.detail]
    rule = policy.RetentionPolicy(**policies[-1]) if policies else current_policy()
    facts = space.retention_facts()
    due = policy.deadline(facts, rule)
    moved = [entry.detail["after"] for entry in entries if entry.event == events.DEADLINE_MOVED]
    if due.at and moved and moved[-1]:
        due = replace(due, at=max(due.at, datetime.fromisoformat(moved[-1])))
    Space.objects.filter(pk=space_id).update(
        expires_at=due.at,
        deadline_reasons=due.reasons_as_json(),
        is_flagged=None in facts.lifted_at,
        is_appealed=any(violation.state == Violation.State.APPEALED for violation in space.violations.all()),
    )


def _read_certificate(entry: LostEntry) -> str | None:
    """The certificate that this entry records, byte for byte; None if the store does not have it. The entry has its
    SHA-256, and the checkpoint signs the entry."""
    assert entry.space is not None
    try:
        document = store().get(keys.certificate_copy(entry.space))
    except ObjectMissing:
        return None
    return document.decode() if hashlib.sha256(document).hexdigest() == entry.detail["certificate"] else None


def _delete(space: Space | None, entry: LostEntry, document: str | None) -> Step:
    """Make the Space what it was: deleted at that time, with that certificate. The store had nothing of it any more
    when it was; what came back to it since is removed by the daily check (archive/retention/recheck.py)."""
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
