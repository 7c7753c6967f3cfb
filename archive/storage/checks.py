"""System check of the bucket, run by `manage.py setup_store` and `manage.py check --database default`.

It does not run at every start, so that the site can start while the store is down.
"""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

from archive import error_messages
from archive.errors import StorageError
from archive.storage.bucket import NEVER_HAD_VERSIONS, exists, find_faults
from archive.storage.ours import store
from archive.storage.remedies import remedy_for


@register(Tags.database)
def bucket_is_erasable(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a bucket with versioning or object lock: deleted objects would stay."""
    if not databases:
        return []
    try:
        exists(store())  # first, because its errors have a cause; a key may lack the permission for the others
        faults = find_faults(store())
    except StorageError as error:
        return [checks.Warning(str(error), hint=remedy_for(error), id="spacekeep.W101")]
    return [
        Error(
            f"Objects in bucket {store().bucket} could not be permanently deleted. {error_messages.render(fault)}",
            hint=NEVER_HAD_VERSIONS,
            id="spacekeep.E101",
        )
        for fault in faults
    ]
