"""Certificates of deletion: what was kept, why until then, what was deleted, and when the store was seen to be empty.

Canonical JSON (RFC 8785), signed with Ed25519 (RFC 8032). The signature is over the canonical JSON of everything but
`signature` itself. verify_certificate.py checks one, on any machine, without us.

No names and no words of people. `facts` is a commitment to the title, those who spoke and the recordings: the salt is
scrubbed with the Space, so nobody can guess from it any more; a host who kept the bundle has the salt, and can show
that this certificate is about that very recording.

The key is read and checked when a process starts, so nothing about signing can fail once a Space is being deleted.
"""

import hashlib
import os
import socket
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from archive import log
from archive.log import events
from archive.models import DeletionCertificate, LogEntry, Space, current_policy

FORMAT = "spacekeep/certificate-of-deletion"
VERSION = 1


@dataclass(frozen=True)
class VerifiedEmpty:
    """How it went in the store: `removed` is what our rows knew ([{key, size, sha256}]), `attempt` counts from 1."""

    removed: Sequence[dict[str, Any]]
    listed_empty_at: datetime
    attempt: int


def public_key() -> bytes:
    """The public half of CERTIFICATE_KEY, as PEM (SubjectPublicKeyInfo)."""
    return _key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_id() -> str:
    """SHA-256 (hex) of the public key as DER: `openssl pkey -pubin -in KEY -outform DER | sha256sum`."""
    der = _key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def make(space: Space, entries: Sequence[LogEntry], emptied: VerifiedEmpty, now: datetime) -> DeletionCertificate:
    """The certificate of `space` (not scrubbed yet; its row not saved), from its log (`story`)."""
    said: dict[str, Any] = {
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
    signature = _key().sign(rfc8785.dumps(said)).hex()
    document = rfc8785.dumps({**said, "signature": signature}).decode()
    return DeletionCertificate(space_id=space.id, key_id=said["key"], document=document, issued_at=now)


def facts(space: Space) -> dict[str, Any]:
    """What the commitment is about. A bundle's space.json has all of it."""
    return {
        "title": space.title,
        "ended_at": log.rfc3339(space.ended_at),
        "participants": [{"name": p.name, "role": p.role} for p in space.participants.all()],
        "recordings": [recording.sha256 for recording in space.recordings.all()],
    }


def story(space_ids: Collection[UUID]) -> dict[UUID, list[LogEntry]]:
    """Of each Space, the log entries that a certificate rests on, oldest first."""
    wanted = (*events.DECISIONS, events.DELETION_STARTED, events.DELETION_INVENTORIED)
    found: dict[UUID, list[LogEntry]] = defaultdict(list)
    for entry in LogEntry.objects.filter(space_id__in=space_ids, event__in=wanted).order_by("id"):
        assert entry.space_id is not None
        found[entry.space_id].append(entry)
    return found


def digest(certificate: DeletionCertificate) -> str:
    """SHA-256 (hex) of the document, as the log names it."""
    return hashlib.sha256(certificate.document.encode()).hexdigest()


def _key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(settings.CERTIFICATE_KEY)


def _policy(entries: Sequence[LogEntry]) -> dict[str, int]:
    """The rule in force when the deadline was set last."""
    told = [entry.detail["policy"] for entry in entries if "policy" in entry.detail]
    return dict(told[-1]) if told else vars(current_policy())


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
    """What a listing found before anything of it was removed: how many."""
    counts = ("object_count", "old_versions", "delete_markers", "open_uploads")
    return {"entry": entry.pk, "at": log.rfc3339(entry.at)} | {name: entry.detail.get(name, 0) for name in counts}


def _removed(listed: Sequence[LogEntry], known: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What our rows knew, and what was found beside it; by key."""
    ours = {row["key"] for row in known}
    strays = {(o["key"], o["size"]) for entry in listed for o in entry.detail["objects"] if o["key"] not in ours}
    return sorted([*known, *({"key": key, "size": size} for key, size in strays)], key=lambda row: row["key"])
