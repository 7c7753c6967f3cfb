"""Asking for a bundle, and building it.

What happens when it dies, at each step of `build`: the row keeps the claim until the lease runs out, then the next
attempt starts anew. An upload left open holds no object and is ended first thing; a ZIP that was completed without
its row is written again, byte for byte the same, to the same key. A worker that was only slow finds its upload
ended, or its fence passed, and stops.
"""

import time
from uuid import UUID

from django.db import IntegrityError, transaction

from archive import clock, lifecycle, log, words, work
from archive.bundles.contents import Contents, content_id, contents
from archive.bundles.layout import Literal, Range
from archive.bundles.plan import Copied, plan
from archive.errors import Changed, LeaseLost, Missing, Refused, StorageError, TooLate, Unavailable
from archive.log import SYSTEM, Actor, events
from archive.models import Bundle, Space, User
from archive.storage import Upload, keys, store
from archive.storage.multipart import uploading
from archive.work import Claim

MOST_ATTEMPTS = 5


def current(space: Space) -> Bundle | None:
    """The live bundle for what the Space holds now, or the newest one that failed for it."""
    bundles = Bundle.objects.filter(space=space, content=content_id(space)).exclude(state=Bundle.State.REMOVED)
    return bundles.filter(state__in=Bundle.LIVE).first() or bundles.order_by("-requested_at").first()


def request(space_id: UUID, actor: Actor, user: User | None = None) -> Bundle:
    """Ask for the Space's bundle: the live one if there is one, else a new one. Raises TooLate, Refused."""
    with transaction.atomic():
        space = Space.objects.select_for_update().get(pk=space_id)
        if space.is_gone(clock.now()):
            raise TooLate("Its deadline has passed, so it can't be bundled any more.")
        if space.state != Space.State.AVAILABLE:
            raise Refused(f"The Space is {space.get_state_display()}. Ask again when it is available.")
        what = contents(space)
        live = Bundle.objects.filter(space=space, content=what.id, state__in=Bundle.LIVE).first()
        if live is not None:
            return live
        bundle = Bundle.objects.create(space=space, content=what.id, requested_by=user, bytes_total=what.size)
        log.record(events.BUNDLE_REQUESTED, space_id=space.id, actor=actor, bundle=str(bundle.id), size=what.size)
        return bundle


def build(bundle_id: UUID) -> bool:
    """Build it, or go on after a crash. True when it is ready by this call."""
    claim = work.claim(Bundle, bundle_id, [Bundle.State.REQUESTED, Bundle.State.BUILDING], bytes_done=0)
    if claim is None:
        return False
    if claim.row.state == Bundle.State.REQUESTED and not lifecycle.move(
        claim.row, "requested", "building", actor=SYSTEM, only_if=claim.mine
    ):
        return False
    if claim.attempt > MOST_ATTEMPTS:
        return _fail(claim, claim.row.problem or "The worker stopped each time before it was done.")
    try:
        with claim.reported():
            return _build(claim)
    except (Refused, Missing, Changed) as error:  # trying again would not help
        return _fail(claim, str(error))
    except StorageError as error:
        if claim.attempt == MOST_ATTEMPTS:
            return _fail(claim, str(error))
        claim.give_back(str(error))
        return False
    except LeaseLost:
        return False


def forget(bundle: Bundle) -> bool:
    """Its object is not in the store any more: `ready -> removed`, so that it can be asked for again."""
    return lifecycle.move(bundle, "ready", "removed", actor=SYSTEM, detail={"why": "missing in the store"})


def _build(claim: Claim[Bundle]) -> bool:
    bundle, bucket = claim.row, store()
    space = bundle.space
    if not space.is_served(clock.now()):
        raise TooLate("Its deadline passed before the bundle was ready.")
    what = contents(space)
    _settle(claim, what)
    key = keys.bundle(space.id, bundle.id)
    for left, upload_id in bucket.listing(key).uploads:
        bucket.abort(left, upload_id)
    with uploading(bucket, key, "application/zip", claim.renew) as upload:
        _compose(upload, what, claim)
        try:
            etag = upload.complete()
        except Missing as error:  # not the recording but the upload: ended by somebody, or completed by a retry unseen
            raise Unavailable(str(error)) from error
    size = bucket.head(key).size
    if size != what.size:
        raise Changed(f"{key} has {size} bytes instead of {what.size}")
    return lifecycle.move(
        bundle,
        "building",
        "ready",
        actor=SYSTEM,
        only_if=claim.mine,
        detail={"key": key, "size": size},
        key=key,
        size=size,
        etag=etag,
        name=what.filename,
        ready_at=clock.now(),
        bytes_done=size,
        problem="",
        **work.DONE,
    )


def _settle(claim: Claim[Bundle], what: Contents) -> None:
    """Build what the Space holds now: it may have been flagged since the bundle was asked for."""
    try:
        with transaction.atomic():
            claim.renew(content=what.id, bytes_total=what.size, bytes_done=0)
    except IntegrityError as error:
        raise Refused("The Space changed meanwhile, and a newer bundle of it was asked for.") from error


def _compose(upload: Upload, what: Contents, claim: Claim[Bundle]) -> None:
    """Part by part. Stops by itself before Celery would: its soft limit is an exception that botocore takes for a
    network fault, and its hard limit leaves no reason behind."""
    done, until = 0, time.monotonic() + 0.8 * work.lease().total_seconds()
    for part in plan(what.segments):
        if time.monotonic() > until:
            raise Unavailable(f"Only {words.size(done)} of {words.size(what.size)} were copied when the time was up.")
        if isinstance(part, Copied):
            wanted = part.source
            upload.copy(wanted.key, wanted.etag, wanted.start, wanted.length)
        else:
            upload.add(b"".join(_bytes(upload, piece) for piece in part.pieces))
        done += part.length
        claim.renew(bytes_done=done)


def _bytes(upload: Upload, piece: Literal | Range) -> bytes:
    if isinstance(piece, Literal):
        return piece.data
    return upload.store.read(piece.key, piece.start, piece.length, piece.etag)


def _fail(claim: Claim[Bundle], reason: str) -> bool:
    lifecycle.move(claim.row, "building", "failed", actor=SYSTEM, only_if=claim.mine, problem=reason, **work.DONE)
    return False
