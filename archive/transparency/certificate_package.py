"""Pack deletion certificates with their receipts into one ZIP file, with the keys and the programs that check them.

A certificate is signed in the transaction that writes its entry of the log, so no checkpoint can contain that entry
yet. Its receipt comes later, as a separate file, so that the certificate keeps its signed bytes, whose SHA-256 is in
the log.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from archive.audit.certificates import zip_of
from archive.log import events
from archive.models import DeletionCertificate, LogEntry
from archive.retention import certificate as certifying
from archive.transparency import export
from archive.transparency.keys import key_lines
from archive.transparency.receipts import make_receipt
from archive.transparency.verify_log import Receipt

README = """Certificates of deletion. deletion-of-ID.json is the certificate of the Space with this id, as it was
signed. deletion-of-ID.tlog-proof is its receipt: the proof that its entry is in the retention log, since a signed
checkpoint.

Check all of it in a browser, without a network: open verify.html from the disk, and choose this ZIP file. Or, on any
computer with Python 3.11 and its package "cryptography":

    python verify_log.py CERTIFICATES.zip --key KEY --certificate-key spacekeep-certificates.pem

One certificate:

    python verify_log.py deletion-of-....tlog-proof --key KEY --certificate deletion-of-....json \\
        --certificate-key spacekeep-certificates.pem

KEY is a line of log-keys.txt. A certificate alone: python verify_certificate.py deletion-of-....json \\
    --key spacekeep-certificates.pem

Compare the keys with the copies that you saved earlier: whoever sends you certificates could send you keys that fit.
"""
PENDING = """These certificates have no receipt yet: no checkpoint contained their entries when this file was made.
One is signed at the latest after {minutes} minutes. Download them again then.

"""


@dataclass(frozen=True)
class Recorded:
    """The entry that records a certificate (None: an older log had none), and its receipt if there is one."""

    entry: LogEntry | None
    receipt: Receipt | None


def recorded(certificate: DeletionCertificate) -> Recorded:
    entries = LogEntry.objects.filter(space_id=certificate.space_id, event=events.SPACE_DELETED)
    entry = entries.order_by("-id").first()
    return Recorded(entry, make_receipt(entry) if entry else None)


def pause() -> timedelta:
    """Return the longest time from a deletion to a checkpoint that contains it, while workers run."""
    return timedelta(seconds=settings.LOG_CHECKPOINT_SECONDS)


def package(certificates: Iterable[DeletionCertificate]) -> Iterator[bytes]:
    """Yield the ZIP file while it is made."""
    return zip_of(_members(certificates))


def _members(certificates: Iterable[DeletionCertificate]) -> Iterator[tuple[str, bytes]]:
    yield "README.txt", README.encode()
    yield "spacekeep-certificates.pem", certifying.public_keys()
    yield "log-keys.txt", key_lines().encode()
    yield "verify_certificate.py", certifying.verifier()
    yield "verify_log.py", export.verifier()
    yield "verify.html", export.verifier_page()
    pending: list[str] = []
    for certificate in certificates:
        name = f"deletion-of-{certificate.space_id}"
        yield f"{name}.json", certificate.document.encode()
        if receipt := recorded(certificate).receipt:
            yield f"{name}.tlog-proof", str(receipt).encode()
        else:
            pending.append(name)
    if pending:
        yield "no-receipt-yet.txt", _describe(pending)


def _describe(pending: Sequence[str]) -> bytes:
    minutes = max(1, round(pause().total_seconds() / 60))
    return (PENDING.format(minutes=minutes) + "".join(f"{name}.json\n" for name in pending)).encode()
