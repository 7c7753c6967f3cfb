"""A second bucket for checkpoints of the log, in the SeaweedFS of the tests."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.test import override_settings

from archive.storage import Store
from archive.storage.s3 import StoredVersion
from archive.transparency import second_bucket


@contextmanager
def use_second_bucket(
    *, create: bool = True, lock: bool = True, mode: str = "COMPLIANCE", **options: str
) -> Iterator[Store]:
    """Set LOG_BUCKET to a new name; `create` the bucket, with a `lock` or without."""
    storages: dict[str, Any] = copy.deepcopy(settings.STORAGES)
    name = f"log-{uuid4()}"
    ours = {**storages["default"]["OPTIONS"], "bucket_name": name, **options}
    storages["checkpoints"]["OPTIONS"].update(ours)
    with override_settings(STORAGES=storages, LOG_BUCKET=name, LOG_LOCK_MODE=mode):
        store = second_bucket.bucket()
        if create:
            store.client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock)
        yield store


@contextmanager
def override_second_bucket(**options: str) -> Iterator[None]:
    storages: dict[str, Any] = copy.deepcopy(settings.STORAGES)
    storages["checkpoints"]["OPTIONS"].update(options)
    with override_settings(STORAGES=storages):
        yield


def contents(store: Store) -> list[tuple[str, str]]:
    """Return (key, text) of each version of each checkpoint, by key, newest version first."""
    versions = [version for version in store.versions("checkpoints/") if not version.marker]
    return [(version.key, read(store, version)) for version in versions]


def read(store: Store, version: StoredVersion) -> str:
    named = {"VersionId": version.version} if version.version else {}
    return store.client.get_object(Bucket=store.bucket, Key=version.key, **named)["Body"].read().decode()  # type: ignore[arg-type]


def retention(store: Store, key: str) -> tuple[str, datetime]:
    answer = store.client.get_object_retention(Bucket=store.bucket, Key=key)["Retention"]
    return answer["Mode"], answer["RetainUntilDate"]
