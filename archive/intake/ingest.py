"""Ingest one recording from a local file: decode it, store it, make it available.

If the process is killed:

1. while the file is decoded and hashed: nothing was stored or written.
2. after the row was created (`receiving`): repeating the call resumes the same Space. Otherwise the Space is discarded
   after 24 hours without progress, or at its deadline.
3. while bytes are uploaded: an open upload without an object remains; the next attempt or the purge aborts it.
4. after an object is complete, before its row: the next attempt writes the same bytes to the same key.
5. in `processing`: everything is stored; the dispatcher has a worker finish it.

The upload is acknowledged only after step 5.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from archive import cues, leases, lifecycle, restores
from archive.error_messages import render
from archive.errors import (
    DeletionPaused,
    LeaseLost,
    ObjectChanged,
    Problem,
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
from archive.intake.persist import (
    TranscriptOrigin,
    fingerprint,
    save_recording,
    save_transcript,
    store_derived,
    store_transcript,
)
from archive.intake.publish import finish
from archive.intake.register import NewSpace, participant_specs, register_space
from archive.intake.request import Request, validate_ended_at, validate_text
from archive.intake.spool import open_unnamed_file
from archive.log import SYSTEM, Actor
from archive.models import Participant, Space, Transcript
from archive.models.stored import describe_copy
from archive.storage import keys, store, write
from archive.storage.multipart import Written

BLOCK = 1024**2


@dataclass(frozen=True)
class Outcome:
    """`created` is False if the same recording existed already. `notes` are for the caller.

    `transcript_problem` is why the transcript was not added, or {}.
    """

    space: Space
    created: bool
    notes: list[str] = field(default_factory=list)
    transcript_problem: Problem = field(default_factory=dict)


# Called with (step, done, total): seconds while "measuring", bytes while "storing"; total is 0 if unknown.
Progress = Callable[[str, float, float], None]


def ingest(request: Request, progress: Progress = lambda step, done, total: None, actor: Actor = SYSTEM) -> Outcome:
    """Ingest a recording, with its transcript if there is one. Returns when the Space is available.

    Raises Refused (Unreadable, TooLate) with nothing stored. Raises StorageError if the store fails half-way; the Space
    then stays in `receiving`, and the same call resumes it.
    """
    ended_at = validate_ended_at(request.ended_at)
    validate_text(request)
    notes: list[str] = []
    _parse_transcript(request, [])  # report an unreadable transcript before the long decode
    with open_unnamed_file() as access_copy:
        analysis = measure.measure(
            request.recording,
            longest_seconds=settings.MAX_RECORDING_SECONDS,
            accept_short=request.accept_short,
            step=lambda seconds: progress("measuring", seconds, 0),
            access_copy=access_copy,
        )
        peak = analysis.measured.peak_dbfs
        if peak is None or peak < SILENT:
            notes.append(f"{request.recording.name}: it is silent from end to end. It was taken in all the same.")
        unusual = [*analysis.notes, *describe_copy(analysis.access_copy_reason)]
        notes += [f"{request.recording.name}: {render(note)}" for note in unusual]
        transcript, language, problem = _parse_transcript(request, notes, ended_at, analysis.measured.duration_ms)
        sha256 = _sha256(request.recording)
        identity = fingerprint(request.host, ended_at.isoformat(), sha256)
        space, created = _get_or_create_space(request, ended_at, identity, actor)
        if not created and space.state != Space.State.RECEIVING:
            return Outcome(space, False, notes, problem or _find_missing(space, transcript))
        _store(space, request, ExaminedFiles(analysis, sha256, access_copy, transcript, language), progress, actor)
    finish(space.id)
    space.refresh_from_db()
    if space.state == Space.State.PROCESSING:
        notes.append("Everything is stored. A worker makes it available as soon as the object store answers again.")
    return Outcome(space, True, notes, problem)


def _parse_transcript(
    request: Request, notes: list[str], ended_at: datetime | None = None, duration_ms: int | None = None
) -> tuple[transcripts.Parsed | None, str, Problem]:
    """Parse the transcript, if any. Returns it, its language, and why it was skipped.

    The end of the recording and its length are given as soon as they are known.
    """
    if request.transcript is None:
        return None, request.language, {}
    began = ended_at - timedelta(milliseconds=duration_ms) if ended_at and duration_ms else None
    try:
        parsed = transcripts.parse(
            request.transcript, lenient=request.lenient_transcript, began=began, duration_ms=duration_ms
        )
    except Unreadable as error:
        if not request.skip_bad_transcript:
            raise Unreadable("transcript.give_option", reason=error.problem) from error
        notes.append(f"{error} It was left out; the recording was taken in.")
        return None, request.language, error.problem
    notes += [f"{request.transcript.name}: {note}" for note in parsed.notes]
    return parsed, (parsed.language or "und") if request.language == "und" else request.language, {}


def _find_missing(space: Space, transcript: transcripts.Parsed | None) -> Problem:
    """Return why a transcript was not added to an existing Space, or {} if it already has these lines."""
    if transcript is None:
        return {}
    lines = cues.dump(transcript.cues)
    has_them = any(one.cues == lines for one in space.transcripts.all())
    return {} if has_them else make_problem("import.transcript_not_added")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _get_or_create_space(request: Request, ended_at: datetime, fingerprint: str, actor: Actor) -> tuple[Space, bool]:
    """Return (space, created): a new row in `receiving`, or the existing Space with this fingerprint."""
    for _ in range(3):  # the winner of a race may have been discarded before we read it
        try:
            with transaction.atomic():
                return _create_space(request, ended_at, fingerprint, actor), True
        except IntegrityError as error:
            if violated_constraint(error) != "space_ingested_once":
                raise
            over = [Space.State.REJECTED, Space.State.DELETED]
            existing = Space.objects.filter(fingerprint=fingerprint).exclude(state__in=over).first()
            if existing is not None and existing.state == Space.State.EXPIRING:
                raise TooLate("intake.deletion_started", space=existing.id) from None
            if existing is not None:
                return existing, False
    raise Refused("intake.race")


def _create_space(request: Request, ended_at: datetime, fingerprint: str, actor: Actor) -> Space:
    cohosts = participant_specs(Participant.Role.COHOST, request.cohosts)
    new = NewSpace(
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
    return register_space(new, actor)


@dataclass(frozen=True)
class ExaminedFiles:
    """The recording's analysis and SHA-256, the file of its access copy, and the transcript and its language."""

    analysis: measure.AudioAnalysis
    sha256: str
    access_copy: Path
    transcript: transcripts.Parsed | None
    language: str


def _store(space: Space, request: Request, files: ExaminedFiles, progress: Progress, actor: Actor) -> None:
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
        _abort_earlier_uploads(space)
        recording_object = _write_recording(space, request.recording, files, claim.renew, step)
        derived = store_derived(space.id, files.analysis, files.access_copy, claim.renew)
        parsed, language = files.transcript, files.language
        lines = parsed.cues if parsed else []
        transcript = store_transcript(space.id, "1", lines, language, claim.renew) if lines else None
    except (Refused, StorageError, DeletionPaused) as error:
        if not claim.release_for_retry(error.problem, at_once=True):
            claim.renew()  # raises LeaseLost, which tells the caller more than the store's error
        raise
    except BaseException as error:  # Ctrl-C, a full disk: the same call can resume at once
        claim.release_for_retry(make_problem("intake.stopped", error=type(error).__name__), at_once=True)
        raise

    with transaction.atomic():
        recording = save_recording(space, recording_object, files.analysis, derived)
        detail = {
            "size": recording.size,
            "sha256": recording.sha256,
            "crc32": recording.crc32,
            "duration_ms": recording.duration_ms,
        }
        if not lifecycle.transition(
            space,
            Space.State.RECEIVING,
            Space.State.PROCESSING,
            actor=actor,
            condition=claim.still_held,
            detail=detail,
            problem={},
            **leases.RESET,
        ):
            raise LeaseLost("work.lease_lost", model="Space", id=space.id, state=space.state)
        if transcript is not None:
            origin = TranscriptOrigin(Transcript.Source.GIVEN, parsed.problems if parsed else ())
            save_transcript(space.id, transcript, lines, language=language, origin=origin, actor=actor)


def _abort_earlier_uploads(space: Space) -> None:
    """Abort the open uploads of a killed attempt. Raises DeletionPaused, StorageError."""
    uploads = store().listing(keys.prefix(space.id)).uploads
    if uploads:
        restores.require_no_pause()  # another upload for this Space may have been opened since a backup
    for key, upload_id in uploads:
        store().abort(key, upload_id)


def _write_recording(
    space: Space, path: Path, files: ExaminedFiles, check: Callable[[], None], step: Callable[[int], None]
) -> Written:
    audio = files.analysis.measured
    key = keys.recording(space.id, 1, audio.extension)
    try:
        with path.open("rb") as file:
            return write(store(), key, file, audio.content_type, check=check, step=step, sha256=files.sha256)
    except ObjectChanged as error:
        raise Refused("intake.file_changed", file=path.name) from error
