"""All legal transitions, in one table. A transition is a compare-and-set with its log entry in the same transaction.

Space          receiving -> processing -> available
               processing -> rejected          unreadable audio; the reason stays on the row
               any of these -> expiring        the deadline came (it applies in every state before `deleted`), or, from
                                               `receiving`, there was no progress for a day
               expiring -> deleted             the store holds nothing of it any more
UploadSession  open -> uploaded -> accepted    a file sent straight into the store; `accepted`: its content was stored
               open -> aborted                 aborted by its uploader, or no progress for a day
               uploaded -> rejected            not what it should be; the reason stays on the row
               rejected -> uploaded            examine again, and accept what can be read
Arrival        waiting -> pending -> copying -> examining -> accepted  a recording that a recorder left for us
               waiting | pending | copying | examining -> refused  the reason stays on the row
               copying | examining -> pending  its Space was deleted before the recording was examined
               refused -> pending              an operator asks for another attempt
Transcription  requested -> running -> done    an automatic transcript
               requested | running -> failed
Bundle         requested -> building -> ready -> removed
               requested | building -> failed  requesting again makes a new row
               ready -> failed                 read back, a member differs from the upload
ExportPart     as a bundle
Notice         pending -> sent                 the mail server accepted it
               pending -> web-only             the user has no address: it is shown on the page only
               pending -> obsolete             no longer true when it was to be sent
               obsolete -> pending             true again: a deadline moved away and came back
               pending -> failed               the mail server will never accept it
Digest         pending -> sent                 set just before the weekly mail goes to the mail server
               pending -> empty                the week had no news
               sent -> pending                 the mail server did not accept it; it will be retried
               pending | sent -> failed        the mail server will never accept it, or its answer was lost
WebhookDelivery
               pending -> delivered            the receiver answered 2xx
               pending -> failed               no attempt is left, or nothing is sent to its endpoint any more
               delivered | failed -> pending   an admin asks to send it again
Violation      standing -> appealed -> standing | lifted
               standing -> lifted
Appeal         open -> denied | granted        each with its violation's transition: to standing, to lifted
Hold           standing -> released
Invitation     pending -> open                 the mail server accepted it, or the link was shown
               pending -> failed               the mail server will never accept it
               pending | open | failed -> pending  a new link is to be mailed
               open | failed -> open           a new link was shown
               pending | open -> accepted      the account was created
               pending | open | failed -> revoked

A crash leaves the state as it is: another worker claims the row (archive/leases.py).
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Q

from archive import log
from archive.log import Actor, events
from archive.models import (
    Appeal,
    Arrival,
    Bundle,
    Digest,
    ExportPart,
    Hold,
    Invitation,
    Notice,
    Space,
    Transcription,
    UploadSession,
    Violation,
    WebhookDelivery,
)

Row = (
    Space
    | UploadSession
    | Arrival
    | Transcription
    | Bundle
    | ExportPart
    | Notice
    | Digest
    | WebhookDelivery
    | Violation
    | Appeal
    | Hold
    | Invitation
)
State = models.TextChoices
R = TypeVar("R", bound=Row)

# (model, from, to) -> the event to log
TRANSITIONS: dict[tuple[type[models.Model], State, State], events.Event] = {
    (Space, Space.State.RECEIVING, Space.State.PROCESSING): events.SPACE_RECEIVED,
    (Space, Space.State.PROCESSING, Space.State.AVAILABLE): events.SPACE_AVAILABLE,
    (Space, Space.State.PROCESSING, Space.State.REJECTED): events.SPACE_REJECTED,
    (Space, Space.State.RECEIVING, Space.State.EXPIRING): events.DELETION_STARTED,
    (Space, Space.State.PROCESSING, Space.State.EXPIRING): events.DELETION_STARTED,
    (Space, Space.State.AVAILABLE, Space.State.EXPIRING): events.DELETION_STARTED,
    (Space, Space.State.REJECTED, Space.State.EXPIRING): events.DELETION_STARTED,
    (Space, Space.State.EXPIRING, Space.State.DELETED): events.SPACE_DELETED,
    (UploadSession, UploadSession.State.OPEN, UploadSession.State.UPLOADED): events.UPLOAD_COMPLETED,
    (UploadSession, UploadSession.State.UPLOADED, UploadSession.State.ACCEPTED): events.UPLOAD_ACCEPTED,
    (UploadSession, UploadSession.State.UPLOADED, UploadSession.State.REJECTED): events.UPLOAD_REJECTED,
    (UploadSession, UploadSession.State.REJECTED, UploadSession.State.UPLOADED): events.UPLOAD_RETRIED,
    (UploadSession, UploadSession.State.OPEN, UploadSession.State.ABORTED): events.UPLOAD_ABORTED,
    (Arrival, Arrival.State.WAITING, Arrival.State.PENDING): events.ARRIVAL_ANNOUNCED,
    (Arrival, Arrival.State.PENDING, Arrival.State.COPYING): events.ARRIVAL_STARTED,
    (Arrival, Arrival.State.COPYING, Arrival.State.EXAMINING): events.ARRIVAL_COPIED,
    (Arrival, Arrival.State.EXAMINING, Arrival.State.ACCEPTED): events.ARRIVAL_ACCEPTED,
    (Arrival, Arrival.State.WAITING, Arrival.State.REFUSED): events.ARRIVAL_REFUSED,
    (Arrival, Arrival.State.PENDING, Arrival.State.REFUSED): events.ARRIVAL_REFUSED,
    (Arrival, Arrival.State.COPYING, Arrival.State.REFUSED): events.ARRIVAL_REFUSED,
    (Arrival, Arrival.State.EXAMINING, Arrival.State.REFUSED): events.ARRIVAL_REFUSED,
    (Arrival, Arrival.State.COPYING, Arrival.State.PENDING): events.ARRIVAL_RESTARTED,
    (Arrival, Arrival.State.EXAMINING, Arrival.State.PENDING): events.ARRIVAL_RESTARTED,
    (Arrival, Arrival.State.REFUSED, Arrival.State.PENDING): events.ARRIVAL_RESTARTED,
    (Transcription, Transcription.State.REQUESTED, Transcription.State.RUNNING): events.TRANSCRIPTION_STARTED,
    (Transcription, Transcription.State.RUNNING, Transcription.State.DONE): events.TRANSCRIPTION_DONE,
    (Transcription, Transcription.State.REQUESTED, Transcription.State.FAILED): events.TRANSCRIPTION_FAILED,
    (Transcription, Transcription.State.RUNNING, Transcription.State.FAILED): events.TRANSCRIPTION_FAILED,
    (Bundle, Bundle.State.REQUESTED, Bundle.State.BUILDING): events.BUNDLE_STARTED,
    (Bundle, Bundle.State.BUILDING, Bundle.State.READY): events.BUNDLE_READY,
    (Bundle, Bundle.State.REQUESTED, Bundle.State.FAILED): events.BUNDLE_FAILED,
    (Bundle, Bundle.State.BUILDING, Bundle.State.FAILED): events.BUNDLE_FAILED,
    (Bundle, Bundle.State.READY, Bundle.State.FAILED): events.BUNDLE_FAILED,
    (Bundle, Bundle.State.READY, Bundle.State.REMOVED): events.BUNDLE_REMOVED,
    (ExportPart, ExportPart.State.REQUESTED, ExportPart.State.BUILDING): events.EXPORT_PART_STARTED,
    (ExportPart, ExportPart.State.BUILDING, ExportPart.State.READY): events.EXPORT_PART_READY,
    (ExportPart, ExportPart.State.REQUESTED, ExportPart.State.FAILED): events.EXPORT_PART_FAILED,
    (ExportPart, ExportPart.State.BUILDING, ExportPart.State.FAILED): events.EXPORT_PART_FAILED,
    (ExportPart, ExportPart.State.READY, ExportPart.State.FAILED): events.EXPORT_PART_FAILED,
    (ExportPart, ExportPart.State.READY, ExportPart.State.REMOVED): events.EXPORT_PART_REMOVED,
    (Notice, Notice.State.PENDING, Notice.State.SENT): events.NOTICE_SENT,
    (Notice, Notice.State.PENDING, Notice.State.WEB_ONLY): events.NOTICE_WEB_ONLY,
    (Notice, Notice.State.PENDING, Notice.State.OBSOLETE): events.NOTICE_OBSOLETE,
    (Notice, Notice.State.OBSOLETE, Notice.State.PENDING): events.NOTICE_REQUEUED,
    (Notice, Notice.State.PENDING, Notice.State.FAILED): events.NOTICE_FAILED,
    (Digest, Digest.State.PENDING, Digest.State.SENT): events.DIGEST_SENT,
    (Digest, Digest.State.PENDING, Digest.State.EMPTY): events.DIGEST_EMPTY,
    (Digest, Digest.State.SENT, Digest.State.PENDING): events.DIGEST_REQUEUED,
    (Digest, Digest.State.PENDING, Digest.State.FAILED): events.DIGEST_FAILED,
    (Digest, Digest.State.SENT, Digest.State.FAILED): events.DIGEST_FAILED,
    (WebhookDelivery, WebhookDelivery.State.PENDING, WebhookDelivery.State.DELIVERED): events.WEBHOOK_DELIVERED,
    (WebhookDelivery, WebhookDelivery.State.PENDING, WebhookDelivery.State.FAILED): events.WEBHOOK_FAILED,
    (WebhookDelivery, WebhookDelivery.State.DELIVERED, WebhookDelivery.State.PENDING): events.WEBHOOK_REQUEUED,
    (WebhookDelivery, WebhookDelivery.State.FAILED, WebhookDelivery.State.PENDING): events.WEBHOOK_REQUEUED,
    (Violation, Violation.State.STANDING, Violation.State.APPEALED): events.VIOLATION_APPEALED,
    (Violation, Violation.State.APPEALED, Violation.State.STANDING): events.VIOLATION_UPHELD,
    (Violation, Violation.State.STANDING, Violation.State.LIFTED): events.VIOLATION_LIFTED,
    (Violation, Violation.State.APPEALED, Violation.State.LIFTED): events.VIOLATION_LIFTED,
    (Appeal, Appeal.State.OPEN, Appeal.State.DENIED): events.APPEAL_DENIED,
    (Appeal, Appeal.State.OPEN, Appeal.State.GRANTED): events.APPEAL_GRANTED,
    (Hold, Hold.State.STANDING, Hold.State.RELEASED): events.HOLD_RELEASED,
    (Invitation, Invitation.State.PENDING, Invitation.State.OPEN): events.INVITATION_ISSUED,
    (Invitation, Invitation.State.OPEN, Invitation.State.OPEN): events.INVITATION_ISSUED,
    (Invitation, Invitation.State.FAILED, Invitation.State.OPEN): events.INVITATION_ISSUED,
    (Invitation, Invitation.State.PENDING, Invitation.State.FAILED): events.INVITATION_FAILED,
    (Invitation, Invitation.State.PENDING, Invitation.State.PENDING): events.INVITATION_RENEWED,
    (Invitation, Invitation.State.OPEN, Invitation.State.PENDING): events.INVITATION_RENEWED,
    (Invitation, Invitation.State.FAILED, Invitation.State.PENDING): events.INVITATION_RENEWED,
    (Invitation, Invitation.State.PENDING, Invitation.State.ACCEPTED): events.INVITATION_ACCEPTED,
    (Invitation, Invitation.State.OPEN, Invitation.State.ACCEPTED): events.INVITATION_ACCEPTED,
    (Invitation, Invitation.State.PENDING, Invitation.State.REVOKED): events.INVITATION_REVOKED,
    (Invitation, Invitation.State.OPEN, Invitation.State.REVOKED): events.INVITATION_REVOKED,
    (Invitation, Invitation.State.FAILED, Invitation.State.REVOKED): events.INVITATION_REVOKED,
}


def transition(
    row: Row,
    old: State,
    new: State,
    *,
    actor: Actor,
    condition: Q | None = None,
    detail: dict[str, Any] | None = None,
    **changes: Any,
) -> bool:
    """Move `row` from `old` to `new` with `changes`, and log it with `detail`. Returns False, without any change, when
    the row was no longer in `old` or did not meet `condition` (a fence, a deadline that has passed).

    Raises KeyError for a transition that is not in the table.
    """
    event = TRANSITIONS[type(row), old, new]
    with transaction.atomic():
        rows = type(row)._default_manager.filter(pk=str(row.pk), state=old)
        if condition is not None:
            rows = rows.filter(condition)
        if not rows.update(state=new, **changes):
            return False
        log.record(event, space_id=row.log_space_id, actor=actor, **row.log_subject, **(detail or {}))
    _apply(row, new, changes)
    return True


def transition_all(
    rows: Sequence[R],
    old: State,
    new: State,
    *,
    actor: Actor,
    condition: Q,
    details: Mapping[Any, dict[str, Any]] | None = None,
    **changes: Any,
) -> list[R]:
    """Make the same transition for many rows of one model, in three statements. `details`: by primary key. Returns the
    rows that moved.

    Rows are locked in key order to avoid deadlocks. With several rows, locked ones are skipped, as if they had lost a
    race; a single row waits for its lock.
    """
    if not rows:
        return []
    model = type(rows[0])
    event = TRANSITIONS[model, old, new]
    with transaction.atomic():
        in_state = model._default_manager.filter(condition, pk__in=[row.pk for row in rows], state=old).order_by("pk")
        locking = in_state.select_for_update(of=("self",), no_key=True, skip_locked=len(rows) > 1)
        locked: set[Any] = set(locking.values_list("pk", flat=True))
        moved = [row for row in rows if row.pk in locked]
        if not moved:
            return []
        model._default_manager.filter(pk__in=locked).update(state=new, **changes)
        entries = [(row.log_space_id, {**row.log_subject, **((details or {}).get(row.pk) or {})}) for row in moved]
        log.record_all(event, entries, actor=actor)
    for row in moved:
        _apply(row, new, changes)
    return moved


def _apply(row: Row, state: State, changes: Mapping[str, Any]) -> None:
    """Update the object in memory to match the database."""
    for name, value in {"state": state.value, **changes}.items():
        setattr(row, name, value)
