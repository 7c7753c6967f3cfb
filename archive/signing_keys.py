"""The history of the keys that sign checkpoints of the log and deletion certificates: when each was added and retired.

The first process that signs with a key records it; an operator retires it (`manage.py signing_keys`). Each change is an
append-only row and an entry of the log, in one transaction. So a worker that dies before it signs leaves a key that has
signed nothing yet, and two workers that start together leave one entry.

A key can endorse the next one: it signs the other's public half. Those who trust the first key can then trust the
second (verify_log.py, `endorsed_keys`), so nobody needs to be told of a rotation. A retired key never signs again.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, IntegrityError, transaction

from archive import log
from archive.log import SYSTEM, Actor, events
from archive.models import SigningKeyEvent

LOG, CERTIFICATE = SigningKeyEvent.Kind.LOG, SigningKeyEvent.Kind.CERTIFICATE
ADDED, RETIRED = SigningKeyEvent.Change.ADDED, SigningKeyEvent.Change.RETIRED
SETTINGS: dict[str, str] = {LOG: "LOG", CERTIFICATE: "CERTIFICATE"}  # {kind: prefix of the names of its settings}
OF_CERTIFICATES = "certificates-of-deletion"  # stands in an endorsement in place of a log's name
SELF_TEST = b"spacekeep\nself-test\n"  # shorter than a checkpoint or an endorsement, so it can't be mistaken for one
SPKI = bytes.fromhex("302a300506032b6570032100")  # DER header of an Ed25519 public key: RFC 8410


class KeyRetired(ImproperlyConfigured):
    """This process would sign with a key that was retired."""


@dataclass(frozen=True)
class KeyRecord:
    """A public key, with the times of its changes. `endorsement` is a signature by an earlier key, or empty."""

    kind: str
    public: bytes
    added_at: datetime
    retired_at: datetime | None
    endorsement: bytes

    @property
    def id(self) -> str:
        return key_id(self.kind, self.public)


def key_id(kind: str, public: bytes) -> str:
    """Return the id of the key in checkpoints (c2sp.org/signed-note) or certificates: 4 or 32 bytes in hex."""
    if kind == LOG:
        return hashlib.sha256(f"{settings.LOG_ORIGIN}\n\1".encode() + public).hexdigest()[:8]
    return hashlib.sha256(SPKI + public).hexdigest()


def history(kind: str) -> list[KeyRecord]:
    """Return the keys of this kind, in the order of their addition."""
    rows = list(SigningKeyEvent.objects.filter(kind=kind).order_by("id"))
    retired = {bytes(row.public): row.at for row in rows if row.change == RETIRED}
    return [
        KeyRecord(kind, bytes(row.public), row.at, retired.get(bytes(row.public)), bytes(row.endorsement))
        for row in rows
        if row.change == ADDED
    ]


def record_use(kind: str, public: bytes) -> None:
    """Record that this process signs with the key from now on, unless that is recorded. Raises KeyRetired."""
    changes = _changes(kind, public)
    _require_unretired(kind, public, changes)
    if not changes:
        _record(kind, ADDED, public, actor=SYSTEM)


def self_test(kind: str, seed: bytes) -> None:
    """Sign a meaningless text, and verify the signature. Raises InvalidSignature, or KeyRetired for a certificate key
    that was retired; if the database does not answer, that check is skipped."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    if not _has_signed(public, SELF_TEST, private.sign(SELF_TEST)):
        raise InvalidSignature("its signature can't be verified")
    if kind == CERTIFICATE:  # a retired key of the log does not stop deletions
        with suppress(DatabaseError):
            _require_unretired(kind, public, _changes(kind, public))


def endorse(kind: str, public: bytes, private: Ed25519PrivateKey, actor: Actor) -> bool:
    """Record the key `public`, endorsed by the current key. Returns False if it was recorded before."""
    own = private.public_key().public_bytes_raw()
    record_use(kind, own)
    signature = private.sign(endorsement_text(_name(kind), public))
    return _record(kind, ADDED, public, signature, actor=actor, endorsed_by=key_id(kind, own))


def retire(kind: str, public: bytes, actor: Actor) -> bool:
    """Record that the key is retired. Returns False if that was recorded before."""
    return _record(kind, RETIRED, public, actor=actor)


def trusted_log_keys() -> list[bytes]:
    """Return the public keys of the log in the settings of this process: its own one first."""
    own = [Ed25519PrivateKey.from_private_bytes(settings.LOG_KEY).public_key()] if settings.LOG_KEY else []
    return [*(key.public_bytes_raw() for key in own), *settings.LOG_PUBLIC_KEYS]


def is_signed_checkpoint(note: str) -> bool:
    """Return whether one of the log's keys has signed this checkpoint (c2sp.org/signed-note)."""
    text, _, lines = note.rpartition("\n\n")
    known = {key_id(LOG, public): public for public in known_keys(LOG, trusted_log_keys())}
    for line in lines.splitlines():
        try:
            _, name, encoded = line.split(" ")
            signature = base64.b64decode(encoded, validate=True)
        except ValueError:
            return False
        public = known.get(signature[:4].hex()) if name == settings.LOG_ORIGIN else None
        if public and _has_signed(public, f"{text}\n".encode(), signature[4:]):
            return text.startswith(f"{settings.LOG_ORIGIN}\n")
    return False


def known_keys(kind: str, trusted: Iterable[bytes]) -> list[bytes]:
    """Return `trusted`, and each key of the history with a chain of endorsements from one of them, the newest first."""
    known, records = list(dict.fromkeys(trusted)), history(kind)
    for record in records:
        if record.public not in known and is_endorsed(_name(kind), record.public, record.endorsement, known):
            known.append(record.public)
    newest_first = [record.public for record in reversed(records) if record.public in known]
    return list(dict.fromkeys([*newest_first, *known]))


def listed_keys(kind: str, trusted: Iterable[bytes]) -> list[bytes]:
    """Return `known_keys`, and the earlier keys that endorsed them, the newest first: for people who trust one of
    those.

    Trust does not work backwards, so don't verify with this list.
    """
    known, name = known_keys(kind, trusted), _name(kind)
    for record in reversed(history(kind)):
        later = [one for one in history(kind) if one.public in known and one.endorsement]
        if any(is_endorsed(name, one.public, one.endorsement, [record.public]) for one in later):
            known = known_keys(kind, [*known, record.public])
    return known


def is_endorsed(name: str, public: bytes, endorsement: bytes, by: Sequence[bytes]) -> bool:
    text = endorsement_text(name, public)
    return bool(endorsement) and any(_has_signed(key, text, endorsement) for key in by)


def endorsement_text(name: str, public: bytes) -> bytes:
    """Return the text that an endorsement signs. It has four lines, so nobody can take it for a checkpoint, which has
    three."""
    return f"spacekeep\nnext key\n{name}\n{base64.b64encode(public).decode()}\n".encode()


def _changes(kind: str, public: bytes) -> set[str]:
    return set(SigningKeyEvent.objects.filter(kind=kind, public=public).values_list("change", flat=True))


def _require_unretired(kind: str, public: bytes, changes: set[str]) -> None:
    if RETIRED in changes:
        name = f"{SETTINGS[kind]}_KEY"
        raise KeyRetired(f"{name} is {key_id(kind, public)}, which was retired: this process signs nothing with it.")


def _name(kind: str) -> str:
    return str(settings.LOG_ORIGIN) if kind == LOG else OF_CERTIFICATES


def _record(kind: str, change: str, public: bytes, endorsement: bytes = b"", *, actor: Actor, **detail: str) -> bool:
    """Record a change. Returns False if another process was first, after waiting for that process to commit."""
    event = events.LOG_KEY_ADDED if change == ADDED else events.LOG_KEY_RETIRED
    facts = {"kind": str(kind), "key": key_id(kind, public), "public": base64.b64encode(public).decode(), **detail}
    try:
        with transaction.atomic():
            SigningKeyEvent.objects.create(kind=kind, change=change, public=public, endorsement=endorsement)
            log.record(event, space_id=None, actor=actor, **facts)
    except IntegrityError:
        return False
    return True


def _has_signed(public: bytes, text: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except InvalidSignature:
        return False
    return True
