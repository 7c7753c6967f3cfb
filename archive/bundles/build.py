"""Asking for a bundle, and building it.

What happens when it dies, at each step of `build`: the row keeps the claim until the lease runs out, then the next
attempt goes on with what the store has by then (archive/bundles/compose.py). A worker that was only slow finds its
fence passed, and stops. Only attempts that sent no part count against a bundle.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from archive import dbtime, leases, lifecycle, log, notices
from archive.bundles.compose import compose
from archive.bundles.contents import Contents, content_id, contents
from archive.bundles.missing import check_sources, missing_sources
from archive.bundles.zip64 import Segment
from archive.errors import (
    LeaseLost,
    ObjectChanged,
    ObjectMissing,
    Problem,
    Refused,
    StorageError,
    TooLate,
    make_problem,
)
from archive.leases import Claim
from archive.log import SYSTEM, Actor, events
from archive.models import Bundle, ExportPart, Notice, Package, Space, User
from archive.storage import keys

MOST_ATTEMPTS = 5
P = TypeVar("P", Bundle, ExportPart)


def current(space: Space) -> Bundle | None:
    """The live bundle for what the Space holds now, or the newest one that failed for it."""
    bundles = Bundle.objects.filter(space=space, content_digest=content_id(space)).exclude(state=Bundle.State.REMOVED)
    return bundles.filter(state__in=Bundle.LIVE).first() or bundles.order_by("-requested_at").first()


def request(space_id: UUID, actor: Actor, user: User | None = None) -> Bundle:
    """Ask for the Space's bundle: the live one if there is one, else a new one. Raises TooLate, Refused."""
    check_sources(space_id)
    with transaction.atomic():
        space = Space.objects.select_for_update().get(pk=space_id)
        if space.is_gone(dbtime.now()):
            raise TooLate("bundle.too_late")
        if space.state != Space.State.AVAILABLE:
            raise Refused("bundle.not_available", state=space.state)
        content = content_id(space)
        live = Bundle.objects.filter(space=space, content_digest=content, state__in=Bundle.LIVE).first()
        if live is not None:
            return live
        bundle = Bundle.objects.create(space=space, content_digest=content, requested_by=user)
        log.record(events.BUNDLE_REQUESTED, space_id=space.id, actor=actor, bundle=str(bundle.id))
        return bundle


def build(bundle_id: UUID) -> bool:
    """Build it, or go on after a crash or when the time of the last run was up. True when it is ready by this call."""
    return attempt(Bundle, bundle_id, _build)


def attempt(model: type[P], package_id: UUID, make: Callable[[Claim[P]], bool]) -> bool:
    """One attempt at a package by `make`, which says whether it is ready. A reason that stays is `failed`; what passes
    is tried again, five times without a part sent."""
    claim = leases.claim(model, package_id, Package.AT_WORK)
    if claim is None:
        return False
    if claim.row.state == Package.State.REQUESTED and not lifecycle.transition(
        claim.row, "requested", "building", actor=SYSTEM, condition=claim.mine
    ):
        return False
    if claim.attempt > MOST_ATTEMPTS:
        return _fail(claim, claim.row.problem or make_problem("work.gave_up"))
    try:
        with claim.report_unexpected():
            return make(claim)
    except (Refused, ObjectMissing, ObjectChanged) as error:  # trying again would not help
        return _fail(claim, error.problem)
    except StorageError as error:
        if claim.attempt == MOST_ATTEMPTS:
            return _fail(claim, error.problem)
        claim.release_for_retry(error.problem)
        return False
    except LeaseLost:
        return False


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
    """Compose it, and `building -> ready` in one step with all that is then known. False when the time of this run is
    up, or somebody else has it now."""
    there = compose(claim, key, segments)
    if there is None:
        claim.release_for_retry({}, at_once=True)
        return False
    known: dict[str, Any] = {"key": key, "size": there.size, "etag": there.etag, "name": name, "ready_at": dbtime.now()}
    with transaction.atomic():
        moved = lifecycle.transition(
            claim.row,
            "building",
            "ready",
            actor=SYSTEM,
            condition=claim.mine,
            detail={"key": key, "size": there.size},
            bytes_done=there.size,
            bytes_total=there.size,
            upload_id="",
            problem={},
            **known,
            **leases.RESET,
        )
        if moved:
            _tell(Notice.Kind.BUNDLE_READY, claim.row)
    return moved


def _tell(kind: Notice.Kind, package: Package) -> None:
    """Whoever asked for a bundle is told how it ended; who asked for parts has a page that says so, and a machine
    polls."""
    if isinstance(package, Bundle) and package.requested_by is not None:
        notices.tell(kind, package.requested_by, package.space, package.pk)


def _settle(claim: Claim[Bundle], what: Contents) -> None:
    """Build what the Space holds now: it may have been flagged since the bundle was asked for."""
    try:
        with transaction.atomic():
            claim.renew(content_digest=what.id)
    except IntegrityError as error:
        raise Refused("bundle.superseded") from error


def _fail(claim: Claim[P], reason: Problem) -> bool:
    """What the store has of it is removed by archive/bundles/maintain.py."""
    with transaction.atomic():
        if lifecycle.transition(
            claim.row, "building", "failed", actor=SYSTEM, condition=claim.mine, problem=reason, **leases.RESET
        ):
            _tell(Notice.Kind.BUNDLE_FAILED, claim.row)
    return False
