"""Trials of writing, listing and deleting objects."""

from contextlib import suppress
from io import BytesIO

from django.utils.translation import gettext_noop as _

from archive.errors import ObjectMissing, Problem, StoreDenied, make_problem
from archive.storage.multipart import write
from archive.storage.remedies import is_missing_permission
from archive.storage.s3 import Store, StoredVersion, translated
from archive.storage.trials.attempts import check_nothing, open_upload
from archive.storage.trials.trial import LISTINGS, Trials

TRIALS = Trials()
trial = TRIALS.trial


@trial(_("parts with a CRC-32"), fallback=_("parts are sent without a checksum"), own_checksums=False)
def _own_checksums(store: Store, prefix: str) -> Problem:
    with open_upload(store, f"{prefix}object") as upload:
        upload.put(1, b"rehearsal")
        upload.complete()
    return {}


@trial(_("multipart uploads appear whole, with size and ETag"))
def _writes(store: Store, prefix: str) -> Problem:
    written = write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=check_nothing)
    same = store.read(written.key, 2, 4, written.etag) == b"hear"
    return {} if same else make_problem("trial.range_differs")


@trial(
    _("ListObjectVersions"),
    fallback=_("ListObjectsV2 proves that a prefix is empty"),
    permissions=LISTINGS,
    lists_versions=False,
)
def _lists_versions(store: Store, prefix: str) -> Problem:
    with translated(prefix):
        store.client.list_object_versions(Bucket=store.bucket, Prefix=prefix)
    return {}


@trial(_("listings show new objects and open uploads at once"), permissions=LISTINGS)
def _lists(store: Store, prefix: str) -> Problem:
    write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=check_nothing)
    with open_upload(store, f"{prefix}open") as upload:
        listing = store.listing(prefix)
        if [version.key for version in listing.versions] != [f"{prefix}object"]:
            return make_problem("trial.objects_listed", count=len(listing.versions))
        if listing.uploads != ((upload.key, upload.id),):
            return make_problem("trial.uploads_listed", count=len(listing.uploads))
    return {} if not store.uploads(prefix) else make_problem("trial.aborted_upload_listed")


@trial(
    _("DeleteObjects"),
    permissions="s3:DeleteObject, s3:DeleteObjectVersion",
    fallback=_("objects are deleted one by one"),
    deletes_many=False,
)
def _deletes_many(store: Store, prefix: str) -> Problem:
    names = [f"{prefix}{number}" for number in range(2)]
    for name in names:
        write(store, name, BytesIO(b"rehearsal"), "text/plain", check=check_nothing)
    failed = store.delete(tuple(StoredVersion(name, "", 9) for name in (*names, f"{prefix}never")))
    return _refused(failed) or _left(store, prefix)


def _refused(failed: dict[str, str]) -> Problem:
    """Return the codes of keys that were not deleted. Raises StoreDenied if the key lacks the permission."""
    for key, code in failed.items():
        answer = {"what": key, "status": 403, "s3_code": code, "reply": code}
        denied = StoreDenied("storage.answer", **answer)
        if is_missing_permission(denied):
            raise denied
    return make_problem("trial.not_deleted", codes=sorted(set(failed.values()))) if failed else {}


@trial(_("deleted objects disappear at once"), permissions="s3:DeleteObject, s3:DeleteObjectVersion")
def _deletes(store: Store, prefix: str) -> Problem:
    written = write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=check_nothing)
    if refused := _refused(store.delete(store.listing(prefix).versions)):
        return refused
    with suppress(ObjectMissing):
        store.head(written.key)
        return make_problem("trial.deleted_object_answers")
    return _left(store, prefix)


def _left(store: Store, prefix: str) -> Problem:
    return make_problem("trial.deleted_object_listed") if store.listing(prefix) else {}
