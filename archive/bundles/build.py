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

from archive import clock, lifecycle, log, notices, work
from archive.bundles.compose import compose
from archive.bundles.contents import Contents, content_id, contents
from archive.bundles.layout import Segment
from archive.bundles.sources import look, look_again
from archive.errors import Changed, LeaseLost, Missing, Refused, StorageError, TooLate
from archive.log import SYSTEM, Actor, events
from archive.models import Bundle, Notice, Package, Space, User, Volume
from archive.storage import keys
from archive.work import Claim

MOST_ATTEMPTS = 5
P = TypeVar("P", Bundle, Volume)


def current(space: Space) -> Bundle | None:
    """The live bundle for what the Space holds now, or the newest one that failed for it."""
    bundles = Bundle.objects.filter(space=space, content=content_id(space)).exclude(state=Bundle.State.REMOVED)
    return bundles.filter(state__in=Bundle.LIVE).first() or bundles.order_by("-requested_at").first()


def request(space_id: UUID, actor: Actor, user: User | None = None) -> Bundle:
    """Ask for the Space's bundle: the live one if there is one, else a new one. Raises TooLate, Refused."""
    look_again(space_id)
    with transaction.atomic():
        space = Space.objects.select_for_update().get(pk=space_id)
        if space.is_gone(clock.now()):
            raise TooLate("Its deadline has passed, so it can't be bundled any more.")
        if space.state != Space.State.AVAILABLE:
            raise Refused(f"The Space is {space.get_state_display()}. Ask again when it is available.")
        content = content_id(space)
        live = Bundle.objects.filter(space=space, content=content, state__in=Bundle.LIVE).first()
        if live is not None:
            return live
        bundle = Bundle.objects.create(space=space, content=content, requested_by=user)
        log.record(events.BUNDLE_REQUESTED, space_id=space.id, actor=actor, bundle=str(bundle.id))
        return bundle


def build(bundle_id: UUID) -> bool:
    """Build it, or go on after a crash or when the time of the last run was up. True when it is ready by this call."""
    return attempt(Bundle, bundle_id, _build)


def attempt(model: type[P], package_id: UUID, make: Callable[[Claim[P]], bool]) -> bool:
    """One attempt at a package by `make`, which says whether it is ready. A reason that stays is `failed`; what passes
    is tried again, five times without a part sent."""
    claim = work.claim(model, package_id, Package.AT_WORK)
    if claim is None:
        return False
    if claim.row.state == Package.State.REQUESTED and not lifecycle.move(
        claim.row, "requested", "building", actor=SYSTEM, only_if=claim.mine
    ):
        return False
    if claim.attempt > MOST_ATTEMPTS:
        return _fail(claim, claim.row.problem or "The worker stopped each time before it was done.")
    try:
        with claim.reported():
            return make(claim)
    except (Refused, Missing, Changed) as error:  # trying again would not help
        return _fail(claim, str(error))
    except StorageError as error:
        if claim.attempt == MOST_ATTEMPTS:
            return _fail(claim, str(error))
        claim.give_back(str(error))
        return False
    except LeaseLost:
        return False


def _build(claim: Claim[Bundle]) -> bool:
    bundle = claim.row
    space = bundle.space
    if not space.is_served(clock.now()):
        raise TooLate("Its deadline passed before the bundle was ready.")
    if settings.BUNDLE_MISSING == "list":
        look(space)
    what = contents(space)
    _settle(claim, what)
    key = keys.bundle(space.id, bundle.id)
    return composed(claim, key, what.segments, what.filename)


def composed(claim: Claim[P], key: str, segments: Sequence[Segment], name: str) -> bool:
    """Compose it, and `building -> ready` in one step with all that is then known. False when the time of this run is
    up, or somebody else has it now."""
    there = compose(claim, key, segments)
    if there is None:
        claim.give_back("", at_once=True)
        return False
    known: dict[str, Any] = {"key": key, "size": there.size, "etag": there.etag, "name": name, "ready_at": clock.now()}
    with transaction.atomic():
        moved = lifecycle.move(
            claim.row,
            "building",
            "ready",
            actor=SYSTEM,
            only_if=claim.mine,
            detail={"key": key, "size": there.size},
            bytes_done=there.size,
            bytes_total=there.size,
            upload_id="",
            problem="",
            **known,
            **work.DONE,
        )
        if moved:
            _tell(Notice.Kind.BUNDLE_READY, claim.row)
    return moved


def _tell(kind: Notice.Kind, package: Package) -> None:
    """Whoever asked for a bundle is told how it ended; who asked for volumes has a page that says so, and a machine
    polls."""
    if isinstance(package, Bundle) and package.requested_by is not None:
        notices.tell(kind, package.requested_by, package.space, package.pk)


def _settle(claim: Claim[Bundle], what: Contents) -> None:
    """Build what the Space holds now: it may have been flagged since the bundle was asked for."""
    try:
        with transaction.atomic():
            claim.renew(content=what.id)
    except IntegrityError as error:
        raise Refused("The Space changed meanwhile, and a newer bundle of it was asked for.") from error


def _fail(claim: Claim[P], reason: str) -> bool:
    """What the store has of it is removed by archive/bundles/upkeep.py."""
    with transaction.atomic():
        if lifecycle.move(
            claim.row, "building", "failed", actor=SYSTEM, only_if=claim.mine, problem=reason, **work.DONE
        ):
            _tell(Notice.Kind.BUNDLE_FAILED, claim.row)
    return False
