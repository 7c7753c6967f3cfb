"""Removing everything under prefixes, and being sure of it: of one, or of many with few calls.

Two kinds of calls serve many prefixes at once: DeleteObjects takes 1,000 keys, whosever they are; and the open uploads
of all Spaces are few, so one listing of them does for all. Objects are listed prefix by prefix, several at a time: a
listing of a wider range would prove as much, but it walks through everything that stays, and what is due lies scattered
among that.

What goes wrong for one prefix is that prefix's own: the others go on.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from archive.errors import StorageError, StoreUnavailable
from archive.storage import keys
from archive.storage.s3 import BATCH, Listing, Store, StoredVersion

LISTED_AT_ONCE = 8  # prefixes; below the number of connections that a client keeps

Failures = dict[str, StorageError]  # by prefix


def joined(listings: Iterable[Listing]) -> Listing:
    """What was found in several places, as one."""
    found = list(listings)
    return Listing(tuple(v for one in found for v in one.versions), tuple(u for one in found for u in one.uploads))


def listings(bucket: Store, prefixes: Collection[str]) -> tuple[dict[str, Listing], Failures]:
    """Everything under each of `prefixes` (of Spaces, and keys of parts), and what went wrong with those that could
    not be listed."""
    roots: dict[str, list[str]] = {}
    for prefix in prefixes:
        roots.setdefault(keys.root_of(prefix), []).append(prefix)
    found: dict[str, Listing] = {}
    failed: Failures = {}
    for root, inside in roots.items():
        listed, wrong = _below(bucket, root, inside)
        found |= listed
        failed |= wrong
    return found, failed


def _below(bucket: Store, root: str, prefixes: Sequence[str]) -> tuple[dict[str, Listing], Failures]:
    if len(prefixes) == 1:
        return _each(prefixes, bucket.listing)
    try:
        uploads = bucket.uploads(root)  # before the objects, as in Store.listing
    except StorageError as error:
        return {}, dict.fromkeys(prefixes, error)
    opened: dict[str, list[tuple[str, str]]] = {}
    for key, upload_id in uploads:
        opened.setdefault(keys.prefix_of(key), []).append((key, upload_id))
    return _each(prefixes, lambda prefix: Listing(bucket.versions(prefix), tuple(opened.get(prefix, ()))))


def _each(prefixes: Sequence[str], ask: Callable[[str], Listing]) -> tuple[dict[str, Listing], Failures]:
    def asked(prefix: str) -> Listing | StorageError:
        try:
            return ask(prefix)
        except StorageError as error:
            return error

    if len(prefixes) == 1:
        answers = [asked(prefixes[0])]
    else:
        with ThreadPoolExecutor(LISTED_AT_ONCE) as threads:
            answers = list(threads.map(asked, prefixes))
    both = list(zip(prefixes, answers, strict=True))
    found = {prefix: answer for prefix, answer in both if isinstance(answer, Listing)}
    return found, {prefix: answer for prefix, answer in both if isinstance(answer, StorageError)}


def delete_objects(
    bucket: Store,
    found: Mapping[str, Listing],
    unlisted: Mapping[str, Sequence[StoredVersion]],
    alone: Collection[str] = (),
    at_once: int = BATCH,
) -> Failures:
    """End the uploads that were found under each prefix, then delete the objects that were found, and those `unlisted`;
    `at_once` keys a call. Uploads first, so that a writer that was asleep can't complete any more. Returns what went
    wrong, by prefix.

    A key that the store chokes on can spoil the call that it is in; prefixes that are `alone` share none.
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
    except StorageError as error:  # of which keys this is true, nobody knows
        return dict.fromkeys((prefix for prefix, _ in batch), error)
    failed: dict[str, list[str]] = {}
    for prefix, version in batch:
        if version.key in refused:
            failed.setdefault(prefix, []).append(f"{version.key} ({refused[version.key]})")
    return {prefix: _not_deleted(said) for prefix, said in failed.items()}


def _not_deleted(said: list[str]) -> StoreUnavailable:
    return StoreUnavailable(f"{len(said)} objects were not deleted: {', '.join(sorted(said)[:5])}")


def list_remaining(found: Mapping[str, Listing]) -> Failures:
    """Those prefixes that are not empty."""
    return {
        prefix: StoreUnavailable(
            f"{prefix} is not empty yet: {len(listing.versions)} objects, {len(listing.uploads)} open uploads"
        )
        for prefix, listing in found.items()
        if listing
    }


def remove(bucket: Store, found: Listing) -> None:
    """All that was found under one prefix. Raises StorageError; Unavailable, with the keys, when the store did not
    delete all of it."""
    for error in delete_objects(bucket, {"": found}, {}).values():
        raise error


def is_empty(bucket: Store, prefix: str) -> None:
    """Raises Unavailable when anything is left under `prefix`."""
    for error in list_remaining({prefix: bucket.listing(prefix)}).values():
        raise error
