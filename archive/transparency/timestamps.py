"""Time stamps of checkpoints (RFC 3161): a time-stamp authority signs that a checkpoint existed at a time.

A checkpoint has no time except the archive's own; the authority's time does not depend on the archive's clock. An
answer is verified before it is stored: our nonce, our bytes, a time-stamping certificate issued by LOG_TSA_CA, and the
current time. The token is stored beside the checkpoint in the store and in each export, where `openssl ts` can check it
without us. If the authority fails, it is asked again each minute; nothing waits for it.
"""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from cryptography import x509
from django.conf import settings
from django.db.models.functions import Now

from archive import dbtime
from archive.errors import StorageError
from archive.models import CheckpointTimestamp, LogCheckpoint
from archive.storage import Store, keys
from archive.transparency.bounded_post import PostFailed, post
from archive.transparency.der import sort_certificates

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

SECONDS = 10
MAX_ANSWER = 64 * 1024  # bytes; a token with its certificates has some 6,000
MAX_DRIFT = timedelta(minutes=10)  # between the authority's clock and ours
OVERDUE = timedelta(days=1)
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"

logger = structlog.get_logger()


class TimestampRefused(Exception):
    """The authority's answer is not a time stamp of our checkpoint; the message says why."""


def is_configured() -> bool:
    return bool(settings.LOG_TSA_URL)


def latest_timestamp() -> CheckpointTimestamp | None:
    return CheckpointTimestamp.objects.select_related("checkpoint").order_by("-checkpoint_id").first()


def publish(newest: LogCheckpoint, bucket: Store) -> None:
    """Have the newest checkpoint time-stamped, if there was no time stamp within LOG_TSA_SECONDS. Errors are logged,
    and raise an alert when an answer is wrong, or when there was no time stamp for a day."""
    pause = timedelta(seconds=settings.LOG_TSA_SECONDS)
    is_recent = CheckpointTimestamp.objects.filter(at__gt=Now() - pause).exists()
    if is_recent or CheckpointTimestamp.objects.filter(checkpoint=newest).exists():
        return
    try:
        row = request_timestamp(newest)
        _store(bucket, row)
    except (PostFailed, TimestampRefused, StorageError) as error:
        is_refused = isinstance(error, TimestampRefused)
        event = "log_timestamp_refused" if is_refused else "log_timestamp_failed"
        (logger.error if is_refused or _is_overdue() else logger.warning)(
            event, authority=settings.LOG_TSA_URL, error=str(error)
        )


def request_timestamp(checkpoint: LogCheckpoint) -> CheckpointTimestamp:
    """Ask the authority. Returns a verified row, not yet saved. Raises PostFailed, TimestampRefused."""
    # Imported here because it loads a Rust module, and few processes request time stamps.
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415

    note = checkpoint.note.encode()
    builder = TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256)
    request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    answer = post(settings.LOG_TSA_URL, request.as_bytes(), QUERY, seconds=SECONDS, most=MAX_ANSWER)
    return _verified(checkpoint, answer, request.nonce)


def _verified(checkpoint: LogCheckpoint, answer: bytes, nonce: int | None) -> CheckpointTimestamp:
    from rfc3161_client import PKIStatus, VerificationError, VerifierBuilder, decode_timestamp_response  # noqa: PLC0415

    try:
        response = decode_timestamp_response(sort_certificates(answer))
        if response.status != PKIStatus.GRANTED:
            raise TimestampRefused(f"{PKIStatus(response.status).name}: {'; '.join(response.status_string)[:200]}")
        verifier = VerifierBuilder(roots=_roots(), nonce=nonce).build()
        verifier.verify_message(response, checkpoint.note.encode())
        stamped_at = response.tst_info.gen_time
        authority = _signer(response)
    except (ValueError, TypeError, AttributeError, VerificationError) as error:
        raise TimestampRefused(str(error) or type(error).__name__) from error
    if abs(stamped_at - dbtime.now()) > MAX_DRIFT:
        raise TimestampRefused(f"its time is {stamped_at:%Y-%m-%dT%H:%M:%SZ}")
    return CheckpointTimestamp(checkpoint=checkpoint, authority=authority[:300], stamped_at=stamped_at, response=answer)


def _signer(response: "TimeStampResponse") -> str:
    """Return the subject of the certificate that signed it, which the verifier has checked. Raises ValueError if the
    answer lacks it."""
    (signer,) = response.signed_data.signer_infos
    certificates = map(x509.load_der_x509_certificate, response.signed_data.certificates)
    for certificate in certificates:
        if (certificate.issuer, certificate.serial_number) == (signer.issuer, signer.serial_number):
            return certificate.subject.rfc4514_string()
    raise ValueError("no certificate of the signer")


def _roots() -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(Path(settings.LOG_TSA_CA).read_bytes())
    except (OSError, ValueError) as error:
        raise TimestampRefused(f"LOG_TSA_CA can't be read ({type(error).__name__})") from error


def _store(bucket: Store, row: CheckpointTimestamp) -> None:
    """Write the objects first: a worker that dies before it saves the row requests another token, and overwrites this
    one. A worker that finds a row of another worker writes that row's token again."""
    name = file_name(row.checkpoint)
    bucket.put(keys.log_object(f"{name}.txt"), row.checkpoint.note.encode(), "text/plain; charset=utf-8")
    bucket.put(keys.log_object(f"{name}.tsr"), bytes(row.response), REPLY)
    values = {"authority": row.authority, "stamped_at": row.stamped_at, "response": row.response}
    saved, is_new = CheckpointTimestamp.objects.get_or_create(checkpoint=row.checkpoint, defaults=values)
    if not is_new:
        bucket.put(keys.log_object(f"{name}.tsr"), bytes(saved.response), REPLY)


def file_name(checkpoint: LogCheckpoint) -> str:
    """Return the name of a checkpoint (.txt) and its time stamp (.tsr), in the store below log/ and in an export."""
    return f"timestamps/{keys.checkpoint_name(checkpoint.size, checkpoint.signed_at)}"


def _is_overdue() -> bool:
    """Return whether no checkpoint got a time stamp for longer than OVERDUE."""
    recent = CheckpointTimestamp.objects.filter(at__gt=Now() - OVERDUE)
    old = LogCheckpoint.objects.filter(signed_at__lt=Now() - OVERDUE)
    return not recent.exists() and old.exists()
