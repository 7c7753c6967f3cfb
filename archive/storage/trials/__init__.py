"""The trials of a rehearsal, in order. Each writes known bytes under its own prefix, and checks what the store made of
them. A trial fails if it raises StoreRefused, ObjectChanged or ObjectMissing.

Sources of the differences: AWS's S3 API reference; the documentation of Cloudflare R2, Garage and Google Cloud Storage
on what they lack; tests of Ceph RGW 16, OpenStack Swift 2.30 and rclone 1.75 (docs/stores.md).
"""

from archive.storage.trials import bucket, bundles, downloads, objects, uploads
from archive.storage.trials.trial import Finding, NotNeeded, Outcome, Trial

__all__ = ["ALL", "Finding", "NotNeeded", "Outcome", "Trial"]

# In this order: later ones use what earlier ones found.
ALL: list[Trial] = [*objects.TRIALS, *uploads.TRIALS, *bundles.TRIALS, *downloads.TRIALS, *bucket.TRIALS]
