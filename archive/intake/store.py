"""Keeping what was taken in: objects first, outside of transactions; then their rows, in the caller's."""

import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from django.db.models import Max

from archive import cues, dbtime, log, search
from archive.cues import Cue
from archive.errors import TooLate
from archive.intake.audio.measure import AudioAnalysis
from archive.log import Actor, events
from archive.models import Derived, Recording, Space, Transcript, User
from archive.storage import keys, store, write
from archive.storage.multipart import Written

MADE = {
    Derived.Kind.PEAKS: (keys.peaks, "application/json"),
    Derived.Kind.ACCESS_COPY: (keys.access_copy, "audio/mp4"),
}


def fingerprint(space_host: User, ended_at: str, sha256: str) -> str:
    """What makes a recording the same one: whose it is, when the Space ended (ISO 8601, UTC), and its bytes. Hex."""
    return hashlib.sha256(f"{space_host.pk}|{ended_at}|{sha256}".encode()).hexdigest()


def store_derived(space_id: UUID, heard: AudioAnalysis, listening: Path, check: Callable[[], None]) -> list[Derived]:
    """Store the waveform, and the copy for browsers if one was made at `listening`. Returns rows that are not saved
    yet. Raises StorageError, and whatever `check` raises."""
    with io.BytesIO(heard.peaks) as peaks:
        made = [_derived(space_id, Derived.Kind.PEAKS, peaks, check)]
    if heard.listening:
        with listening.open("rb") as copy:
            made.append(_derived(space_id, Derived.Kind.ACCESS_COPY, copy, check))
    return made


def _derived(space_id: UUID, kind: Derived.Kind, source: "io.BufferedIOBase", check: Callable[[], None]) -> Derived:
    name, content_type = MADE[kind]
    written = write(store(), name(space_id), source, content_type, check=check, step=lambda count: check())  # type: ignore[arg-type]  # any readable
    return Derived(space_id=space_id, kind=kind, content_type=content_type, **vars(written))


def save_recording(space: Space, sound: Written, heard: AudioAnalysis, made: Sequence[Derived]) -> Recording:
    """The rows of a recording and of what was made from it, in the caller's transaction."""
    recording = Recording.objects.create(space=space, **vars(sound), **vars(heard.measured))
    Derived.objects.bulk_create(made)
    return recording


def store_transcript(
    space_id: UUID, name: str, spoken: Sequence[Cue], language: str, check: Callable[[], None]
) -> Written:
    """Store it as WebVTT. `name` is the work's own (the id of an upload, of a Transcription): a second attempt writes
    the same bytes to the same key, and two pieces of work never write to one. Raises StorageError, what `check`
    raises."""
    text = io.BytesIO(cues.to_vtt(spoken).encode())
    key = keys.transcript(space_id, name, language)
    return write(store(), key, text, "text/vtt; charset=utf-8", check=check)


def save_transcript(
    space_id: UUID, words: Written, spoken: Sequence[Cue], *, language: str, source: Transcript.Source, actor: Actor
) -> Transcript:
    """The rows of a transcript that was stored, in the caller's transaction: the newest is the one that is shown and
    searched; older ones stay. Raises TooLate when the Space's time has passed."""
    space = Space.objects.select_for_update().get(pk=space_id)
    if space.is_gone(dbtime.now()):
        raise TooLate("transcript.too_late")
    last: int = space.transcripts.aggregate(last=Max("number"))["last"] or 0
    kept = Transcript.objects.create(
        space=space, number=last + 1, language=language, source=source, cues=cues.dump(spoken), **vars(words)
    )
    search.index_transcript(kept)
    log.record(
        events.TRANSCRIPT_ADDED,
        space_id=space.id,
        actor=actor,
        number=kept.number,
        language=language,
        source=str(source),
        size=words.size,
        sha256=words.sha256,
    )
    return kept
