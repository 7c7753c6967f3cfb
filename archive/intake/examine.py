"""Validate an uploaded recording. Uploads bypass the app, so its content is still untrusted.

If the process is killed, the Space stays in `processing` and the next claim starts over. The downloaded copy is an
unnamed file that disappears with the process, and derived objects are written again to the same keys. All rows are
written in one transaction; after it, `finish` only verifies that every object exists.

A rejected recording is deleted, and it may be the only copy. So before a file is blamed, the decoder must have decoded
a known good one (self_test.py), and a file is blamed for a crashed decoder only after several attempts.

A recording is rejected in three idempotent steps: record the reason and stop further uploads; delete its objects and
verify that; move the Space to `rejected`. No step is made while deletion is paused (archive/restores.py).
"""

import json
import time

from django.conf import settings
from django.db import IntegrityError, transaction

from archive import leases, lifecycle, log, restores
from archive.errors import (
    DecoderDied,
    DecoderFailed,
    LeaseLost,
    Problem,
    Refused,
    Unreadable,
    violated_constraint,
)
from archive.intake.audio import measure, self_test
from archive.intake.persist import fingerprint, save_recording, store_derived
from archive.intake.spool import SpooledFile, open_unnamed_file, spool_object
from archive.intake.uploads.verify import AnnouncedChecksums
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import Derived, Space, UploadSession
from archive.storage import keys, store
from archive.storage.multipart import Written
from archive.storage.purge_prefix import purge_listing, require_empty

State = UploadSession.State
SILENT = -60  # dBFS: a recording whose loudest sample is below has no sound
TICK = 1.0  # seconds between two writes of progress
MOST_DEATHS = 5  # attempts in which the decoder may die, for example for lack of memory, before the file is blamed


class Progress:
    """Writes the progress of a step to the Space's row, at most once a TICK, and renews the lease."""

    def __init__(self, claim: Claim[Space]) -> None:
        self.claim, self.step, self.at = claim, "", 0.0

    def show(self, step: Space.ProcessingStep, done: int, total: int) -> None:
        """Show progress. `done` and `total` in bytes or milliseconds; total 0: unknown. Raises LeaseLost."""
        now = time.monotonic()
        if step != self.step or now - self.at >= TICK:
            self.step, self.at = step, now
            self.claim.renew(processing_step=step, processing_step_done=done, processing_step_total=total)


def examine(claim: Claim[Space]) -> None:
    """Read back, measure and save the uploaded recording of the claimed Space. Raises Refused when it can't be
    accepted, DecoderFailed, StorageError, LeaseLost."""
    space, progress = claim.row, Progress(claim)
    upload = space.uploads.get(kind=UploadSession.Kind.RECORDING, state=UploadSession.State.UPLOADED)

    def read(done: int) -> None:
        progress.show(Space.ProcessingStep.CHECKING, done, upload.size)

    announced = AnnouncedChecksums(upload)
    with (
        spool_object(upload.key, upload.size, upload.etag, read, announced.update) as file,
        open_unnamed_file() as access_copy,
    ):
        announced.check()
        _check_new(space, upload, file)
        try:
            heard = measure.measure(
                file.path,
                name=upload.name,
                longest_seconds=settings.MAX_RECORDING_SECONDS,
                step=lambda seconds: progress.show(Space.ProcessingStep.MEASURING, round(seconds * 1000), 0),
                access_copy=access_copy,
            )
        except Unreadable as error:
            _check_decoder(claim, error)
            raise
        made = store_derived(space.id, heard, access_copy, claim.renew)
    sound = Written(upload.key, upload.size, file.sha256, file.crc32, upload.etag)
    _keep(claim, upload, sound, heard, made)


def _check_decoder(claim: Claim[Space], error: Unreadable) -> None:
    """Raise DecoderFailed unless the file is to blame for `error`."""
    if isinstance(error, DecoderDied) and claim.attempt < MOST_DEATHS:
        raise DecoderFailed("audio.decoder_died") from error
    claim.renew()
    self_test.run()


def _check_new(space: Space, upload: UploadSession, file: SpooledFile) -> None:
    """Raise Refused if the archive already has this recording."""
    same = Space.objects.filter(fingerprint=_fingerprint(space, file.sha256)).exclude(pk=space.pk)
    if here := same.exclude(state__in=[Space.State.REJECTED, Space.State.DELETED]).first():
        raise Refused("upload.duplicate_of", file=upload.name, title=str(here), ended_at=here.ended_at)


def _fingerprint(space: Space, sha256: str) -> str:
    return fingerprint(space.host, space.ended_at.isoformat(), sha256)


def _keep(
    claim: Claim[Space], upload: UploadSession, sound: Written, heard: measure.AudioAnalysis, made: list[Derived]
) -> None:
    space = claim.row
    detail = {"sha256": sound.sha256, "crc32": sound.crc32, "duration_ms": heard.measured.duration_ms}
    try:
        with transaction.atomic():
            claim.renew(
                processing_step="",
                processing_step_done=0,
                processing_step_total=0,
                fingerprint=_fingerprint(space, sound.sha256),
            )
            save_recording(space, sound, heard, made)
            if not lifecycle.transition(upload, State.UPLOADED, State.ACCEPTED, actor=SYSTEM, detail=detail):
                raise LeaseLost("work.lease_lost", model="UploadSession", id=upload.pk, state=upload.state)
            upload.parts.all().delete()
    except IntegrityError as error:
        if violated_constraint(error) != "space_ingested_once":
            raise
        raise Refused("upload.duplicate", file=upload.name) from error


def refuse(claim: Claim[Space], reason: Problem) -> bool:
    """Reject the Space, and remove its objects from the store. Returns False when the race was lost. Raises
    StorageError, LeaseLost, DeletionPaused; then the next claim continues."""
    restores.require_no_pause()
    space, bucket, prefix = claim.row, store(), keys.prefix(claim.row.id)
    with transaction.atomic():
        claim.renew(
            processing_step=Space.ProcessingStep.REJECTING,
            processing_step_done=0,
            processing_step_total=0,
            problem=reason,
        )
        for old, new in ((State.OPEN, State.ABORTED), (State.UPLOADED, State.REJECTED)):
            for upload in space.uploads.select_for_update().filter(state=old):
                lifecycle.transition(upload, old, new, actor=SYSTEM, problem=reason, **leases.RESET)
    found = bucket.listing(prefix)
    purge_listing(bucket, found)
    claim.renew()
    require_empty(bucket, prefix)
    with transaction.atomic():
        removed = [{"key": version.key, "size": version.size} for version in found.versions]
        moved = lifecycle.transition(
            space,
            Space.State.PROCESSING,
            Space.State.REJECTED,
            actor=SYSTEM,
            condition=claim.still_held,
            detail={"reason": log.commitment(space.salt, json.dumps(reason, sort_keys=True)), "removed": removed},
            problem=reason,
            processing_step="",
            fingerprint="",
            **leases.RESET,
        )
        if moved:
            for content in (space.recordings, space.transcripts, space.derived):
                content.all().delete()
    return moved
