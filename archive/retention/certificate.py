"""Deletion certificates: what was stored, the reasons for its deadline, what was deleted, and when the store was
verified to be empty.

Canonical JSON (RFC 8785), signed with Ed25519 (RFC 8032). The signature covers the canonical JSON of everything but
`signature` itself. verify_certificate.py checks a certificate on any machine, without Spacekeep.

A certificate has no names and no text by users. `facts` is a salted commitment to the title, the participants and the
recordings. The salt is scrubbed with the Space, so nobody can guess the facts from the certificate; a host with the
bundle has the salt, and can prove that the certificate is about this recording.

The key is read and checked when a process starts, so that signing can't fail once a Space is being deleted.
"""

import hashlib
import os
import socket
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from archive import log, signing_keys
from archive.log import events
from archive.models import DeletionCertificate, LogEntry, Space, current_policy
from archive.retention import verify_certificate

FORMAT = "spacekeep/certificate-of-deletion"
VERSION = 1


@dataclass(frozen=True)
class VerifiedEmpty:
    """The result in the store: `removed` lists the objects that had rows ([{key, size, sha256}]); `attempt` counts
    from 1."""

    removed: Sequence[dict[str, Any]]
    listed_empty_at: datetime
    attempt: int


def require_key() -> None:
    """Raise ImproperlyConfigured in a process that can't sign certificates. Call it before starting a deletion, which
    has to end with one."""
    if not settings.CERTIFICATE_KEY:
        raise ImproperlyConfigured("CERTIFICATE_KEY is not set: this process can sign no certificate of deletion.")
    record_use()


def record_use() -> None:
    """Record, once, that CERTIFICATE_KEY signs. Raises signing_keys.KeyRetired, a kind of ImproperlyConfigured."""
    signing_keys.record_use(signing_keys.CERTIFICATE, _key().public_key().public_bytes_raw())


def public_keys() -> bytes:
    """Return the public keys as PEM (SubjectPublicKeyInfo), the newest first: the keys in CERTIFICATE_KEY and
    CERTIFICATE_PUBLIC_KEYS, and those that one of these endorsed.

    A process without CERTIFICATE_KEY starts from CERTIFICATE_PUBLIC_KEYS. Raises ImproperlyConfigured without either.
    """
    return b"".join(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for key in _public_keys())


def _public_keys() -> list[Ed25519PublicKey]:
    own = [_key().public_key().public_bytes_raw()] if settings.CERTIFICATE_KEY else []
    known = signing_keys.known_keys(signing_keys.CERTIFICATE, [*own, *settings.CERTIFICATE_PUBLIC_KEYS])
    if not known:
        raise ImproperlyConfigured("Neither CERTIFICATE_KEY nor CERTIFICATE_PUBLIC_KEYS is set.")
    return [Ed25519PublicKey.from_public_bytes(key) for key in known]


def verifier() -> bytes:
    """Return the source of verify_certificate.py, the program that checks certificates on any machine."""
    return Path(verify_certificate.__file__).read_bytes()


def key_id() -> str:
    """Return the SHA-256 (hex) of the public key as DER: `openssl pkey -pubin -in KEY -outform DER | sha256sum`."""
    der = _key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def public_key_ids() -> list[str]:
    """Return the ids of `public_keys`, in the same order."""
    return [verify_certificate.key_id(key) for key in _public_keys()]


def make(space: Space, entries: Sequence[LogEntry], emptied: VerifiedEmpty, now: datetime) -> DeletionCertificate:
    """Make the certificate of `space` from its log (`entries_for_certificates`). Call it before the Space is scrubbed.
    Does not save the row."""
    statement: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "space": str(space.id),
        "facts": log.commitment(space.salt, facts(space)),
        "ended_at": log.rfc3339(space.ended_at),
        "deadline": {
            "at": log.rfc3339(space.expires_at),
            "deadline_reasons": list(space.stored_deadline().codes),
        },
        "policy": _policy(entries),
        "decisions": [_decision(entry) for entry in entries if entry.event in events.DECISIONS],
        "deletion": _deletion(entries, emptied),
        "issued_at": log.rfc3339(now),
        "key": key_id(),
    }
    signature = _key().sign(rfc8785.dumps(statement)).hex()
    document = rfc8785.dumps({**statement, "signature": signature}).decode()
    return DeletionCertificate(space_id=space.id, key_id=statement["key"], document=document, issued_at=now)


def facts(space: Space) -> dict[str, Any]:
    """Return the facts of the commitment. A bundle's space.json has all of them."""
    return {
        "title": space.title,
        "ended_at": log.rfc3339(space.ended_at),
        "participants": [{"name": p.name, "role": p.role} for p in space.participants.all()],
        "recordings": [recording.sha256 for recording in space.recordings.all()],
    }


def entries_for_certificates(space_ids: Collection[UUID]) -> dict[UUID, list[LogEntry]]:
    """Return {Space id: the log entries that its certificate is based on, oldest first}."""
    wanted = (*events.DECISIONS, events.DELETION_STARTED, events.DELETION_INVENTORIED)
    entries: dict[UUID, list[LogEntry]] = defaultdict(list)
    for entry in LogEntry.objects.filter(space_id__in=space_ids, event__in=wanted).order_by("id"):
        assert entry.space_id is not None
        entries[entry.space_id].append(entry)
    return entries


def digest(certificate: DeletionCertificate) -> str:
    """Return the SHA-256 (hex) of the document, as in the log."""
    return hashlib.sha256(certificate.document.encode()).hexdigest()


def _key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(settings.CERTIFICATE_KEY)


def _policy(entries: Sequence[LogEntry]) -> dict[str, int]:
    """Return the policy that was in force when the deadline was last set."""
    policies = [entry.detail["policy"] for entry in entries if "policy" in entry.detail]
    return dict(policies[-1]) if policies else vars(current_policy())


def _decision(entry: LogEntry) -> dict[str, Any]:
    return {"entry": entry.pk, "event": entry.event, "at": log.rfc3339(entry.at), "detail": entry.detail}


def _deletion(entries: Sequence[LogEntry], emptied: VerifiedEmpty) -> dict[str, Any]:
    began = next((entry for entry in entries if entry.event == events.DELETION_STARTED), None)
    listed = [entry for entry in entries if entry.event == events.DELETION_INVENTORIED]
    return {
        "began_at": log.rfc3339(began.at) if began else None,
        "why": began.detail["why"] if began else None,
        "found": [_found(entry) for entry in listed],
        "removed": _removed(listed, emptied.removed),
        "attempts": emptied.attempt,
        "listed_empty_at": log.rfc3339(emptied.listed_empty_at),
        "listed_by": f"{socket.gethostname()}/{os.getpid()}",
    }


def _found(entry: LogEntry) -> dict[str, Any]:
    """Return the counts of a listing made before anything was removed."""
    counts = ("object_count", "old_versions", "delete_markers", "open_uploads")
    return {"entry": entry.pk, "at": log.rfc3339(entry.at)} | {name: entry.detail.get(name, 0) for name in counts}


def _removed(listed: Sequence[LogEntry], known: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the objects that had rows, and the others that were found, by key."""
    ours = {row["key"] for row in known}
    strays = {(o["key"], o["size"]) for entry in listed for o in entry.detail["objects"] if o["key"] not in ours}
    return sorted([*known, *({"key": key, "size": size} for key, size in strays)], key=lambda row: row["key"])
