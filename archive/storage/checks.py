"""A system check that asks the store. Run by `manage.py setup_store` and `manage.py check --database default`, not
at every start: a store that is down for a minute must not keep the site from starting."""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

from archive.errors import StorageError
from archive.storage.s3 import store
from archive.storage.setup import faults


@register(Tags.database)
def bucket_is_erasable(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Deleted must mean deleted: a bucket with versioning or a lock is refused."""
    if not databases:
        return []
    try:
        found = faults(store())
    except StorageError as error:
        return [checks.Warning(str(error), hint="Start the object store, or look at S3_*.", id="spacekeep.W101")]
    hint = "Use a bucket without versioning and without object lock."
    return [
        Error(f"The bucket {store().bucket} would not let go: {fault}.", hint=hint, id="spacekeep.E101")
        for fault in found
    ]
