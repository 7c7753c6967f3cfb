"""What must and may be in the store, according to the rows of Spaces with `after < id <= upto`. None: no bound."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from archive.models import Bundle, Derived, ExportPart, Recording, Space, Transcript, Transcription, UploadSession
from archive.models.space_queries import is_kept

STORED = (Recording, Transcript, Derived)
State = Space.State


def between(field: str, after: UUID | None, upto: UUID | None) -> Q:
    """Return the condition that `field` is in the range."""
    lower = Q() if after is None else Q(**{f"{field}__gt": after})
    return lower if upto is None else lower & Q(**{f"{field}__lte": upto})


def promised_keys(after: UUID | None, upto: UUID | None) -> dict[str, UUID]:
    """Return {key: Space id} of every object that must be in the store: it has a row, and its Space is kept."""
    kept = between("space", after, upto) & is_kept(prefix="space__")
    keys: dict[str, UUID] = {}
    for model in STORED:
        keys |= dict(model._default_manager.filter(kept).values_list("key", "space_id"))
    ready = Bundle.objects.filter(kept, state=Bundle.State.READY)
    return keys | dict(ready.values_list("key", "space_id"))


def known_keys(after: UUID | None, upto: UUID | None) -> set[str]:
    """Return every key that a row has, in any state: other code is responsible for these objects."""
    inside = between("space", after, upto)
    keys = {key for model in STORED for key in model._default_manager.filter(inside).values_list("key", flat=True)}
    keys |= set(Bundle.objects.filter(inside).exclude(key="").values_list("key", flat=True))
    return keys | set(UploadSession.objects.filter(inside).exclude(upload_id="").values_list("key", flat=True))


def busy(after: UUID | None, upto: UUID | None) -> set[UUID]:
    """Return the Spaces that may be written to or deleted now, so an object may exist before its row. All others are
    `available` or `rejected` and have no unfinished work."""
    inside = between("space", after, upto)
    at_rest = Q(state__in=[State.AVAILABLE, State.REJECTED])
    busy_ids = set(Space.objects.filter(between("pk", after, upto)).exclude(at_rest).values_list("pk", flat=True))
    for at_work in (
        Bundle.objects.filter(inside, state__in=Bundle.AT_WORK),
        Bundle.objects.filter(inside, state__in=Bundle.OVER, storage_cleared=False),
        Transcription.objects.filter(inside, state__in=Transcription.LIVE),
        UploadSession.objects.filter(inside, state__in=[UploadSession.State.OPEN, UploadSession.State.UPLOADED]),
    ):
        busy_ids |= set(at_work.values_list("space_id", flat=True))
    return busy_ids


def known_exports() -> set[UUID]:
    """Return the parts that may have objects: being built, ready, or failed or removed and not yet cleared. Objects of
    other parts are orphans."""
    return set(ExportPart.objects.filter(storage_cleared=False).values_list("pk", flat=True))


def promised_exports() -> dict[UUID, str]:
    """Return {part: key} of the parts that are ready."""
    return dict(ExportPart.objects.filter(state=ExportPart.State.READY).values_list("pk", "key"))


def record_missing(key: str, *, missing: bool) -> dict[str, Any] | None:
    """Mark the row of a stored object as missing, or as found again. Returns the detail for the log, or None if it was
    already marked (archive/bundles/missing.py marks rows, too)."""
    for model in STORED:
        for row in model._default_manager.filter(key=key):
            if (row.missing_at is not None) == missing:
                return None
            model._default_manager.filter(pk=row.pk).update(missing_at=Now() if missing else None)
            return {"key": key, "size": row.size, "sha256": row.sha256}
    return {"key": key} if missing else None


def uploads() -> set[str]:
    """Return the ids of all multipart uploads that have a row."""
    rows_with_uploads = (model._default_manager.exclude(upload_id="") for model in (UploadSession, Bundle, ExportPart))
    return {upload_id for rows in rows_with_uploads for upload_id in rows.values_list("upload_id", flat=True)}


def worked_on() -> set[UUID]:
    """Return the Spaces and parts with a current lease; their uploads may not have a row yet."""
    claimed = (model._default_manager.filter(lease_until__gt=Now()) for model in (Space, ExportPart))
    return {pk for rows in claimed for pk in rows.values_list("pk", flat=True)}
