"""Write new versions of a transcript: the object first, then its row. Uploaded transcripts use the same functions."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

from django.db import transaction

from archive import cues
from archive.cues import Cue
from archive.editing.permission import check_may_edit, lock_for_edit
from archive.errors import Conflict, Refused, SpacekeepError, StorageError
from archive.intake.limits import MAX_TRANSCRIPT_BYTES
from archive.intake.persist import TranscriptEdit, TranscriptOrigin, save_transcript, store_transcript
from archive.intake.uploads.sessions import check_host_bytes
from archive.log import Actor
from archive.models import Space, Transcript, User
from archive.storage import StoredVersion, store
from archive.storage.multipart import Written

MAX_VERSIONS = 200  # of a Space's transcript: the bundle has each of them, in four formats


@dataclass(frozen=True)
class NewVersion:
    """A version to be made from `base`. `lines` counts the changed lines, `speakers` the renamed speakers."""

    base: Transcript
    cues: Sequence[Cue]
    language: str
    lines: int
    speakers: int = 0


def newest_version(space: Space) -> Transcript:
    """Return the newest version. Raises Refused without a transcript."""
    newest = space.transcripts.last()
    if newest is None:
        raise Refused("edit.no_transcript")
    return newest


def find_version(space: Space, number: int) -> Transcript:
    """Return the version with this number. Raises Refused."""
    version = space.transcripts.filter(number=number).first() if 0 < number < 2**15 else None
    if version is None:
        raise Refused("edit.no_such_version", base=number)
    return version


def store_version(new: NewVersion, by: User, change: Callable[[Space], None] | None = None) -> Transcript:
    """Store `new` and save its row. `change` makes further changes to the Space in the transaction of the row.

    Raises Conflict if `base` is no longer the newest version, Refused, TooLate, StorageError; then nothing was changed.
    Call outside of transactions.
    """
    space_id, base = new.base.space_id, new.base
    _check_limits(new)
    stored = store_transcript(
        space_id, str(uuid4()), new.cues, new.language, lambda: check_may_edit(Space.objects.get(pk=space_id), by)
    )
    try:
        with transaction.atomic():
            space = lock_for_edit(space_id, by)
            require_newest(space, base)
            check_host_bytes(space.host_id, stored.size)
            if change is not None:
                change(space)
            edit = TranscriptEdit(by, base.number, new.lines, new.speakers)
            origin = TranscriptOrigin(Transcript.Source(base.source), edit=edit)
            return save_transcript(space_id, stored, new.cues, language=new.language, origin=origin, actor=Actor.of(by))
    except SpacekeepError:  # nothing was committed; after other errors that is unknown, and reconcile decides
        _remove(stored)
        raise


def require_newest(space: Space, base: Transcript) -> None:
    """Raise Conflict if there is a newer version than `base`. Call with the Space locked."""
    newest: int = space.transcripts.order_by("-number").values_list("number", flat=True)[0]
    if newest != base.number:
        raise Conflict("edit.transcript_changed", base=base.number, newest=newest)


def _check_limits(new: NewVersion) -> None:
    if new.base.number >= MAX_VERSIONS:
        raise Conflict("edit.too_many_versions", limit=MAX_VERSIONS)
    if len(cues.to_vtt(new.cues).encode()) > MAX_TRANSCRIPT_BYTES:
        raise Refused("transcript.too_large", limit=MAX_TRANSCRIPT_BYTES)


def _remove(stored: Written) -> None:
    with suppress(StorageError):  # if it stays, reconcile removes it
        store().delete((StoredVersion(stored.key, "", stored.size),))
