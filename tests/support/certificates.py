"""Make certificates of deletion with receipts without Spacekeep, and tamper with them."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from archive.transparency.verify_log import Checkpoint, Receipt, leaf_hash, node_hash
from tests.support.log_exports import KEY, NEXT_KEY, PRIVATE, sign

SIGNER = Ed25519PrivateKey.from_private_bytes(b"c" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"d" * 32)
SPACE, AT = "0190cafe-0000-7000-8000-000000000001", "2026-12-22T14:05:00Z"


@dataclass(frozen=True)
class Parts:
    """The files that are needed to check a certificate. `log_key` is a line for --key."""

    document: bytes
    receipt: Receipt | None
    pem: bytes | None
    log_key: str = str(KEY)


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def pem(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def make_document(signer: Ed25519PrivateKey = SIGNER, **fields: Any) -> bytes:
    der = signer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    statement = {
        "format": "spacekeep/certificate-of-deletion",
        "version": 1,
        "space": SPACE,
        "facts": "f" * 64,
        "ended_at": "2026-11-22T14:05:00Z",
        "deadline": {"at": AT, "deadline_reasons": ["retention_period"]},
        "policy": {"retention_days": 30},
        "decisions": [],
        "deletion": {"removed": [{"key": f"spaces/{SPACE}/a", "size": 7}], "listed_empty_at": "2026-12-22T14:06:00Z"},
        "issued_at": "2026-12-22T14:06:00Z",
        "key": hashlib.sha256(der).hexdigest(),
        **fields,
    }
    return canonical({**statement, "signature": signer.sign(canonical(statement)).hex()})


def make_receipt(document: bytes, private: Ed25519PrivateKey = PRIVATE, **changes: Any) -> Receipt:
    """Make a receipt of entry 0 of 2. `changes` to the entry: its `space` and `event`, or its detail."""
    detail = {
        "certificate": hashlib.sha256(document).hexdigest(),
        "deadline": AT,
        "listed_empty_at": "2026-12-22T14:06:00Z",
        **{name: value for name, value in changes.items() if name not in ("space", "event")},
    }
    entry = {
        "id": 113,
        "event": changes.get("event", "space.deleted"),
        "space": changes.get("space", SPACE),
        "detail": detail,
    }
    leaf, other = canonical(entry), leaf_hash(b"{}")
    return Receipt(leaf, 0, (other,), Checkpoint.parse(sign(2, node_hash(leaf_hash(leaf), other), private)))


def make_parts() -> Parts:
    document = make_document()
    return Parts(document, make_receipt(document), pem(SIGNER))


def with_entry(**changes: Any) -> Callable[[Parts], Parts]:
    return lambda parts: replace(parts, receipt=make_receipt(parts.document, **changes))


def with_document(change: Callable[[bytes], bytes]) -> Callable[[Parts], Parts]:
    """Change the document and make the receipt for it, so that only the document's own signature shows the change."""

    def changed(parts: Parts) -> Parts:
        document = change(parts.document)
        return replace(parts, document=document, receipt=make_receipt(document))

    return changed


def moved(parts: Parts) -> Parts:
    assert parts.receipt is not None
    return replace(parts, receipt=replace(parts.receipt, index=1))


# (the change, the verdict)
CASES: list[tuple[Callable[[Parts], Parts], str]] = [
    (lambda parts: parts, "certificate.verified"),
    (lambda parts: replace(parts, pem=None), "certificate.recorded"),
    (lambda parts: replace(parts, receipt=None), "certificate.signed"),
    (lambda parts: replace(parts, pem=pem(OTHER) + pem(SIGNER)), "certificate.verified"),
    (lambda parts: replace(parts, pem=pem(OTHER)), "certificate.invalid"),
    (lambda parts: replace(parts, pem=b"no key"), "certificate.invalid"),
    (lambda parts: replace(parts, log_key=str(NEXT_KEY)), "checkpoint.unsigned"),
    (lambda parts: replace(parts, document=make_document(ended_at=AT)), "receipt.other_certificate"),
    (with_entry(event="deletion.started"), "receipt.other_certificate"),
    (with_entry(certificate=None), "receipt.other_certificate"),
    (with_entry(space="0190cafe-0000-7000-8000-000000000002"), "receipt.contradicts"),
    (with_entry(deadline="2026-12-23T14:05:00Z"), "receipt.contradicts"),
    (with_entry(listed_empty_at="2026-12-21T14:05:00Z"), "receipt.contradicts"),
    (moved, "receipt.differs"),
    (with_document(lambda data: data.replace(b'"version":1', b'"version":2')), "certificate.invalid"),
    (with_document(lambda data: data.replace(b'"size":7', b'"size":8')), "certificate.invalid"),
    (with_document(lambda data: data.replace(b'"size":7', b'"size":7.5')), "certificate.invalid"),
    (with_document(lambda data: data + b"\n"), "certificate.invalid"),
    (with_document(lambda data: data.replace(b'"policy":{', b'"note":"x","policy":{')), "certificate.invalid"),
    (with_document(lambda data: data.replace(b',"version":1', b"")), "certificate.invalid"),
    (
        with_document(lambda data: data.replace(b'"policy":{"retention_days":30}', b'"policy":[]')),
        "certificate.invalid",
    ),
    (with_document(lambda data: data.replace(b'"signature":"', b'"signature":"AA')), "certificate.invalid"),
    (
        with_document(lambda data: data.replace(b"spacekeep/certificate", b"spacekeep/certificats")),
        "certificate.invalid",
    ),
    (with_document(lambda data: b"[]"), "certificate.invalid"),
]
