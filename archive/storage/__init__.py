"""Object storage: only this package talks to S3, behind a narrow interface with distinct errors.

ObjectMissing, UploadGone, StoreDenied, StoreUnavailable and ObjectChanged (archive/errors.py) are different answers:
only an explicit "no such key" from the store counts as absence. All sizes and offsets are bytes.
"""

from archive.storage.multipart import MIN_PART, PART, Upload, begin, write
from archive.storage.ours import store
from archive.storage.presigned_parts import MOST_PARTS, StoredPart, newest, signed_part, stored_parts
from archive.storage.s3 import Listing, ObjectInfo, Store, StoredVersion

__all__ = [
    "MIN_PART",
    "MOST_PARTS",
    "PART",
    "Listing",
    "ObjectInfo",
    "Store",
    "StoredPart",
    "StoredVersion",
    "Upload",
    "begin",
    "newest",
    "signed_part",
    "store",
    "stored_parts",
    "write",
]
