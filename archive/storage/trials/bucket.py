"""Trials of the bucket's settings: encryption, and what would keep deleted bytes alive."""

from io import BytesIO

from django.utils.translation import gettext_noop as _

from archive.errors import Problem, make_problem
from archive.storage.bucket import NEVER_HAD_VERSIONS, find_faults
from archive.storage.multipart import write
from archive.storage.s3 import Store, translated
from archive.storage.trials.attempts import check_nothing
from archive.storage.trials.trial import LISTINGS, NotNeeded, Trials

TRIALS = Trials()
trial = TRIALS.trial


@trial(
    _("new objects are encrypted as S3_ENCRYPTION says"),
    remedy=_("Set S3_ENCRYPTION to what the store has, or to none."),
)
def _encrypts(store: Store, prefix: str) -> Problem:
    wanted = store.encryption.get("ServerSideEncryption")
    if not wanted:
        raise NotNeeded
    written = write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=check_nothing)
    with translated(written.key):
        found = str(store.client.head_object(Bucket=store.bucket, Key=written.key).get("ServerSideEncryption", "none"))
    return {} if found == wanted else make_problem("trial.encryption_differs", found=found, wanted=wanted)


@trial(_("the bucket keeps no old versions"), permissions=LISTINGS, remedy=NEVER_HAD_VERSIONS)
def _no_versioning(store: Store, prefix: str) -> Problem:
    """Read the bucket's settings, and write one object twice, as a store may deny or lack the request for settings."""
    if faults := find_faults(store):
        return faults[0]  # a bucket with object lock has versioning, too
    for _round in range(2):
        write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=check_nothing)
    count = len(store.listing(prefix).versions)
    if count != 1:
        return make_problem("trial.versions_kept", count=count)
    return {}
