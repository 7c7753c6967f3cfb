"""After a restore: find out what the database lacks, recover it, and end the pause of deletion.

`check` only reads. `apply` recovers the entries (recovery.py), and brings the rows up to date (reapply.py); after a
crash it is repeated. `confirm` ends the pause. The row of the restore keeps the number of common entries, so a second
`apply` knows where the first one started.
"""

import base64
import secrets
from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from archive import log, restores, signing_keys
from archive.database_roles import as_owner
from archive.errors import CheckpointMissing, Refused, SpacekeepError
from archive.log import Actor, events
from archive.models import DatabaseRestore, LogDay, LogLeaf, SigningKeyEvent, Space, User
from archive.moderation.recompute import validated_reason
from archive.storage import keys, store
from archive.transparency import checkpoints, reapply, recovery
from archive.transparency.reapply_step import Step
from archive.transparency.recovery import Comparison, LostEntry
from archive.transparency.tile_store import is_extended
from archive.transparency.verify_log import Checkpoint, Invalid

# Events that withdrew access. The restored database gives it back, until a person withdraws it again.
WITHDRAWALS = (
    *(events.TOKEN_REVOKED, events.ACCOUNT_ROLE_REVOKED, events.ACCOUNT_DEACTIVATED, events.ACCOUNT_CLOSED),
    *(events.ACCOUNT_PASSWORD_CHANGED, events.ACCOUNT_SESSIONS_ENDED, events.ACCOUNT_EMAIL_CHANGED),
    *(events.ACCOUNT_SECOND_FACTOR_REMOVED, events.ACCOUNT_SECOND_FACTORS_RESET, events.PARTICIPANT_UNLINKED),
    *(events.INVITATION_REVOKED, events.FEED_REVOKED, events.BUNDLE_LINKS_REVOKED, events.EXPORT_PART_LINKS_REVOKED),
    *(events.WEBHOOK_REMOVED, events.WEBHOOK_STOPPED, events.WEBHOOK_SECRET_REPLACED),
)
KEYS: dict[str, SigningKeyEvent.Change] = {
    events.LOG_KEY_ADDED: signing_keys.ADDED,
    events.LOG_KEY_RETIRED: signing_keys.RETIRED,
}
# What rows of a Space are brought up to date with.
OF_ROWS = {*reapply.APPLIED, events.SPACE_REGISTERED, events.SPACE_DELETED, events.DEADLINE_MOVED}
OF_SPACES = {*OF_ROWS, *WITHDRAWALS}
MOST_NAMED = 20  # steps in a message
# Events on which no row depends, so nothing is lost with them.
WITHOUT_ROWS = (*events.CONTENT_ISSUED, events.DELETION_STARTED, events.DELETION_INVENTORIED)


@dataclass
class Report:
    """`found`: entries of the checkpoint that revealed the restore, which is at `place`; `has_found`: whether the
    database has them. `size`: entries with an index in the database; `common`: how many of them the copy has too;
    `copied`: entries of the copy, None without one. `steps` matter for deletion; `withdrawn` withdrew access;
    `without_row`: Spaces that were registered after the backup, with their numbers of objects in the store; `lost`
    counts the other entries, by event."""

    paused: bool = False
    found: int | None = None
    place: str = ""
    has_found: bool = True
    size: int = 0
    common: int = 0
    copied: int | None = None
    last_common: int | None = None
    steps: list[Step] = field(default_factory=list)
    withdrawn: list[Step] = field(default_factory=list)
    without_row: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """How many entries of the copy the database lacks at their indices now."""
        return 0 if self.copied is None else self.copied - min(self.size, self.common)

    @property
    def open_steps(self) -> list[Step]:
        return [step for step in self.steps if step.outcome != "present"]

    @property
    def is_restored(self) -> bool:
        """Whether nothing that matters for deletion is left to restore: the database has everything in the copy, and
        everything that the found checkpoint covers."""
        return self.copied is not None and self.has_found and not self.missing and not self.open_steps

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"missing": self.missing, "is_restored": self.is_restored}


def check() -> Report:
    """Compare, and report what `apply` would do. Changes nothing, except that it records a new restore. Raises Refused,
    StorageError, Invalid."""
    found = _find()
    comparison = recovery.compare()
    if comparison is None:
        return Report(paused=found is not None, has_found=found is None)
    known = comparison.common if found is None or found.common is None else min(found.common, comparison.common)
    lost = recovery.lost_entries(comparison.copy, known)
    present = {*recovery.present_entries(comparison.copy, comparison.common), *(found.unnumbered if found else ())}
    report = _report(comparison, lost, present, is_paused=found is not None, applies=False)
    if found is not None:
        report.found, report.place, report.has_found = found.size, found.place, _has(found, comparison.size)
    return report


def _find() -> DatabaseRestore | None:
    """Return restores.find, or detect the restore by the store's tiles if its checkpoint is missing. Raises
    StorageError."""
    try:
        return restores.find()
    except CheckpointMissing:
        if found := checkpoints.find_larger_tree():
            return found
        raise


def _has(found: DatabaseRestore, size: int) -> bool:
    """Return whether the database's first `size` entries are, or begin with, those of the found checkpoint. The copy
    for the comparison may differ from it: a smaller one, if the store lacks tiles of the found one; or one of the same
    size from another log."""
    try:
        origin, _, root = found.checkpoint.split("\n")[:3]
        head = Checkpoint(origin, found.size, base64.b64decode(root, validate=True), "", ())
    except ValueError:  # only its size is known
        return not found.checkpoint and found.size <= size
    return is_extended(size, head)


def apply() -> Report:
    """Recover the entries, and bring the rows up to date. Idempotent. Call it outside of transactions. Raises Refused,
    StorageError, Invalid."""
    found = _find()
    comparison = recovery.compare()
    if found is None:
        raise Refused("restore.none")
    if comparison is None:
        raise Refused("restore.no_copy")
    if found.common is None or comparison.common < found.common:
        found.common = comparison.common
        found.save(update_fields=["common"])
    with as_owner():
        recovery.recover(comparison, found)
        lost = recovery.recovered_entries(found.common)
        _report(comparison, lost, set(found.unnumbered), is_paused=True, applies=True)
        _forget_days(found.common)
    found.applied_at = DatabaseRestore.objects.values_list(Now(), flat=True).get(pk=found.pk)
    found.save(update_fields=["applied_at"])
    return check()


def _forget_days(common: int) -> None:
    """Delete the figures of days that got entries back, so that they are computed again (archive/audit/days.py)."""
    for first in islice(recovery.recovered_entries(common), 1):
        LogDay.objects.filter(day__gte=first.at.date()).delete()


def confirm(reason: str, by: User, *, accept_losses: bool = False) -> tuple[DatabaseRestore, Report]:
    """End the pause of deletion. `accept_losses`: even if something is not restored. The report says what, as far as
    the copy can be read. Raises Refused, StorageError."""
    reason = validated_reason(reason, by, "restore.reason_missing")
    found = _find()
    if found is None:
        raise Refused("restore.none")
    report = _find_losses(accept_losses=accept_losses)
    salt = secrets.token_hex(16)
    with transaction.atomic():
        found = DatabaseRestore.objects.select_for_update().get(pk=found.pk)
        if found.state != DatabaseRestore.State.OPEN:  # confirmed by another operator in the meantime
            return found, report
        count = 0 if found.common is None else max(0, found.size - found.common)
        detail = {"size": found.size, "count": count if found.applied_at else 0, "reason": log.commitment(salt, reason)}
        log.record(events.LOG_RESTORE_CONFIRMED, space_id=None, actor=Actor.of(by), **detail)
        confirmed = {"state": DatabaseRestore.State.CONFIRMED, "confirmed_at": Now(), "confirmed_by": by.pk}
        DatabaseRestore.objects.filter(pk=found.pk).update(**confirmed, reason=reason, salt=salt)
    return found, report


def _find_losses(*, accept_losses: bool) -> Report:
    """Report what is not restored. Raises Refused if there is something, unless the operator accepts that."""
    try:
        report = check()
    except (SpacekeepError, Invalid):  # an unreadable copy must not pause deletion for ever
        if not accept_losses:
            raise
        return Report()
    if not accept_losses and not report.is_restored:
        shown = "".join(f"\n{step}" for step in report.open_steps[:MOST_NAMED])
        raise Refused("restore.not_applied", steps=shown)
    return report


def _report(
    comparison: Comparison, entries: Iterable[LostEntry], present: Set[int], *, is_paused: bool, applies: bool
) -> Report:
    report = Report(is_paused, size=comparison.size, common=comparison.common, copied=comparison.copy.head.size)
    report.last_common = LogLeaf.objects.filter(index=comparison.common - 1).values_list("entry_id", flat=True).first()
    by_space, others, lost = _sort(entry for entry in entries if entry.event in OF_ROWS or entry.id not in present)
    report.lost = dict(sorted(lost.items()))
    for space_id, of_space in by_space.items():
        report.steps += reapply.reapply(space_id, of_space, as_owner=applies)
        _describe_space(report, space_id, of_space)
    for entry in others:
        if entry.event in KEYS:
            report.steps.append(_restore_key(entry, applies=applies))
        else:
            report.withdrawn.append(_withdrawal(entry))
    return report


def _sort(
    entries: Iterable[LostEntry],
) -> tuple[dict[UUID, list[LostEntry]], list[LostEntry], Counter[str]]:
    """Return (entries by Space, other entries to handle, counts of the rest by event). Memory depends on what has to be
    done, not on what was lost."""
    by_space: dict[UUID, list[LostEntry]] = {}
    others: list[LostEntry] = []
    lost: Counter[str] = Counter()
    for entry in entries:
        if entry.space and entry.event in OF_SPACES:
            by_space.setdefault(entry.space, []).append(entry)
        elif entry.event in KEYS or entry.event in WITHDRAWALS:
            others.append(entry)
        elif entry.event not in WITHOUT_ROWS:
            lost[entry.event] += 1
    return by_space, others, lost


def _describe_space(report: Report, space_id: UUID, entries: list[LostEntry]) -> None:
    happened = {entry.event for entry in entries}
    report.withdrawn += [_withdrawal(entry) for entry in entries if entry.event in WITHDRAWALS]
    if events.SPACE_DELETED in happened:
        return
    state = Space.objects.filter(pk=space_id).values_list("state", flat=True).first()
    if state is None:
        report.without_row[str(space_id)] = len(store().versions(keys.prefix(space_id)))


def _withdrawal(entry: LostEntry) -> Step:
    shown = ", ".join(f"{name} {value}" for name, value in sorted(entry.detail.items()) if isinstance(value, int | str))
    return Step(entry.id, str(entry.event), str(entry.space or ""), entry.at.isoformat(), "by-hand", shown[:200])


def _restore_key(entry: LostEntry, *, applies: bool) -> Step:
    """Restore the history of a signing key, so that a retired key never signs again. The log has no endorsements, so
    LOG_PUBLIC_KEYS and CERTIFICATE_PUBLIC_KEYS must name keys that were added after the backup."""
    public = base64.b64decode(entry.detail["public"])
    facts = {"kind": entry.detail["kind"], "change": KEYS[entry.event], "public": public}
    is_there = SigningKeyEvent.objects.filter(**facts).exists()
    if applies and not is_there:
        SigningKeyEvent.objects.create(**facts, at=entry.at)
    outcome = "present" if is_there else "restored" if applies else "restorable"
    return Step(entry.id, str(entry.event), "", entry.at.isoformat(), outcome)
