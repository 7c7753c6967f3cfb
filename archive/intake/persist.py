"""Save the results of intake: derived files and transcripts in the store, and the rows of these and of recordings.

Objects come first, outside transactions; rows in the caller's transaction. The bytes of an upload do not pass through
here: clients send them to the store (uploads/).
"""

import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from django.db.models import Max

from archive import cues, dbtime, log, search
from archive.cues import Cue
from archive.errors import Problem, TooLate
from archive.intake.audio.measure import AudioAnalysis
from archive.log import Actor, events
from archive.models import Derived, Recording, Space, Transcript, UploadSession, User
from archive.storage import keys, store, write
from archive.storage.multipart import Written

DERIVED = {
    Derived.Kind.PEAKS: (keys.peaks, "application/json"),
    Derived.Kind.ACCESS_COPY: (keys.access_copy, "audio/mp4"),
}


def fingerprint(space_host: User, ended_at: str, sha256: str) -> str:
    """Identify a recording by its host, the end of the Space (ISO 8601, UTC) and its bytes, so it is ingested once."""
    return hashlib.sha256(f"{space_host.pk}|{ended_at}|{sha256}".encode()).hexdigest()


def store_derived(
    space_id: UUID, analysis: AudioAnalysis, access_copy: Path, check: Callable[[], None]
) -> list[Derived]:
    """Store the waveform, and the access copy if one was made. Returns unsaved rows.

    Raises StorageError, and whatever `check` raises.
    """
    with io.BytesIO(analysis.peaks) as peaks:
        rows = [_store_derived(space_id, Derived.Kind.PEAKS, peaks, check)]
    if analysis.has_access_copy:
        with access_copy.open("rb") as copy:
            rows.append(_store_derived(space_id, Derived.Kind.ACCESS_COPY, copy, check))
        rows[-1].reason = analysis.access_copy_reason
    return rows


def _store_derived(
    space_id: UUID, kind: Derived.Kind, source: "io.BufferedIOBase", check: Callable[[], None]
) -> Derived:
    key_of, content_type = DERIVED[kind]
    written = write(store(), key_of(space_id), source, content_type, check=check, step=lambda count: check())  # type: ignore[arg-type]  # any readable
    return Derived(space_id=space_id, kind=kind, content_type=content_type, **vars(written))


def save_recording(space: Space, stored: Written, analysis: AudioAnalysis, derived: Sequence[Derived]) -> Recording:
    """Save the rows of a stored recording and of its derived files, in the caller's transaction."""
    facts = vars(analysis.measured)
    recording = Recording.objects.create(
        space=space, notes=analysis.notes, chapters=analysis.chapters, **vars(stored), **facts
    )
    Derived.objects.bulk_create(derived)
    search.index_spaces(space.pk)
    return recording


def store_transcript(
    space_id: UUID, name: str, lines: Sequence[Cue], language: str, check: Callable[[], None]
) -> Written:
    """Store a transcript as WebVTT.

    `name` identifies the work (the id of an upload or a Transcription), so a second attempt writes the same bytes to
    the same key, and two pieces of work never share a key. Raises StorageError, and whatever `check` raises.
    """
    text = io.BytesIO(cues.to_vtt(lines).encode())
    key = keys.transcript(space_id, name, language)
    return write(store(), key, text, "text/vtt; charset=utf-8", check=check)


class TranscriptEdit(NamedTuple):
    """The origin of an edited transcript: who edited which version (None: a recorder, or a deleted account), and how
    many lines and speakers differ."""

    editor: User | None
    edited_from: int
    lines: int
    speakers: int


class TranscriptOrigin(NamedTuple):
    """The origin of a transcript. `notes` lists repairs of its file, `upload` is its upload session."""

    source: Transcript.Source
    notes: Sequence[Problem] = ()
    upload: UploadSession | None = None
    edit: TranscriptEdit | None = None

    @property
    def author(self) -> User | None:
        """The user who uploaded or edited it."""
        if self.edit is not None:
            return self.edit.editor
        return self.upload.created_by if self.upload else None


def save_transcript(
    space_id: UUID,
    stored: Written,
    lines: Sequence[Cue],
    *,
    language: str,
    origin: TranscriptOrigin,
    actor: Actor,
) -> Transcript:
    """Save the rows of a stored transcript, in the caller's transaction. Pages show and search the newest one.

    Raises TooLate when the Space's deadline has passed.
    """
    space = Space.objects.select_for_update().get(pk=space_id)
    if space.is_gone(dbtime.now()):
        raise TooLate("transcript.too_late")
    last: int = space.transcripts.aggregate(last=Max("number"))["last"] or 0
    transcript = Transcript.objects.create(
        space=space,
        number=last + 1,
        language=language,
        source=origin.source,
        cues=cues.dump(lines),
        notes=list(origin.notes),
        uploaded_by=origin.author,
        edited_from=origin.edit.edited_from if origin.edit else None,
        **vars(stored),
    )
    search.index_transcript(transcript)
    if transcript.number == 1:  # a review without a transcript had nothing to read; a later version changes nothing
        Space.objects.filter(pk=space.pk).reopen_review()
    log.record(
        events.TRANSCRIPT_EDITED if origin.edit else events.TRANSCRIPT_ADDED,
        space_id=space.id,
        actor=actor,
        number=transcript.number,
        language=language,
        source=str(origin.source),
        size=stored.size,
        sha256=stored.sha256,
        **_uploader(origin.upload),
        **_edit(origin.edit),
    )
    return transcript


def _edit(edit: TranscriptEdit | None) -> dict[str, object]:
    """Return the facts of an edit for the log: only numbers."""
    if edit is None:
        return {}
    return {"edited_from": edit.edited_from, "lines": edit.lines, "speakers": edit.speakers}


def _uploader(upload: UploadSession | None) -> dict[str, object]:
    """Return who uploaded the file, for the log, where the worker that reads it is the actor."""
    if upload is None:
        return {}
    if upload.recorder_id is not None:
        return {"recorder": str(upload.recorder_id)}
    return {"account": upload.created_by_id}
