"""Our bucket, with what it was observed to do.

The result of the last rehearsal is a row (StoreReport), so no process has to try the store again. A store that was
never tried is tried at the first use that depends on it.
"""

from archive.models import StoreReport
from archive.storage import capabilities, rehearsal
from archive.storage.capabilities import Capabilities
from archive.storage.s3 import Store


def store() -> Store:
    return Store(find_capabilities=_current)


def _current(ours: Store) -> Capabilities:
    """Raises StorageError when the store was never tried, and can't be tried now."""
    if known := capabilities.recall(ours.place):
        return known
    row = StoreReport.objects.filter(place=ours.place).first()
    if row is None:
        return rehearsal.run(ours).capabilities
    found = Capabilities.from_json(row.capabilities)
    capabilities.remember(ours.place, found)
    return found
