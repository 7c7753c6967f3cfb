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
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from archive import cues, lifecycle, log, policy, work
from archive.errors import Changed, LeaseLost, Refused, StorageError, TooLate, Unreadable
from archive.intake import audio, transcripts
from archive.intake.finish import finish
from archive.intake.request import Request, check_words, checked_end
from archive.log import SYSTEM, Actor, events
from archive.models import Participant, Recording, Space, Transcript, User, current_rule
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
    ended_at = checked_end(request.ended_at)
    check_words(request)
    notes: list[str] = []
    spoken = _spoken(request, notes)
    heard = audio.measure(
        request.recording,
        longest_seconds=settings.MAX_RECORDING_SECONDS,
        accept_short=request.accept_short,
        step=lambda seconds: progress("listening", seconds, 0),
    )
    if heard.peak_dbfs is None or heard.peak_dbfs < -60:
        notes.append(f"{request.recording.name}: it is silent from end to end. It was taken in all the same.")
    sha256 = _sha256(request.recording)
    fingerprint = hashlib.sha256(f"{request.host.pk}|{ended_at.isoformat()}|{sha256}".encode()).hexdigest()
    space, created = _space(request, ended_at, fingerprint, actor)
    if not created and space.state != Space.State.RECEIVING:
        return Outcome(space, False, notes)
    _receive(space, request, heard, sha256, spoken, progress, actor)
    finish(space.id)
    space.refresh_from_db()
    if space.state == Space.State.PROCESSING:
        notes.append("Everything is stored. A worker makes it available as soon as the object store answers again.")
    return Outcome(space, True, notes)


def _spoken(request: Request, notes: list[str]) -> list[cues.Cue]:
    if request.transcript is None:
        return []
    try:
        return transcripts.parse(request.transcript)
    except Unreadable as error:
        if not request.skip_bad_transcript:
            raise Unreadable(f"{error} Give --skip-bad-transcript to take in the recording without it.") from error
        notes.append(f"{error} It was left out; the recording was taken in.")
        return []


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
            if "space_taken_in_once" not in str(error):
                raise
            here = Space.objects.filter(fingerprint=fingerprint).exclude(state__in=["rejected", "deleted"]).first()
            if here is not None and here.state == Space.State.EXPIRING:
                raise TooLate(f"This recording is here as {here.id}, and is being deleted.") from None
            if here is not None:
                return here, False
    raise Refused("Somebody else is taking in and discarding the same recording. Try again in a minute.")


def _new_space(request: Request, ended_at: datetime, fingerprint: str, actor: Actor) -> Space:
    due = policy.deadline(policy.Facts(ended_at), current_rule())
    space = Space.objects.create(
        host=request.host,
        title=request.title.replace("\x00", ""),
        audience=request.audience,
        ended_at=ended_at,
        expires_at=due.at,
        because=due.because,
        listeners_peak=request.listeners_peak,
        listeners_total=request.listeners_total,
        fingerprint=fingerprint,
    )
    seats: list[tuple[str, int, str, User | None]] = [
        (Participant.Role.HOST, 1, request.host.display_name, request.host)
    ]
    seats += [(Participant.Role.COHOST, seat, name, None) for seat, name in enumerate(request.cohosts, 1)]
    seats += [(Participant.Role.SPEAKER, seat, name, None) for seat, name in enumerate(request.speakers, 1)]
    for role, seat, name, user in seats:
        Participant.objects.create(space=space, role=role, seat=seat, name=name.strip()[:100], user=user)
    log.record(
        events.SPACE_OPENED,
        space_id=space.id,
        actor=actor,
        host=request.host.pk,
        ended_at=log.moment(ended_at),
        deadline=log.moment(due.at),
        because=list(due.codes),
        policy=vars(current_rule()),
        title=log.commitment(space.salt, space.title),
    )
    return space


def _receive(
    space: Space,
    request: Request,
    heard: audio.Measured,
    sha256: str,
    spoken: list[cues.Cue],
    progress: Progress,
    actor: Actor,
) -> None:
    """Store the objects, then write their rows and the transition to `processing` in one transaction."""
    claim = work.claim(Space, space.pk, [Space.State.RECEIVING])
    if claim is None:
        raise Refused(f"{space.id}: somebody is taking in this recording right now. Try again in a few minutes.")
    done, total = 0, request.recording.stat().st_size

    def step(count: int) -> None:
        nonlocal done
        done += count
        if done > total:
            raise Refused(f"{request.recording.name}: the file is still growing. Try again when it is complete.")
        claim.renew()
        progress("storing", done, total)

    try:
        for left, upload_id in store().listing(keys.prefix(space.id)).uploads:  # by an attempt that was killed
            store().abort(left, upload_id)
        sound = _write_recording(space, request.recording, heard, sha256, claim.renew, step)
        words = _write_transcript(space, spoken, request.language, claim.renew) if spoken else None
    except (Refused, StorageError) as error:
        if not claim.give_back(str(error), at_once=True):
            claim.renew()  # raises, and says what became of the Space: that matters more than what the store said
        raise
    except BaseException as error:  # Ctrl-C, a full disk: the same call can go on at once
        claim.give_back(type(error).__name__, at_once=True)
        raise

    with transaction.atomic():
        Recording.objects.create(space=space, **vars(sound), **vars(heard))
        if words is not None:
            Transcript.objects.create(space=space, language=request.language, cues=cues.dump(spoken), **vars(words))
        detail = {"size": sound.size, "sha256": sound.sha256, "crc32": sound.crc32, "duration_ms": heard.duration_ms}
        if not lifecycle.move(
            space, "receiving", "processing", actor=actor, only_if=claim.mine, detail=detail, problem="", **work.DONE
        ):
            raise LeaseLost(f"{space.id} is not being received any more")


def _write_recording(
    space: Space,
    path: Path,
    heard: audio.Measured,
    sha256: str,
    check: Callable[[], None],
    step: Callable[[int], None],
) -> Written:
    key = keys.recording(space.id, 1, heard.extension)
    try:
        with path.open("rb") as file:
            return write(store(), key, file, heard.content_type, check=check, step=step, sha256=sha256)
    except Changed as error:
        raise Refused(f"{path.name}: the file changed while it was read. Try again when it is complete.") from error


def _write_transcript(space: Space, spoken: list[cues.Cue], language: str, check: Callable[[], None]) -> Written:
    text = io.BytesIO(cues.to_vtt(spoken).encode())
    key = keys.transcript(space.id, 1, language)
    return write(store(), key, text, "text/vtt; charset=utf-8", check=check)
