"""Request a bundle, and build it.

If the worker dies at any step of `build`, the row keeps the claim until the lease expires; the next attempt resumes
with what the store has by then (archive/bundles/compose.py). A worker that was only slow finds a higher fence, and
stops. Only attempts that sent no part count towards MAX_ATTEMPTS.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from archive import dbtime, leases, lifecycle, log, notices, wakeups
from archive.bundles.compose import compose
from archive.bundles.contents import Contents, content_id, contents
from archive.bundles.missing import check_sources, missing_sources
from archive.bundles.zip64 import Segment
from archive.errors import ObjectChanged, ObjectMissing, Refused, SpacekeepError, TooLate
from archive.leases import Claim
from archive.log import SYSTEM, Actor, events
from archive.models import Bundle, ExportPart, Notice, Package, Space, User
from archive.models.compiled_query import CompiledQuery
from archive.storage import keys

State = Package.State
MAX_ATTEMPTS = 5
VERIFIED = {Bundle: events.BUNDLE_VERIFIED, ExportPart: events.EXPORT_PART_VERIFIED}
# An open page downloads a bundle as soon as it is ready. After a longer wait the user may have closed the page, so they
# get a notice; with a delay, so that an open page can start the download first.
QUICK = timedelta(minutes=2)
TIME_TO_DOWNLOAD = timedelta(minutes=1)
P = TypeVar("P", Bundle, ExportPart)


def current(space: Space) -> Bundle | None:
    """Return the live bundle of the Space's present content, or the newest failed one. One query without bundles."""
    bundles = _BUNDLES.objects(space.pk)
    if not bundles:
        return None
    content = content_id(space)
    present = [bundle for bundle in bundles if bundle.content_digest == content]
    return next((bundle for bundle in present if bundle.state in Bundle.LIVE), present[0] if present else None)


def _bundles(space_id: UUID) -> QuerySet[Bundle]:
    return Bundle.objects.filter(space=space_id).exclude(state=Bundle.State.REMOVED).order_by("-requested_at")


_BUNDLES = CompiledQuery(_bundles, UUID)
_LIVE = CompiledQuery(lambda space_id: _bundles(space_id).filter(state__in=Bundle.LIVE).values_list("pk")[:1], UUID)


def has_live(space: Space) -> bool:
    """Return whether there is a live bundle, of the Space's present content or not."""
    return bool(_LIVE.tuples(space.pk))


def request(space_id: UUID, actor: Actor, user: User | None = None) -> Bundle:
    """Request the Space's bundle. Returns the live one if there is one, or a new one. Raises TooLate, Refused."""
    check_sources(space_id)
    with transaction.atomic():
        space = Space.objects.select_for_update().get(pk=space_id)
        if space.is_gone(dbtime.now()):
            raise TooLate("bundle.too_late")
        if space.state != Space.State.AVAILABLE:
            raise Refused("bundle.not_available", state=space.state)
        return _get_or_create(space, actor, user)


def request_ahead(space_id: UUID) -> Bundle | None:
    """Request a bundle before the host does, so that the download starts at once. Returns None if the Space is not
    served or its row is locked.

    If the store has lost files, the build fails, and the bundle is not requested ahead again.
    """
    with transaction.atomic():
        space = Space.objects.served().select_for_update(skip_locked=True).filter(pk=space_id).first()
        return None if space is None else _get_or_create(space, SYSTEM, None)


def _get_or_create(space: Space, actor: Actor, user: User | None) -> Bundle:
    """Return the live bundle of the locked Space's present content, or a new one."""
    content = content_id(space)
    live = Bundle.objects.filter(space=space, content_digest=content, state__in=Bundle.LIVE).first()
    if live is not None:
        if live.requested_by_id is None and user is not None:  # built ahead; from now on it belongs to this user
            Bundle.objects.filter(pk=live.pk).update(requested_by=user, requested_at=Now())
        return live
    bundle = Bundle.objects.create(space=space, content_digest=content, requested_by=user)
    log.record(events.BUNDLE_REQUESTED, space_id=space.id, actor=actor, **bundle.log_subject)
    wakeups.wake(Bundle, bundle.pk)
    return bundle


def build(bundle_id: UUID) -> bool:
    """Build the bundle, or resume after a crash or an interrupted run. Returns True when this call made it ready."""
    return attempt(Bundle, bundle_id, _build)


def attempt(model: type[P], package_id: UUID, make: Callable[[Claim[P]], bool]) -> bool:
    """Make one attempt at a package with `make`, which returns whether it is ready. Permanent errors fail the package.
    Transient ones are retried, at most five times without progress."""

    def run(claim: Claim[P]) -> bool:
        if claim.row.state == State.REQUESTED and not lifecycle.transition(
            claim.row, State.REQUESTED, State.BUILDING, actor=SYSTEM, condition=claim.still_held
        ):
            return False
        return make(claim)

    claim = leases.claim(model, package_id, Package.AT_WORK)
    permanent = (Refused, ObjectMissing, ObjectChanged)
    return leases.attempt(claim, run, permanent=permanent, fail=_fail, max_attempts=MAX_ATTEMPTS)


def _build(claim: Claim[Bundle]) -> bool:
    bundle = claim.row
    space = bundle.space
    if not space.is_served(dbtime.now()):
        raise TooLate("bundle.deadline_first")
    if settings.BUNDLE_MISSING_OBJECTS == "list":
        missing_sources(space)
    what = contents(space)
    _settle(claim, what)
    key = keys.bundle(space.id, bundle.id)
    return compose_and_finish(claim, key, what.segments, what.filename)


def compose_and_finish(claim: Claim[P], key: str, segments: Sequence[Segment], name: str) -> bool:
    """Compose the package, and set it to `ready` with all facts about the object. Returns False when the time of this
    run is up, or the lease was lost."""
    made = compose(claim, key, segments)
    if made is None:
        claim.release_for_retry({}, at_once=True)
        return False
    size, verified = made.info.size, made.crc32 is not None
    stored: dict[str, Any] = {"key": key, "size": size, "etag": made.info.etag, "name": name, "ready_at": dbtime.now()}
    stored |= {"crc32": made.crc32, "verified_by": Package.Verification.STORE if verified else ""}
    progress = {"bytes_done": size, "bytes_total": size}
    with transaction.atomic():
        moved = lifecycle.transition(
            claim.row,
            State.BUILDING,
            State.READY,
            actor=SYSTEM,
            condition=claim.still_held,
            detail={"key": key, "size": size},
            upload_id="",
            problem={},
            **progress,
            **stored,
            **leases.RESET,
        )
        if moved:
            _tell_ready(claim.row)
        if moved and verified:
            log_verification(claim.row, {"size": size, "crc32": made.crc32})
        elif moved:
            wakeups.wake(type(claim.row), claim.row.pk)  # to be read back
    return moved


def log_verification(package: Bundle | ExportPart, detail: dict[str, Any]) -> None:
    """Log, in the caller's transaction, that the bytes were compared with the uploaded ones."""
    log.record(VERIFIED[type(package)], space_id=package.log_space_id, actor=SYSTEM, **package.log_subject, **detail)


def _tell_ready(package: Package) -> None:
    """Notify the user who requested a bundle, after a long wait. Exports have a page that shows the state of their
    parts, and API clients poll."""
    if not isinstance(package, Bundle) or package.requested_by is None:
        return
    if dbtime.now() - package.requested_at >= QUICK:
        kind = Notice.Kind.BUNDLE_READY
        notices.tell(kind, package.requested_by, package.space, package.pk, delay=TIME_TO_DOWNLOAD)


def _tell_failed(package: Package) -> None:
    if isinstance(package, Bundle) and package.requested_by is not None:
        notices.tell(Notice.Kind.BUNDLE_FAILED, package.requested_by, package.space, package.pk)


def _settle(claim: Claim[Bundle], what: Contents) -> None:
    """Store the digest of the present content: the Space may have been flagged since the request."""
    try:
        with transaction.atomic():
            claim.renew(content_digest=what.id)
    except IntegrityError as error:
        raise Refused("bundle.superseded") from error


def _fail(claim: Claim[P], error: SpacekeepError) -> None:
    """Set the package to `failed`. archive/bundles/maintain.py removes its data from the store."""
    with transaction.atomic():
        if lifecycle.transition(
            claim.row,
            State(claim.row.state),
            State.FAILED,
            actor=SYSTEM,
            condition=claim.still_held,
            problem=error.problem,
            **leases.RESET,
        ):
            _tell_failed(claim.row)
            wakeups.wake(type(claim.row), claim.row.pk)  # to be cleared from the store
