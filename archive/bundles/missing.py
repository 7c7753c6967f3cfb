"""Check that the objects for a bundle still exist. Used where BUNDLE_MISSING_OBJECTS allows gaps."""

from contextlib import suppress
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models.functions import Now

from archive import log
from archive.errors import ObjectMissing, StorageError
from archive.log import SYSTEM, events
from archive.models import Derived, Recording, Space
from archive.storage import store

logger = structlog.get_logger()


def missing_sources(space: Space) -> None:
    """Record for each recording (and copy for browsers) whether the store has it now. A change is logged, and a loss
    raises an alert. Raises StoreDenied, StoreUnavailable."""
    copies = space.derived.filter(kind=Derived.Kind.ACCESS_COPY)
    sounds: list[Recording | Derived] = [*space.recordings.all(), *copies]
    for kept in sounds:
        missing = not _is_there(kept)
        if missing != (kept.missing_at is not None):
            _note(kept, missing)


def check_sources(space_id: UUID) -> None:
    """Check a Space with missing objects again: if they are back, the next bundle should have no gap."""
    space = Space.objects.filter(pk=space_id, recordings__missing_at__isnull=False).first()
    if space is not None:
        with suppress(StorageError):  # then the existing bundle is as good as before
            missing_sources(space)


def _is_there(kept: Recording | Derived) -> bool:
    try:
        return store().head(kept.key).is_one(kept.size, kept.etag)
    except ObjectMissing:
        return False


def _note(kept: Recording | Derived, missing: bool) -> None:
    with transaction.atomic():
        type(kept)._default_manager.filter(pk=kept.pk).update(missing_at=Now() if missing else None)
        event = events.OBJECT_MISSING if missing else events.OBJECT_FOUND
        log.record(event, space_id=kept.space_id, actor=SYSTEM, key=kept.key, size=kept.size, sha256=kept.sha256)
    if missing:
        logger.error("object_missing", key=kept.key)
