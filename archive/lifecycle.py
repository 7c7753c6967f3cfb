"""All legal transitions, in one table. A transition is a compare-and-set with its log entry in the same transaction.

Space      receiving -> processing -> available
           processing -> rejected          unreadable audio; the reason stays
           any of these -> expiring        the deadline came (the clock runs in every state before `deleted`), or,
                                           from `receiving`, nothing came for a day
           expiring -> deleted             nothing is left in the store
Upload     open -> arrived -> taken        a file on its way straight into the store; `taken`: what was in it is kept
           open -> aborted                 given up, or nothing came for a day
           arrived -> refused              not what it should be; the reason stays
           refused -> arrived              look again, and keep what can be read
Speech     requested -> running -> done    a transcript made by machine (Transcription)
           requested | running -> failed
Bundle     requested -> building -> ready -> removed
           building -> building            a new claim after a crash
           requested | building -> failed -> (asked again: a new bundle)
           ready -> failed                 read back, it was not what was taken in
Part     as a bundle
Notice     due -> sent                     the mail server took it
           due -> page                     no address to send it to: it stands on the page only
           due -> dropped                  no longer true when it was to be sent
           dropped -> due                  true again: a deadline that moved away and came back
           due -> failed                   the mail server will not take it
Violation  standing -> appealed -> standing | lifted,  standing -> lifted
Appeal     open -> denied | granted        each with the move of its violation: to standing, to lifted
Hold       standing -> released
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db import models, transaction
from django.db.models import Q

from archive import log
from archive.log import Actor, events
from archive.models import Appeal, Bundle, ExportPart, Hold, Notice, Space, Transcription, UploadSession, Violation

Row = Space | UploadSession | Transcription | Bundle | ExportPart | Notice | Violation | Appeal | Hold
R = TypeVar("R", bound=Row)

# (model, from, to) -> the event that the log gets
TRANSITIONS: dict[tuple[type[models.Model], str, str], str] = {
    (Space, "receiving", "processing"): events.SPACE_RECEIVED,
    (Space, "processing", "available"): events.SPACE_AVAILABLE,
    (Space, "processing", "rejected"): events.SPACE_REJECTED,
    (Space, "receiving", "expiring"): events.DELETION_STARTED,
    (Space, "processing", "expiring"): events.DELETION_STARTED,
    (Space, "available", "expiring"): events.DELETION_STARTED,
    (Space, "rejected", "expiring"): events.DELETION_STARTED,
    (Space, "expiring", "deleted"): events.SPACE_DELETED,
    (UploadSession, "open", "uploaded"): events.UPLOAD_COMPLETED,
    (UploadSession, "uploaded", "accepted"): events.UPLOAD_ACCEPTED,
    (UploadSession, "uploaded", "rejected"): events.UPLOAD_REJECTED,
    (UploadSession, "rejected", "uploaded"): events.UPLOAD_RETRIED,
    (UploadSession, "open", "aborted"): events.UPLOAD_ABORTED,
    (Transcription, "requested", "running"): events.TRANSCRIPTION_STARTED,
    (Transcription, "running", "done"): events.TRANSCRIPTION_DONE,
    (Transcription, "requested", "failed"): events.TRANSCRIPTION_FAILED,
    (Transcription, "running", "failed"): events.TRANSCRIPTION_FAILED,
    (Bundle, "requested", "building"): events.BUNDLE_STARTED,
    (Bundle, "building", "ready"): events.BUNDLE_READY,
    (Bundle, "requested", "failed"): events.BUNDLE_FAILED,
    (Bundle, "building", "failed"): events.BUNDLE_FAILED,
    (Bundle, "ready", "removed"): events.BUNDLE_REMOVED,
    (Bundle, "ready", "failed"): events.BUNDLE_FAILED,
    (ExportPart, "requested", "building"): events.EXPORT_PART_STARTED,
    (ExportPart, "building", "ready"): events.EXPORT_PART_READY,
    (ExportPart, "requested", "failed"): events.EXPORT_PART_FAILED,
    (ExportPart, "building", "failed"): events.EXPORT_PART_FAILED,
    (ExportPart, "ready", "failed"): events.EXPORT_PART_FAILED,
    (ExportPart, "ready", "removed"): events.EXPORT_PART_REMOVED,
    (Notice, "pending", "sent"): events.NOTICE_SENT,
    (Notice, "pending", "web-only"): events.NOTICE_WEB_ONLY,
    (Notice, "pending", "obsolete"): events.NOTICE_OBSOLETE,
    (Notice, "obsolete", "pending"): events.NOTICE_REQUEUED,
    (Notice, "pending", "failed"): events.NOTICE_FAILED,
    (Violation, "standing", "appealed"): events.VIOLATION_APPEALED,
    (Violation, "appealed", "standing"): events.VIOLATION_UPHELD,
    (Violation, "standing", "lifted"): events.VIOLATION_LIFTED,
    (Violation, "appealed", "lifted"): events.VIOLATION_LIFTED,
    (Appeal, "open", "denied"): events.APPEAL_DENIED,
    (Appeal, "open", "granted"): events.APPEAL_GRANTED,
    (Hold, "standing", "released"): events.HOLD_RELEASED,
}


def transition(
    row: Row,
    old: str,
    new: str,
    *,
    actor: Actor,
    condition: Q | None = None,
    detail: dict[str, Any] | None = None,
    **changes: Any,
) -> bool:
    """Move `row` from `old` to `new` with `changes`, and log it with `detail`. False: the race was lost, nothing
    changed. `only_if` is a further condition that the row must still meet (a fence, a deadline that has come).

    Raises KeyError for a transition that the table does not have.
    """
    event = TRANSITIONS[type(row), old, new]
    with transaction.atomic():
        rows = type(row)._default_manager.filter(pk=str(row.pk), state=old)
        if condition is not None:
            rows = rows.filter(condition)
        if not rows.update(state=new, **changes):
            return False
        log.record(event, space_id=space_id_of(row), actor=actor, **subject_of(row), **(detail or {}))
    row.state = new
    for name, value in changes.items():
        setattr(row, name, value)
    return True


def transition_all(
    rows: Sequence[R],
    old: str,
    new: str,
    *,
    actor: Actor,
    condition: Q,
    details: Mapping[Any, dict[str, Any]] | None = None,
    **changes: Any,
) -> list[R]:
    """`move` for many rows of one kind, in three statements. `details`: by primary key. Returns those that moved.

    Rows are locked in the order of their keys, so that two of these don't wait for each other; and one of many that
    somebody else holds at this moment is left alone, as a race that was lost. A single one is waited for.
    """
    if not rows:
        return []
    model = type(rows[0])
    event = TRANSITIONS[model, old, new]
    with transaction.atomic():
        there = model._default_manager.filter(condition, pk__in=[row.pk for row in rows], state=old).order_by("pk")
        locking = there.select_for_update(of=("self",), no_key=True, skip_locked=len(rows) > 1)
        locked: set[Any] = set(locking.values_list("pk", flat=True))
        moved = [row for row in rows if row.pk in locked]
        if not moved:
            return []
        model._default_manager.filter(pk__in=locked).update(state=new, **changes)
        told = [(space_id_of(row), {**subject_of(row), **((details or {}).get(row.pk) or {})}) for row in moved]
        log.record_all(event, told, actor=actor)
    for row in moved:
        row.state = new
        for name, value in changes.items():
            setattr(row, name, value)
    return moved


def space_id_of(row: Row) -> UUID | None:
    """The Space that it is about; None for a part, which is about several."""
    if isinstance(row, ExportPart):
        return None
    if isinstance(row, Appeal):
        return row.violation.space_id
    return row.id if isinstance(row, Space) else row.space_id


def subject_of(row: Row) -> dict[str, str]:
    """{kind: id} of what moved, for the log; nothing for a Space, which the entry names anyway."""
    names = {
        UploadSession: "upload",
        Transcription: "transcription",
        Bundle: "bundle",
        ExportPart: "export_part",
        Notice: "notice",
        Violation: "violation",
        Appeal: "appeal",
        Hold: "hold",
    }
    return {} if isinstance(row, Space) else {names[type(row)]: str(row.pk)}
