"""The keys of the log: one that signs its checkpoints, and the public ones that verify them."""

import base64
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from archive.transparency.verify_log import ED25519, Checkpoint, Key


def public_keys() -> list[Key]:
    """The log's own key first, then earlier ones. Empty if there are none."""
    own = [_public(_private())] if settings.LOG_KEY else []
    return [Key(settings.LOG_ORIGIN, key) for key in dict.fromkeys([*own, *settings.LOG_PUBLIC_KEYS])]


def sign_checkpoint(size: int, root: bytes) -> Checkpoint:
    """Sign a head of the log's tree. Only a process with LOG_KEY can."""
    private = _private()
    unsigned = Checkpoint(settings.LOG_ORIGIN, size, root, "", ())
    line = signature_line(Key(settings.LOG_ORIGIN, _public(private)), private.sign(unsigned.text.encode()))
    return Checkpoint.parse(f"{unsigned.text}\n{line}")


def signature_line(key: Key, signature: bytes) -> str:
    """A signature of a note (c2sp.org/signed-note)."""
    return f"\u2014 {key.name} {base64.b64encode(key.id + signature).decode()}\n"


def verifier_keys(keys: Sequence[Key]) -> str:
    """The keys as text, one a line."""
    return "".join(f"{key}\n" for key in keys if key.kind == ED25519)


def _private() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(settings.LOG_KEY)


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
