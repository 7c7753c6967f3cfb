"""Restore that the recording of a Space came, from the entry that records it."""

from archive import leases
from archive.errors import ObjectMissing
from archive.models import Space, UploadSession
from archive.storage import keys, store
from archive.transparency.reapply_step import ByHand
from archive.transparency.recovery import LostEntry


def receive(space: Space, entry: LostEntry) -> bool:
    """Complete the upload of a Space whose recording came after the backup, so that workers examine and publish it.
    Otherwise the Space would be deleted as abandoned, with its recording. Raises StorageError."""
    if space.state != Space.State.RECEIVING:
        return False
    opened = space.uploads.filter(state=UploadSession.State.OPEN)
    upload = next((one for one in opened if str(one.pk) == entry.detail.get("upload")), None)
    if upload is None:
        if not store().versions(keys.prefix(space.pk)):
            return False
        raise ByHand(
            "the store has its recording, and this database no upload of it: copy it before you confirm, as the Space"
            " is deleted as abandoned"
        )
    try:
        stored = store().head(upload.key)
    except ObjectMissing:  # it was rejected
        return False
    UploadSession.objects.filter(pk=upload.pk).update(
        state=UploadSession.State.UPLOADED, etag=stored.etag, problem={}, **leases.RESET
    )
    Space.objects.filter(pk=space.pk).update(state=Space.State.PROCESSING, problem={}, **leases.RESET)
    return True
