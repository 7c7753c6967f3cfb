"""What can go wrong, told apart. The text of each error is one line for a person: what happened, and what to do."""


class SpacekeepError(Exception):
    """Base of everything that Spacekeep itself raises."""


class Refused(SpacekeepError):
    """The request can't be carried out as asked. Nothing was changed."""


class TooLate(Refused):
    """The Space's deletion has begun, or its deadline has passed."""


class Conflict(Refused):
    """It does not fit the state that things are in: there already, over, or too many at a time."""


class Unreadable(Refused):
    """A file is not what it should be: no audio in it, or no transcript."""


class DecoderDied(Unreadable):
    """The decoder process was killed over the file, or answered nonsense. A hostile file can do that, and so can a
    machine without memory: try again before the file is blamed."""


class DecoderFailed(SpacekeepError):
    """The decoder does not work: a bug of ours or a broken installation. The file is not to blame; try again later."""


class LeaseLost(SpacekeepError):
    """Somebody else has the work now (the fence moved on). Stop, and write nothing more."""


class MailRefused(SpacekeepError):
    """The mail server will never take this message: trying again would not help."""


class MailUnavailable(SpacekeepError):
    """The mail server can't be reached, or did not take the message this time: try again later."""


class MailDown(MailUnavailable):
    """Nobody's mail goes out: the server can't be reached, or does not let us in."""


class StorageError(SpacekeepError):
    """The object store did not do what was asked."""


class ObjectMissing(StorageError):
    """The store answered that the object, or the upload, is not there."""


class UploadGone(ObjectMissing):
    """The multipart upload is not there: somebody completed it, or ended it."""


class StoreDenied(StorageError):
    """The store refused. Nothing is known of the object: this is never "missing" and never "done"."""


class StoreUnavailable(StorageError):
    """The store can't be reached, or failed. Nothing is known: try again later."""


class ObjectChanged(StorageError):
    """An object is not the one that was expected: its ETag differs."""
