"""What the rows know of the store, for Spaces whose ids lie in a range: `after < id <= upto`, open where None."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from archive.models import Bundle, Derived, ExportPart, Recording, Space, Transcript, Transcription, UploadSession
from archive.models.space_queries import is_kept

STORED = (Recording, Transcript, Derived)
State = Space.State


def between(field: str, after: UUID | None, upto: UUID | None) -> Q:
    lower = Q() if after is None else Q(**{f"{field}__gt": after})
    return lower if upto is None else lower & Q(**{f"{field}__lte": upto})


def promised_keys(after: UUID | None, upto: UUID | None) -> dict[str, UUID]:
    """{key: Space} of every object that must be in the store: it has a row, and its Space is kept."""
    kept = between("space", after, upto) & is_kept(prefix="space__")
    found: dict[str, UUID] = {}
    for model in STORED:
        found |= dict(model._default_manager.filter(kept).values_list("key", "space_id"))
    ready = Bundle.objects.filter(kept, state=Bundle.State.READY)
    return found | dict(ready.values_list("key", "space_id"))


def known_keys(after: UUID | None, upto: UUID | None) -> set[str]:
    """Every key that a row has, whatever state it is in: somebody else sees to these."""
    inside = between("space", after, upto)
    found = {key for model in STORED for key in model._default_manager.filter(inside).values_list("key", flat=True)}
    found |= set(Bundle.objects.filter(inside).exclude(key="").values_list("key", flat=True))
    return found | set(UploadSession.objects.filter(inside).exclude(upload_id="").values_list("key", flat=True))


def busy(after: UUID | None, upto: UUID | None) -> set[UUID]:
    """Spaces that somebody writes to, or deletes: an object may be there whose row is about to be written. Only what is
    `available` or `rejected`, and has no work of any kind, is at rest."""
    inside = between("space", after, upto)
    at_rest = Q(state__in=[State.AVAILABLE, State.REJECTED])
    found = set(Space.objects.filter(between("pk", after, upto)).exclude(at_rest).values_list("pk", flat=True))
    for at_work in (
        Bundle.objects.filter(inside, state__in=Bundle.AT_WORK),
        Bundle.objects.filter(inside, state__in=Bundle.OVER, storage_cleared=False),
        Transcription.objects.filter(inside, state__in=Transcription.LIVE),
        UploadSession.objects.filter(inside, state__in=[UploadSession.State.OPEN, UploadSession.State.UPLOADED]),
    ):
        found |= set(at_work.values_list("space_id", flat=True))
    return found


def known_exports() -> set[UUID]:
    """Parts that somebody sees to: what is being made, what is ready, and what is over and not yet seen to be gone.
    Where another one's object is found, it is nobody's."""
    return set(ExportPart.objects.filter(storage_cleared=False).values_list("pk", flat=True))


def promised_exports() -> dict[UUID, str]:
    """{part: key} of those that are ready."""
    return dict(ExportPart.objects.filter(state=ExportPart.State.READY).values_list("pk", "key"))


def record_missing(key: str, *, missing: bool) -> dict[str, Any] | None:
    """Have the row of a stored object say whether the store has it. What the log is to say of that; None where the row
    said so before (archive/bundles/missing.py looks as well)."""
    for model in STORED:
        for row in model._default_manager.filter(key=key):
            if (row.missing_at is not None) == missing:
                return None
            model._default_manager.filter(pk=row.pk).update(missing_at=Now() if missing else None)
            return {"key": key, "size": row.size, "sha256": row.sha256}
    return {"key": key} if missing else None


def uploads() -> set[str]:
    """The ids of the multipart uploads that a row knows."""
    rows_with_uploads = (model._default_manager.exclude(upload_id="") for model in (UploadSession, Bundle, ExportPart))
    return {upload_id for rows in rows_with_uploads for upload_id in rows.values_list("upload_id", flat=True)}


def worked_on() -> set[UUID]:
    """Spaces and parts that somebody has claimed at this moment; their uploads need no row."""
    claimed = (model._default_manager.filter(lease_until__gt=Now()) for model in (Space, ExportPart))
    return {pk for rows in claimed for pk in rows.values_list("pk", flat=True)}
