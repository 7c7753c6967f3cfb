"""The only place that knows S3: one narrow contract, three different errors.

Missing, denied and unavailable are told apart (archive/errors.py): only a clear "not there" from the store counts as
absence. All sizes and offsets are bytes.
"""

from archive.storage.multipart import MIN_PART, PART, Upload, begin, write
from archive.storage.parts import MOST_PARTS, StoredPart, newest, signed_part, stored_parts
from archive.storage.s3 import Listing, ObjectInfo, Store, StoredVersion, store

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
