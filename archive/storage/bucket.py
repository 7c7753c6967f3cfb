"""Create and configure the bucket, and check that objects in it can be deleted for good."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop as _

from archive.errors import ObjectMissing, Problem, StoreDenied, StoreRefused, make_problem
from archive.storage.s3 import Store, translated

# Neither can be disabled completely (AWS's guides "Using versioning in S3 buckets", "Object Lock considerations").
NEVER_HAD_VERSIONS = _("Set S3_BUCKET to one that never had versioning or object lock: no bucket gets rid of them.")
OWNED = {"BucketAlreadyOwnedByYou"}  # another process has created it


def prepare_bucket(store: Store, origin: str) -> bool:
    """Create the bucket if it does not exist, and allow CORS requests from the portal's `origin`.

    Returns whether the bucket was created. Raises StorageError. Ignores a store that refuses the CORS rules: some have
    none for single buckets, and a key may lack that permission. The rehearsal tests what a browser may do.
    """
    created = not exists(store)
    if created:
        _create(store)
    if settings.S3_CORS == "configured":
        return created
    rule: Any = {
        "AllowedOrigins": [origin],
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag", "Content-Range", "Accept-Ranges"],
        "MaxAgeSeconds": 3600,
    }
    with suppress(StoreRefused, StoreDenied), translated(store.bucket):
        store.client.put_bucket_cors(Bucket=store.bucket, CORSConfiguration={"CORSRules": [rule]})
    return created


def _create(store: Store) -> None:
    locations: tuple[Any, ...] = (location_of(store), {})
    for location in locations:  # Ceph RGW knows only the regions in its own configuration
        try:
            with translated(store.bucket):
                store.client.create_bucket(Bucket=store.bucket, **location)
        except StoreRefused as error:
            if error.params["s3_code"] in OWNED:
                return
            if not location or "Location" not in error.params["s3_code"]:
                raise
        else:
            return


def location_of(store: Store) -> Any:
    """Return the location for CreateBucket: AWS requires one in every region except the default one."""
    region = store.client.meta.region_name
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def exists(store: Store) -> bool:
    """Return whether the bucket exists. Lists it, because the answer to a HEAD has no body that explains a refusal."""
    try:
        with translated(store.bucket):
            store.client.list_objects_v2(Bucket=store.bucket, MaxKeys=1)
    except StoreRefused as error:
        if error.params["s3_code"] != "NoSuchBucket":
            raise
        return False
    except ObjectMissing:
        return False
    return True


def find_faults(store: Store) -> list[Problem]:
    """List the bucket settings that would keep deleted bytes alive. Raises StorageError.

    A store without versioning may not implement the request (501), and a key may lack the permission. So the rehearsal
    also writes one object twice and counts its versions.
    """
    faults = []
    lock = _ask(store, "get_object_lock_configuration").get("ObjectLockConfiguration", {})
    if lock.get("ObjectLockEnabled") == "Enabled":
        faults.append(make_problem("trial.object_lock"))
    if (status := _ask(store, "get_bucket_versioning").get("Status")) in ("Enabled", "Suspended"):
        faults.append(make_problem("trial.versioning", status=status.lower()))
    return faults


def _ask(store: Store, question: str) -> dict[str, Any]:
    """Return the bucket's configuration; {} if there is none, if the store lacks the request, or the key may not use
    it."""
    try:
        with translated(store.bucket):
            answer: dict[str, Any] = getattr(store.client, question)(Bucket=store.bucket)
            return answer
    except (ObjectMissing, StoreRefused) as error:
        if error.params["s3_code"] == "NoSuchBucket":
            raise
    except StoreDenied as error:
        if error.params["s3_code"] != "AccessDenied":
            raise
    return {}
