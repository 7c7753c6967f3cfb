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
Volume     as a bundle
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
from archive.models import Appeal, Bundle, Hold, Notice, Space, Transcription, UploadSession, Violation, Volume

Row = Space | UploadSession | Transcription | Bundle | Volume | Notice | Violation | Appeal | Hold
R = TypeVar("R", bound=Row)

# (model, from, to) -> the event that the log gets
TRANSITIONS: dict[tuple[type[models.Model], str, str], str] = {
    (Space, "receiving", "processing"): events.SPACE_RECEIVED,
    (Space, "processing", "available"): events.SPACE_AVAILABLE,
    (Space, "processing", "rejected"): events.SPACE_REJECTED,
    (Space, "receiving", "expiring"): events.DELETION_BEGAN,
    (Space, "processing", "expiring"): events.DELETION_BEGAN,
    (Space, "available", "expiring"): events.DELETION_BEGAN,
    (Space, "rejected", "expiring"): events.DELETION_BEGAN,
    (Space, "expiring", "deleted"): events.SPACE_DELETED,
    (UploadSession, "open", "arrived"): events.UPLOAD_ARRIVED,
    (UploadSession, "arrived", "taken"): events.UPLOAD_TAKEN,
    (UploadSession, "arrived", "refused"): events.UPLOAD_REFUSED,
    (UploadSession, "refused", "arrived"): events.UPLOAD_RETRIED,
    (UploadSession, "open", "aborted"): events.UPLOAD_ABORTED,
    (Transcription, "requested", "running"): events.SPEECH_STARTED,
    (Transcription, "running", "done"): events.SPEECH_DONE,
    (Transcription, "requested", "failed"): events.SPEECH_FAILED,
    (Transcription, "running", "failed"): events.SPEECH_FAILED,
    (Bundle, "requested", "building"): events.BUNDLE_STARTED,
    (Bundle, "building", "ready"): events.BUNDLE_READY,
    (Bundle, "requested", "failed"): events.BUNDLE_FAILED,
    (Bundle, "building", "failed"): events.BUNDLE_FAILED,
    (Bundle, "ready", "removed"): events.BUNDLE_REMOVED,
    (Bundle, "ready", "failed"): events.BUNDLE_FAILED,
    (Volume, "requested", "building"): events.VOLUME_STARTED,
    (Volume, "building", "ready"): events.VOLUME_READY,
    (Volume, "requested", "failed"): events.VOLUME_FAILED,
    (Volume, "building", "failed"): events.VOLUME_FAILED,
    (Volume, "ready", "failed"): events.VOLUME_FAILED,
    (Volume, "ready", "removed"): events.VOLUME_REMOVED,
    (Notice, "due", "sent"): events.NOTICE_SENT,
    (Notice, "due", "page"): events.NOTICE_SHOWN,
    (Notice, "due", "dropped"): events.NOTICE_DROPPED,
    (Notice, "dropped", "due"): events.NOTICE_DUE,
    (Notice, "due", "failed"): events.NOTICE_FAILED,
    (Violation, "standing", "appealed"): events.VIOLATION_APPEALED,
    (Violation, "appealed", "standing"): events.VIOLATION_STANDS,
    (Violation, "standing", "lifted"): events.VIOLATION_LIFTED,
    (Violation, "appealed", "lifted"): events.VIOLATION_LIFTED,
    (Appeal, "open", "denied"): events.APPEAL_DENIED,
    (Appeal, "open", "granted"): events.APPEAL_GRANTED,
    (Hold, "standing", "released"): events.HOLD_RELEASED,
}


def move(
    row: Row,
    old: str,
    new: str,
    *,
    actor: Actor,
    only_if: Q | None = None,
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
        if only_if is not None:
            rows = rows.filter(only_if)
        if not rows.update(state=new, **changes):
            return False
        log.record(event, space_id=space_id_of(row), actor=actor, **subject_of(row), **(detail or {}))
    row.state = new
    for name, value in changes.items():
        setattr(row, name, value)
    return True


def move_all(
    rows: Sequence[R],
    old: str,
    new: str,
    *,
    actor: Actor,
    only_if: Q,
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
        there = model._default_manager.filter(only_if, pk__in=[row.pk for row in rows], state=old).order_by("pk")
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
    """The Space that it is about; None for a volume, which is about several."""
    if isinstance(row, Volume):
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
        Volume: "volume",
        Notice: "notice",
        Violation: "violation",
        Appeal: "appeal",
        Hold: "hold",
    }
    return {} if isinstance(row, Space) else {names[type(row)]: str(row.pk)}
