"""Removing everything under a prefix, and being sure of it."""

from collections.abc import Iterable

from archive.errors import Unavailable
from archive.storage.s3 import Listing, Store, StoredVersion


def joined(listings: Iterable[Listing]) -> Listing:
    """What was found in several places, as one."""
    found = list(listings)
    return Listing(tuple(v for one in found for v in one.versions), tuple(u for one in found for u in one.uploads))


def remove(bucket: Store, found: Listing, unlisted: tuple[StoredVersion, ...] = ()) -> None:
    """End the uploads that were found, then delete the objects that were found, and those `unlisted`. Uploads first, so
    that a writer that was asleep can't complete any more. Raises Unavailable, with the keys, when the store did not
    delete all of it."""
    for key, upload_id in found.uploads:
        bucket.abort(key, upload_id)
    if failed := bucket.delete(found.versions + unlisted):
        shown = ", ".join(f"{key} ({code})" for key, code in sorted(failed.items())[:5])
        raise Unavailable(f"{len(failed)} objects were not deleted: {shown}")


def seen_empty(bucket: Store, prefix: str) -> None:
    """Raises Unavailable when anything is left under `prefix`."""
    if left := bucket.listing(prefix):
        raise Unavailable(f"{prefix} is not empty yet: {len(left.versions)} objects, {len(left.uploads)} open uploads")
