"""Our bucket, with its observed capabilities.

The result of the last rehearsal is a row (StoreReport), so other processes need not repeat it. A store without a row is
rehearsed at the first use that depends on it.
"""

from archive.models import StoreReport
from archive.storage import capabilities, rehearsal
from archive.storage.capabilities import Capabilities
from archive.storage.s3 import Store


def store() -> Store:
    return Store(find_capabilities=_current)


def _current(ours: Store) -> Capabilities:
    """Return the capabilities. Raises StorageError when there is no rehearsal, and none can be made now."""
    if known := capabilities.recall(ours.place):
        return known
    row = StoreReport.objects.filter(place=ours.place).first()
    if row is None:
        return rehearsal.run(ours).capabilities
    found = Capabilities.from_json(row.capabilities)
    capabilities.remember(ours.place, found)
    return found
