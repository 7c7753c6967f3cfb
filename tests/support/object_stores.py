"""Use another object store: with a wrong key, one that is unreachable, or one with another bucket."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.test import override_settings

from archive.storage import Store, capabilities, store
from archive.storage.capabilities import Capabilities

WRONG_KEY: dict[str, Any] = {"secret_key": "not-the-secret-of-this-store"}
UNREACHABLE: dict[str, Any] = {"endpoint_url": "http://127.0.0.1:1"}
MISSING_BUCKET: dict[str, Any] = {"bucket_name": "spacekeep-not-there"}


@contextmanager
def without(**changes: object) -> Iterator[None]:
    """Pretend in this process that our store lacks a capability: `without(verifies_whole=False)`."""
    place = store().place
    before = store().capabilities
    capabilities.remember(place, replace(before, **changes))  # type: ignore[arg-type]
    try:
        yield
    finally:
        capabilities.remember(place, before)


@contextmanager
def override_store(*, public: bool = False, tried: bool = True, **options: Any) -> Iterator[Store]:
    """Change the django-storages `options` of the object store for this process. `public`: also those of the address in
    signed URLs. `tried`: assume the capabilities of our store, without a test."""
    storages: dict[str, Any] = copy.deepcopy(settings.STORAGES)
    for alias in ("default", "public") if public else ("default",):
        storages[alias]["OPTIONS"].update(options)
    with override_settings(STORAGES=storages):
        bucket = store()
        before = capabilities.recall(bucket.place)
        if tried:
            capabilities.remember(bucket.place, Capabilities())
        try:
            yield bucket
        finally:  # a later test may get the same port
            if before:
                capabilities.remember(bucket.place, before)
            else:
                capabilities.forget(bucket.place)
