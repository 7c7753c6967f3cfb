"""Errors that Spacekeep raises. Each has a code and its parameters; archive/error_messages has the sentence for it."""

import traceback
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID

# {"code": ..., "params": {...}} as JSON keeps it; {} without a problem. error_messages.render() makes it a sentence.
Problem = dict[str, Any]

ROOT = Path(__file__).parents[1]
FRAMES = 3


def make_problem(code: str, /, **params: object) -> Problem:
    """A problem that a row can keep. `code` is one of archive/error_messages, `params` are those of its sentence."""
    return {"code": code, "params": _as_json(params)}


def violated_constraint(error: Exception) -> str:
    """The name of the database's constraint that an IntegrityError is about; "" for another error."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None) or ""


def locate(error: BaseException) -> str:
    """Format the innermost code lines: "archive/intake/audio/decoder/decode.py:79 > av/container/core.py:494"."""
    places = [(shorten(frame.f_code.co_filename), line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return " > ".join([f"{file}:{line}" for file, line in places if not file.startswith("<frozen ")][-FRAMES:])


def shorten(file: str) -> str:
    """Shorten a file name. Compiled modules report their source's name: av/container/core.py."""
    return file.removeprefix(f"{ROOT}/").rpartition("site-packages/")[2]


class SpacekeepError(Exception):
    """Base of everything that Spacekeep itself raises: `Refused("upload.too_large", size=..., limit=...)`."""

    def __init__(self, code: str, /, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params: dict[str, Any] = _as_json(params)

    def __str__(self) -> str:
        from archive import error_messages  # noqa: PLC0415  (the decoder's process has no Django, and renders nothing)

        return error_messages.render(self.problem)

    @property
    def problem(self) -> Problem:
        """What a row keeps of it."""
        return {"code": self.code, "params": self.params}

    @classmethod
    def of(cls, problem: Problem, **params: object) -> Self:
        """An error with this code and these parameters, and further ones: `file=` puts the file's name in front."""
        return cls(problem["code"], **{**problem["params"], **params})


def _as_json(value: Any) -> Any:
    """Numbers, sizes and times are kept raw: they are formatted when the sentence is shown."""
    if isinstance(value, Mapping):
        return {str(key): _as_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float):
        return value
    # Also a member of TextChoices, and text from strangers: PostgreSQL keeps no NUL in JSON, and no half character.
    text = str(value) if isinstance(value, str | UUID) else repr(value)
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


class Refused(SpacekeepError):
    """The request can't be carried out as asked. Nothing was changed."""


class TooLate(Refused):
    """The Space's deletion has begun, or its deadline has passed."""


class Conflict(Refused):
    """The request does not fit the current state: it exists already, it is over, or there are too many at a time."""


class TooManyRequests(Refused):
    """The caller has reached a limit. `seconds` among the parameters says after how many to try again."""

    @property
    def retry_after(self) -> int:
        """Seconds, at least one."""
        return max(1, int(self.params.get("seconds", 1)))


class Unreadable(Refused):
    """A file is not what it should be: no audio in it, or no transcript."""


class DecoderDied(Unreadable):
    """The decoder process was killed over the file, or answered nonsense. A hostile file can do that, and so can a
    machine without memory: try again before the file is blamed."""


class DecoderFailed(SpacekeepError):
    """The decoder does not work: a bug of ours or a broken installation. The file is not to blame; try again later."""


class InspectionFailed(SpacekeepError):
    """Our code failed over files that were inspected: a bug of ours. The files are not to blame."""


class DiskFailed(SpacekeepError):
    """The worker's disk is full or broken. The file is not to blame; try again later."""


class DeletionPaused(SpacekeepError):
    """Nothing may be deleted now, as an older database may have been restored (archive/restores.py): try again
    later."""


class LeaseLost(SpacekeepError):
    """Another worker has the work now (the fence moved on). Stop, and write nothing more."""


class AttemptsExhausted(SpacekeepError):
    """No attempt is left. It has the problem of the last one."""


class MailRefused(SpacekeepError):
    """The mail server will never take this message: trying again would not help."""


class MailUnavailable(SpacekeepError):
    """The mail server can't be reached, or did not take the message this time: try again later."""


class MailUncertain(MailUnavailable):
    """The connection broke while the message was handed over: the mail server may have taken it."""


class MailDown(MailUnavailable):
    """No mail goes out: the server can't be reached, or does not let us in."""


class DeliveryFailed(SpacekeepError):
    """The receiver of a webhook did not accept an event, or can't be reached: try again later."""


class DeliveryRefused(SpacekeepError):
    """A webhook can't be delivered, and trying again would not help."""


class StorageError(SpacekeepError):
    """The object store did not do what was asked."""


class ObjectMissing(StorageError):
    """The store answered that the object, or the upload, is not there."""


class UploadGone(ObjectMissing):
    """The multipart upload is not there: it was completed, or aborted."""


class StoreDenied(StorageError):
    """The store refused. Nothing is known of the object: this is never "missing" and never "done"."""


class StoreUnavailable(StorageError):
    """The store can't be reached, or failed. Nothing is known: try again later."""


class StoreRefused(StorageError):
    """The store refused the request for good: a retry does not help. The state of the object is unknown."""


class CheckpointMissing(StorageError):
    """The store lacks the checkpoint of the log, although this database has written one there."""


class ObjectChanged(StorageError):
    """An object is not the one that was expected: its ETag differs."""
