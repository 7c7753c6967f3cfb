"""The keys of the log: the private one that signs its checkpoints, and the public ones that verify them.

archive/signing_keys.py has their history.
"""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from archive import signing_keys
from archive.log import rfc3339
from archive.signing_keys import KeyRecord
from archive.transparency.verify_log import Checkpoint, Key


def public_keys() -> list[Key]:
    """Return the log's own key, then those of LOG_PUBLIC_KEYS, then those endorsed by one of these. May be empty."""
    known = signing_keys.known_keys(signing_keys.LOG, signing_keys.trusted_log_keys())
    return [Key(settings.LOG_ORIGIN, key) for key in known]


def own_key() -> bytes:
    """Return the public half of LOG_KEY."""
    return _public(_private())


def has_retired_key() -> bool:
    """Return whether this process's key was retired. If not, record that the key signs."""
    try:
        signing_keys.record_use(signing_keys.LOG, own_key())
    except signing_keys.KeyRetired:
        return True
    return False


def key_lines() -> str:
    """Return the public keys of the log, one per line, the newest first, with known facts: `from=` and `until=` (RFC
    3339), and `endorsed=`, a signature of an earlier key (verify_log.py, `endorsed_keys`)."""
    records = {record.public: record for record in signing_keys.history(signing_keys.LOG)}
    listed = signing_keys.listed_keys(signing_keys.LOG, [key.public for key in public_keys()])
    return "".join(f"{Key(settings.LOG_ORIGIN, key)}{_facts(records.get(key))}\n" for key in listed)


def _facts(record: KeyRecord | None) -> str:
    if record is None:
        return ""
    facts = {"from": rfc3339(record.added_at), "until": rfc3339(record.retired_at)}
    facts["endorsed"] = base64.b64encode(record.endorsement).decode()
    return "".join(f" {name}={value}" for name, value in facts.items() if value)


def sign_checkpoint(size: int, root: bytes) -> Checkpoint:
    """Sign a head of the log's tree. Requires LOG_KEY."""
    private = _private()
    unsigned = Checkpoint(settings.LOG_ORIGIN, size, root, "", ())
    line = signature_line(Key(settings.LOG_ORIGIN, _public(private)), private.sign(unsigned.text.encode()))
    return Checkpoint.parse(f"{unsigned.text}\n{line}")


def signature_line(key: Key, signature: bytes) -> str:
    """Return a signature line of a note (c2sp.org/signed-note)."""
    return f"\u2014 {key.name} {base64.b64encode(key.id + signature).decode()}\n"


def _private() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(settings.LOG_KEY)


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
