"""Errors that Spacekeep raises. Each has a code and parameters; archive/error_messages has its sentence."""

import traceback
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID

# {"code": ..., "params": {...}} as stored in JSON; {} for no problem. error_messages.render() makes the sentence.
Problem = dict[str, Any]

ROOT = Path(__file__).parents[1]
FRAMES = 3


def make_problem(code: str, /, **params: object) -> Problem:
    """Make a problem for a row. `code` is one of archive/error_messages, `params` fill in its sentence."""
    return {"code": code, "params": _as_json(params)}


def violated_constraint(error: Exception) -> str:
    """Return the name of the database constraint that an IntegrityError is about; "" for other errors."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None) or ""


def locate(error: BaseException) -> str:
    """Format the innermost code lines: "archive/intake/audio/decoder/decode.py:79 > av/container/core.py:494"."""
    places = [(shorten(frame.f_code.co_filename), line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return " > ".join([f"{file}:{line}" for file, line in places if not file.startswith("<frozen ")][-FRAMES:])


def shorten(file: str) -> str:
    """Shorten a file name. Compiled modules report the name of their source: av/container/core.py."""
    return file.removeprefix(f"{ROOT}/").rpartition("site-packages/")[2]


class SpacekeepError(Exception):
    """Base of all errors that Spacekeep itself raises: `Refused("upload.too_large", size=..., limit=...)`."""

    def __init__(self, code: str, /, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params: dict[str, Any] = _as_json(params)

    def __str__(self) -> str:
        from archive import error_messages  # noqa: PLC0415  (the decoder's process has no Django, and renders nothing)

        return error_messages.render(self.problem)

    @property
    def problem(self) -> Problem:
        """The error as a row stores it."""
        return {"code": self.code, "params": self.params}

    @classmethod
    def of(cls, problem: Problem, **params: object) -> Self:
        """Make an error with this code and these parameters, and more: `file=` puts the file's name in front."""
        return cls(problem["code"], **{**problem["params"], **params})


def _as_json(value: Any) -> Any:
    """Keep numbers, sizes and times raw: they are formatted when the sentence is shown."""
    if isinstance(value, Mapping):
        return {str(key): _as_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float):
        return value
    # Members of TextChoices, and untrusted text: PostgreSQL's JSON refuses NUL and lone surrogates.
    text = str(value) if isinstance(value, str | UUID) else repr(value)
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


class Refused(SpacekeepError):
    """The request can't be carried out as asked. Nothing was changed."""


class TooLate(Refused):
    """The Space's deletion has begun, or its deadline has passed."""


class Conflict(Refused):
    """The request does not fit the current state: the thing exists already or has ended, or too many run at a time."""


class TooManyRequests(Refused):
    """The caller has reached a limit. The parameter `seconds` says when to try again."""

    @property
    def retry_after(self) -> int:
        """Seconds, at least one."""
        return max(1, int(self.params.get("seconds", 1)))


class Unreadable(Refused):
    """A file is not what it should be: no audio in it, or no transcript."""


class DecoderDied(Unreadable):
    """The decoder process was killed by the file, or returned nonsense. A hostile file can cause that, and so can a
    machine without memory, so retry before you blame the file."""


class DecoderFailed(SpacekeepError):
    """The decoder does not work: our bug or a broken installation. The file is not to blame; retry later."""


class InspectionFailed(SpacekeepError):
    """Our code failed on inspected files: our bug. The files are not to blame."""


class DiskFailed(SpacekeepError):
    """The worker's disk is full or broken. The file is not to blame; retry later."""


class DeletionPaused(SpacekeepError):
    """Nothing may be deleted now, as an older database may have been restored (archive/restores.py): retry later."""


class LeaseLost(SpacekeepError):
    """Another worker has the work now (it has a higher fence). Stop, and write nothing more."""


class AttemptsExhausted(SpacekeepError):
    """No attempt is left. Has the problem of the last attempt."""


class MailRefused(SpacekeepError):
    """The mail server will never accept this message; retries do not help."""


class MailUnavailable(SpacekeepError):
    """The mail server can't be reached, or did not accept the message this time: retry later."""


class MailUncertain(MailUnavailable):
    """The connection broke during the delivery: the mail server may have accepted the message."""


class MailDown(MailUnavailable):
    """No mail can be sent: the server can't be reached, or refuses our login."""


class DeliveryFailed(SpacekeepError):
    """The receiver of a webhook did not accept an event, or can't be reached: retry later."""


class DeliveryRefused(SpacekeepError):
    """A webhook can't be delivered, and retries do not help."""


class StorageError(SpacekeepError):
    """The object store did not do what we asked."""


class ObjectMissing(StorageError):
    """The store answered that the object, or the upload, does not exist."""


class UploadGone(ObjectMissing):
    """The multipart upload does not exist: it was completed or aborted."""


class StoreDenied(StorageError):
    """The store denied access. The state of the object is unknown: treat it as neither missing nor done."""


class StoreUnavailable(StorageError):
    """The store can't be reached, or failed. The state of the object is unknown: retry later."""


class StoreRefused(StorageError):
    """The store refused the request permanently: retries do not help. The state of the object is unknown."""


class CheckpointMissing(StorageError):
    """The store lacks the log's checkpoint, although this database has written one there."""


class ObjectChanged(StorageError):
    """An object has another ETag than expected."""
