"""Use another object store: with a wrong key, unreachable, or with another bucket."""

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
    """Change the django-storages `options` of the object store for this process."""
    storages: dict[str, Any] = copy.deepcopy(settings.STORAGES)
    storages["default"]["OPTIONS"].update(options)
    with override_settings(STORAGES=storages):
        yield store()
