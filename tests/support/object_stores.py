"""Object stores other than the usual one: with a wrong key, out of reach, or with a bucket of its own."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.test import override_settings

from archive.storage import Store, store

WRONG_KEY = {"secret_key": "not-the-secret-of-this-store"}
UNREACHABLE = {"endpoint_url": "http://127.0.0.1:1"}
MISSING_BUCKET = {"bucket_name": "spacekeep-not-there"}


@contextmanager
def override_store(**options: str) -> Iterator[Store]:
    """While entered, everything in this process uses the store that `options` of django-storages describe."""
    storages: dict[str, Any] = copy.deepcopy(settings.STORAGES)
    storages["default"]["OPTIONS"].update(options)
    with override_settings(STORAGES=storages):
        yield store()
