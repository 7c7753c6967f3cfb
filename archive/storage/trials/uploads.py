"""Trials of uploads by browsers and recorders."""

import base64
import hashlib

from django.utils.translation import gettext_noop as _

from archive.errors import Problem, make_problem
from archive.storage.capabilities import PartChecksums
from archive.storage.multipart import Checksums, Upload
from archive.storage.presigned_parts import stored_parts
from archive.storage.s3 import Store
from archive.storage.trials.attempts import describe_answer, open_upload, put_part
from archive.storage.trials.trial import NotNeeded, Trials

TRIALS = Trials()
trial = TRIALS.trial


@trial(
    _("URLs of parts with a SHA-256"),
    fallback=_("the checksums of parts are announced when an upload is opened"),
    part_checksums=PartChecksums.ANNOUNCED.value,
)
def _part_checksums(store: Store, prefix: str) -> Problem:
    with open_upload(store, f"{prefix}object") as upload:
        return _sent(upload) or _completed(upload, {})


@trial(
    _("URLs of parts with an announced SHA-256"),
    fallback=_("what is uploaded is compared when it is read, not before"),
    part_checksums=PartChecksums.NONE.value,
)
def _announced_checksums(store: Store, prefix: str) -> Problem:
    if store.capabilities.part_checksums != PartChecksums.ANNOUNCED:
        raise NotNeeded
    with open_upload(store, f"{prefix}object", Checksums.PART_SHA256) as upload:
        return _sent(upload) or _completed(upload, {1: _sha256(b"rehearsal")})


@trial(
    _("other bytes than announced are refused"),
    fallback=_("what is uploaded is compared when it is read, not before"),
    refuses_wrong_parts=False,
)
def _refuses_wrong_parts(store: Store, prefix: str) -> Problem:
    announced = store.capabilities.part_checksums
    if announced == PartChecksums.NONE:
        raise NotNeeded
    how = Checksums.PART_SHA256 if announced == PartChecksums.ANNOUNCED else Checksums.UNANNOUNCED
    with open_upload(store, f"{prefix}object", how) as upload:
        status, _ = put_part(upload, b"rehearsal", _sha256(b"rehearsal"), sent=b"something")
    return {} if 400 <= status < 500 else make_problem("trial.other_bytes_accepted", status=status)


@trial(_("parts of another size are refused"), fallback=_("sizes are compared when the upload is complete"))
def _refuses_other_sizes(store: Store, prefix: str) -> Problem:
    with open_upload(store, f"{prefix}object") as upload:
        status, _ = put_part(upload, b"rehearsal", "", sent=b"rehearsals")
    return {} if 400 <= status < 500 else make_problem("trial.longer_part_accepted", status=status)


@trial(_("a part that comes after the end of its upload is refused"))
def _refuses_late_parts(store: Store, prefix: str) -> Problem:
    with open_upload(store, f"{prefix}object") as upload:
        store.abort(upload.key, upload.id)
        status, _ = put_part(upload, b"rehearsal", "")
    is_refused = status >= 400 and not store.listing(prefix)
    return {} if is_refused else make_problem("trial.late_part_accepted", status=status)


def _sent(upload: Upload) -> Problem:
    status, words = put_part(upload, b"rehearsal", _sha256(b"rehearsal"))
    return {} if status == 200 else make_problem("trial.part_refused", answer=describe_answer(status, words))


def _completed(upload: Upload, sha256: dict[int, str]) -> Problem:
    (part,) = stored_parts(upload)
    upload.parts = {1: part.etag}
    return {} if upload.complete(sha256=sha256).size == 9 else make_problem("trial.size_differs")


def _sha256(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
