"""Delete everything under one prefix or many, with few requests, and verify that nothing is left.

Two kinds of requests serve many prefixes at once: DeleteObjects takes 1,000 keys of any prefix, and one listing of open
uploads covers all Spaces, because few are open at a time. Objects are listed per prefix, several in parallel. Listing a
wider range would prove the same, but would page through all the data that stays.

An error for one prefix does not stop the others.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from archive.errors import StorageError, StoreUnavailable
from archive.storage import keys
from archive.storage.s3 import BATCH, Listing, Store, StoredVersion

PARALLEL_LISTINGS = 8  # must stay below max_pool_connections (backend.py)

Failures = dict[str, StorageError]  # by prefix


def merge(listings: Iterable[Listing]) -> Listing:
    """Merge several listings into one."""
    parts = list(listings)
    return Listing(tuple(v for one in parts for v in one.versions), tuple(u for one in parts for u in one.uploads))


def listings(bucket: Store, prefixes: Collection[str]) -> tuple[dict[str, Listing], Failures]:
    """List everything under each prefix (of a Space, or the key of an export part).

    Returns the listings, and the errors of prefixes that could not be listed.
    """
    roots: dict[str, list[str]] = {}
    for prefix in prefixes:
        roots.setdefault(keys.root_of(prefix), []).append(prefix)
    listed: dict[str, Listing] = {}
    failed: Failures = {}
    for root, inside in roots.items():
        more_listed, more_failed = _list_below(bucket, root, inside)
        listed |= more_listed
        failed |= more_failed
    return listed, failed


def _list_below(bucket: Store, root: str, prefixes: Sequence[str]) -> tuple[dict[str, Listing], Failures]:
    if len(prefixes) == 1:
        return _list_each(prefixes, bucket.listing)
    try:
        uploads = bucket.uploads(root)  # before the objects, as in Store.listing
    except StorageError as error:
        return {}, dict.fromkeys(prefixes, error)
    opened: dict[str, list[tuple[str, str]]] = {}
    for key, upload_id in uploads:
        opened.setdefault(keys.prefix_of(key), []).append((key, upload_id))
    return _list_each(prefixes, lambda prefix: Listing(bucket.versions(prefix), tuple(opened.get(prefix, ()))))


def _list_each(prefixes: Sequence[str], ask: Callable[[str], Listing]) -> tuple[dict[str, Listing], Failures]:
    def try_listing(prefix: str) -> Listing | StorageError:
        try:
            return ask(prefix)
        except StorageError as error:
            return error

    if len(prefixes) == 1:
        answers = [try_listing(prefixes[0])]
    else:
        with ThreadPoolExecutor(PARALLEL_LISTINGS) as threads:
            answers = list(threads.map(try_listing, prefixes))
    both = list(zip(prefixes, answers, strict=True))
    listed = {prefix: answer for prefix, answer in both if isinstance(answer, Listing)}
    return listed, {prefix: answer for prefix, answer in both if isinstance(answer, StorageError)}


def delete_objects(
    bucket: Store,
    found: Mapping[str, Listing],
    unlisted: Mapping[str, Sequence[StoredVersion]],
    alone: Collection[str] = (),
    at_once: int = BATCH,
) -> Failures:
    """Abort the listed uploads, then delete the listed objects and the `unlisted` ones, `at_once` keys per request.

    Uploads come first, so that a suspended writer can no longer complete one. Returns the errors by prefix. One bad key
    can fail the whole request it is in, so prefixes in `alone` (retries) share no request with others.
    """
    failed: Failures = {}
    for prefix, listing in found.items():
        try:
            for key, upload_id in listing.uploads:
                bucket.abort(key, upload_id)
        except StorageError as error:
            failed[prefix] = error
    doomed = {p: (*listing.versions, *unlisted.get(p, ())) for p, listing in found.items() if p not in failed}
    shared = [(prefix, version) for prefix in doomed if prefix not in alone for version in doomed[prefix]]
    for group in (shared, *([(prefix, version) for version in doomed[prefix]] for prefix in doomed if prefix in alone)):
        for start in range(0, len(group), at_once):
            failed |= _delete(bucket, group[start : start + at_once])
    return failed


def _delete(bucket: Store, batch: Sequence[tuple[str, StoredVersion]]) -> Failures:
    try:
        refused = bucket.delete(tuple(version for _, version in batch))
    except StorageError as error:  # the store does not say which keys were deleted
        return dict.fromkeys((prefix for prefix, _ in batch), error)
    failed: dict[str, list[str]] = {}
    for prefix, version in batch:
        if version.key in refused:
            failed.setdefault(prefix, []).append(f"{version.key} ({refused[version.key]})")
    return {prefix: _not_deleted(names) for prefix, names in failed.items()}


def _not_deleted(names: list[str]) -> StoreUnavailable:
    return StoreUnavailable("storage.not_deleted", count=len(names), keys=sorted(names)[:5])


def list_remaining(found: Mapping[str, Listing]) -> Failures:
    """Return an error for each prefix that is not empty."""
    return {
        prefix: StoreUnavailable(
            "storage.not_empty", prefix=prefix, objects=len(listing.versions), uploads=len(listing.uploads)
        )
        for prefix, listing in found.items()
        if listing
    }


def purge_listing(bucket: Store, found: Listing) -> None:
    """Delete everything in one listing. Raises StoreUnavailable with the keys that the store did not delete."""
    for error in delete_objects(bucket, {"": found}, {}).values():
        raise error


def require_empty(bucket: Store, prefix: str) -> None:
    """Raise StoreUnavailable if anything is left under `prefix`."""
    for error in list_remaining({prefix: bucket.listing(prefix)}).values():
        raise error
