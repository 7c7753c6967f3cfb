"""Taking in one recording from a file: heard first, stored next, available last.

What happens when it dies, at each step:

1. while the file is decoded and hashed: nothing was stored, nothing was written.
2. after the row was made (`receiving`): calling again with the same file goes on with the same Space. If
   nobody does, it is discarded after 24 hours without progress, or at its deadline.
3. while bytes are uploaded: the upload stays open and holds no object; the next attempt, or the purge, ends it.
4. after an object is complete but before its row is: the next attempt writes the same bytes to the same key again.
5. in `processing`: everything is stored; the dispatcher gives the rest to a worker.

Until step 2 has committed nobody was told that the recording is here; after step 5 it is.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from archive import cues, leases, lifecycle
from archive.errors import (
    LeaseLost,
    ObjectChanged,
    Refused,
    StorageError,
    TooLate,
    Unreadable,
    make_problem,
    violated_constraint,
)
from archive.intake import transcripts
from archive.intake.audio import measure
from archive.intake.examine import SILENT
from archive.intake.publish import finish
from archive.intake.register import NewSpace, participant_specs, register_space
from archive.intake.request import Request, validate_ended_at, validate_text
from archive.intake.spool import open_unnamed_file
from archive.intake.store import fingerprint, save_recording, save_transcript, store_derived, store_transcript
from archive.log import SYSTEM, Actor
from archive.models import Participant, Space, Transcript
from archive.storage import keys, store, write
from archive.storage.multipart import Written

BLOCK = 1024**2


@dataclass(frozen=True)
class Outcome:
    """`created` is False when the same recording was here already. `notes` are for the one who brought it."""

    space: Space
    created: bool
    notes: list[str] = field(default_factory=list)


# Called with (what is being done, done, total); seconds while listening, bytes while storing; total 0 when unknown.
Progress = Callable[[str, float, float], None]


def ingest(request: Request, progress: Progress = lambda what, done, total: None, actor: Actor = SYSTEM) -> Outcome:
    """Take in a recording, with its transcript if there is one. Returns when the Space is available.

    Raises Refused (Unreadable, TooLate) with nothing stored; StorageError when the store fails half way: then the Space
    waits in `receiving`, and the same call goes on with it.
    """
    ended_at = validate_ended_at(request.ended_at)
    validate_text(request)
    notes: list[str] = []
    _spoken(request, [])  # a transcript that can't be read is told before the long part
    with open_unnamed_file() as listening:
        heard = measure.measure(
            request.recording,
            longest_seconds=settings.MAX_RECORDING_SECONDS,
            accept_short=request.accept_short,
            step=lambda seconds: progress("listening", seconds, 0),
            listening=listening,
        )
        peak = heard.measured.peak_dbfs
        if peak is None or peak < SILENT:
            notes.append(f"{request.recording.name}: it is silent from end to end. It was taken in all the same.")
        spoken = _spoken(request, notes, ended_at - timedelta(milliseconds=heard.measured.duration_ms))
        sha256 = _sha256(request.recording)
        same = fingerprint(request.host, ended_at.isoformat(), sha256)
        space, created = _space(request, ended_at, same, actor)
        if not created and space.state != Space.State.RECEIVING:
            return Outcome(space, False, notes)
        _receive(space, request, ExaminedFiles(heard, sha256, listening, spoken), progress, actor)
    finish(space.id)
    space.refresh_from_db()
    if space.state == Space.State.PROCESSING:
        notes.append("Everything is stored. A worker makes it available as soon as the object store answers again.")
    return Outcome(space, True, notes)


def _spoken(request: Request, notes: list[str], began: datetime | None = None) -> list[cues.Cue]:
    """`began`: when the recording began, once its length is known."""
    if request.transcript is None:
        return []
    try:
        found = transcripts.parse(request.transcript, lenient=request.lenient_transcript, began=began)
    except Unreadable as error:
        if not request.skip_bad_transcript:
            raise Unreadable("transcript.give_option", reason=error.problem) from error
        notes.append(f"{error} It was left out; the recording was taken in.")
        return []
    notes += [f"{request.transcript.name}: {note}" for note in found.notes]
    return found.cues


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _space(request: Request, ended_at: datetime, fingerprint: str, actor: Actor) -> tuple[Space, bool]:
    """The Space for this recording: a new row in `receiving`, or the one that is here already."""
    for _ in range(3):  # between losing the race and looking, the winner may have been discarded
        try:
            with transaction.atomic():
                return _new_space(request, ended_at, fingerprint, actor), True
        except IntegrityError as error:
            if violated_constraint(error) != "space_ingested_once":
                raise
            here = Space.objects.filter(fingerprint=fingerprint).exclude(state__in=["rejected", "deleted"]).first()
            if here is not None and here.state == Space.State.EXPIRING:
                raise TooLate("intake.deletion_started", space=here.id) from None
            if here is not None:
                return here, False
    raise Refused("intake.race")


def _new_space(request: Request, ended_at: datetime, fingerprint: str, actor: Actor) -> Space:
    cohosts = participant_specs(Participant.Role.COHOST, request.cohosts)
    opening = NewSpace(
        host=request.host,
        ended_at=ended_at,
        title=request.title,
        audience=request.audience,
        participants=[*cohosts, *participant_specs(Participant.Role.SPEAKER, request.speakers)],
        listeners_peak=request.listeners_peak,
        listeners_total=request.listeners_total,
        transcribe=request.transcribe,
        fingerprint=fingerprint,
    )
    return register_space(opening, actor)


@dataclass(frozen=True)
class ExaminedFiles:
    """What was found in the files: the recording's measures and SHA-256, where its copy for browsers lies, what was
    said."""

    heard: measure.AudioAnalysis
    sha256: str
    listening: Path
    spoken: list[cues.Cue]


def _receive(space: Space, request: Request, brought: ExaminedFiles, progress: Progress, actor: Actor) -> None:
    """Store the objects, then write their rows and the transition to `processing` in one transaction."""
    claim = leases.claim(Space, space.pk, [Space.State.RECEIVING])
    if claim is None:
        raise Refused("intake.at_work", space=space.id)
    done, total = 0, request.recording.stat().st_size

    def step(count: int) -> None:
        nonlocal done
        done += count
        if done > total:
            raise Refused("intake.file_growing", file=request.recording.name)
        claim.renew()
        progress("storing", done, total)

    try:
        for left, upload_id in store().listing(keys.prefix(space.id)).uploads:  # by an attempt that was killed
            store().abort(left, upload_id)
        sound = _write_recording(space, request.recording, brought, claim.renew, step)
        made = store_derived(space.id, brought.heard, brought.listening, claim.renew)
        spoken, language = brought.spoken, request.language
        words = store_transcript(space.id, "1", spoken, language, claim.renew) if spoken else None
    except (Refused, StorageError) as error:
        if not claim.release_for_retry(error.problem, at_once=True):
            claim.renew()  # raises, and says what became of the Space: that matters more than what the store said
        raise
    except BaseException as error:  # Ctrl-C, a full disk: the same call can go on at once
        claim.release_for_retry(make_problem("intake.stopped", error=type(error).__name__), at_once=True)
        raise

    with transaction.atomic():
        kept = save_recording(space, sound, brought.heard, made)
        detail = {"size": sound.size, "sha256": sound.sha256, "crc32": sound.crc32, "duration_ms": kept.duration_ms}
        if not lifecycle.transition(
            space,
            "receiving",
            "processing",
            actor=actor,
            condition=claim.mine,
            detail=detail,
            problem={},
            **leases.RESET,
        ):
            raise LeaseLost("work.lease_lost", model="Space", id=space.id, state=space.state)
        if words is not None:
            source = Transcript.Source.GIVEN
            save_transcript(space.id, words, spoken, language=language, source=source, actor=actor)


def _write_recording(
    space: Space, path: Path, brought: ExaminedFiles, check: Callable[[], None], step: Callable[[int], None]
) -> Written:
    form = brought.heard.measured
    key = keys.recording(space.id, 1, form.extension)
    try:
        with path.open("rb") as file:
            return write(store(), key, file, form.content_type, check=check, step=step, sha256=brought.sha256)
    except ObjectChanged as error:
        raise Refused("intake.file_changed", file=path.name) from error
