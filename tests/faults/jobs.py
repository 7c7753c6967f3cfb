"""What can be run, and killed, in a process of its own: what the workers run, without their broker's delay."""

from collections.abc import Callable
from uuid import UUID

from archive.bundles import build, upkeep
from archive.models import Bundle
from archive.storage import store
from archive.storage.abilities import copies_parts


def make_bundle(bundle_id: str) -> None:
    """All that workers do for a bundle until nothing is left to do."""
    copies_parts(store())
    build.build(UUID(bundle_id))
    upkeep.prove(Bundle, UUID(bundle_id))
    upkeep.clear(Bundle, UUID(bundle_id))


JOBS: dict[str, Callable[..., None]] = {"make_bundle": make_bundle}
