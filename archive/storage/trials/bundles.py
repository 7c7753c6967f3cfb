"""Trials of what bundles are composed and verified with."""

import zlib
from contextlib import suppress
from dataclasses import replace
from io import BytesIO

from django.utils.translation import gettext_noop as _

from archive.errors import ObjectChanged, Problem, StoreRefused, make_problem
from archive.storage.multipart import MIN_PART, Checksums, Upload, encode_crc32, write
from archive.storage.s3 import Store, translated
from archive.storage.trials.attempts import OFFSET, check_nothing, known_bytes, open_upload
from archive.storage.trials.trial import NotNeeded, Trials

WRONG_ETAG = '"0123456789abcdef0123456789abcdef"'

TRIALS = Trials()
trial = TRIALS.trial


@trial(
    _("UploadPartCopy of a range"), fallback=_("recordings travel through the workers into bundles"), copies_parts=False
)
def _copies_parts(store: Store, prefix: str) -> Problem:
    """Copy without a condition, since the next trial tests that."""
    known = replace(store.capabilities, checks_copy_source=False)
    plain = Store(store.alias, find_capabilities=lambda store: known)
    source = known_bytes(OFFSET + MIN_PART)
    written = write(plain, f"{prefix}source", BytesIO(source), "text/plain", check=check_nothing)
    with open_upload(plain, f"{prefix}copy") as upload:
        upload.copy(1, written.key, written.etag, OFFSET, MIN_PART)
        upload.put(2, b"end")
        made = upload.complete()
    same = made.size == MIN_PART + 3 and store.read(made.key, 0, made.size, made.etag) == source[OFFSET:] + b"end"
    return {} if same else make_problem("trial.copy_differs")


@trial(
    _("only copies of a replaced object are refused"),
    fallback=_("the ETag is asked for before each copy"),
    checks_copy_source=False,
)
def _checks_copy_source(store: Store, prefix: str) -> Problem:
    if not store.capabilities.copies_parts:
        raise NotNeeded
    written = write(store, f"{prefix}source", BytesIO(b"rehearsal"), "text/plain", check=check_nothing)
    with open_upload(store, f"{prefix}copy") as upload:
        upload.copy(1, written.key, written.etag, 0, 9)
        with suppress(ObjectChanged):
            upload.copy(2, written.key, WRONG_ETAG, 0, 9)
            return make_problem("trial.other_object_copied")
    return {}


@trial(_("parts of different sizes"), fallback=_("all parts but the last have one size"), any_part_sizes=False)
def _any_part_sizes(store: Store, prefix: str) -> Problem:
    data = known_bytes(2 * MIN_PART + OFFSET)
    with open_upload(store, f"{prefix}object") as upload:
        upload.put(1, data[:MIN_PART])
        upload.put(2, data[MIN_PART:])
        upload.put(3, b"end")
        made = upload.complete()
    return {} if made.size == len(data) + 3 else make_problem("trial.size_differs")


@trial(
    _("the CRC-32 of a whole upload is compared"),
    fallback=_("bundles are verified part by part, or read once more"),
    verifies_whole=False,
)
def _verifies_whole(store: Store, prefix: str) -> Problem:
    whole = zlib.crc32(b"rehearsal")
    with open_upload(store, f"{prefix}right", Checksums.WHOLE_CRC32) as upload:
        upload.put(1, b"rehearsal")
        upload.complete(whole)
    with open_upload(store, f"{prefix}wrong", Checksums.WHOLE_CRC32) as upload:
        upload.put(1, b"rehearsal")
        with suppress(ObjectChanged, StoreRefused):
            upload.complete(whole ^ 1)
            return make_problem("trial.wrong_crc32_completed")
    return {}


@trial(_("the CRC-32 of each part is computed"), fallback=_("bundles are read once more"), reports_part_crc32=False)
def _reports_part_crc32(store: Store, prefix: str) -> Problem:
    """Copy a range whose CRC-32 no request contains: a store that reports the right one has computed it."""
    if store.capabilities.verifies_whole:
        raise NotNeeded
    source = known_bytes(OFFSET + MIN_PART)
    written = write(store, f"{prefix}source", BytesIO(source), "text/plain", check=check_nothing)
    with open_upload(store, f"{prefix}right", Checksums.PART_CRC32) as upload:
        if store.capabilities.copies_parts:
            upload.copy(1, written.key, written.etag, OFFSET, MIN_PART)
        else:
            upload.put(1, source[OFFSET:])
        upload.put(2, b"end")
        if upload.crc32 != {1: zlib.crc32(source[OFFSET:]), 2: zlib.crc32(b"end")}:
            return make_problem("trial.part_crc32_differs")
        if upload.complete(by_part=True).crc32 != upload.composite_crc32:
            return make_problem("trial.object_crc32_differs")
    with open_upload(store, f"{prefix}wrong", Checksums.PART_CRC32) as upload:
        with suppress(ObjectChanged, StoreRefused):
            _put_with_wrong_crc32(upload)
            return make_problem("trial.wrong_part_accepted")
        upload.put(1, b"rehearsal")
        upload.crc32[1] ^= 1
        with suppress(ObjectChanged, StoreRefused):
            if upload.complete(by_part=True).crc32 == upload.composite_crc32:
                return make_problem("trial.crc32_echoed")
    return {}


def _put_with_wrong_crc32(upload: Upload) -> None:
    wrong = encode_crc32(zlib.crc32(b"rehearsal") ^ 1)
    with translated(upload.key):
        upload.store.client.upload_part(
            Bucket=upload.store.bucket,
            Key=upload.key,
            UploadId=upload.id,
            PartNumber=1,
            Body=b"rehearsal",
            ChecksumCRC32=wrong,
        )
