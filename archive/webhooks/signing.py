"""Secrets and signatures of the Standard Webhooks specification: `v1`, HMAC-SHA256.

The secret is shown once, as those of recorders; but it has to sign, so a hash would not do: it is stored encrypted.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

from cryptography.fernet import InvalidToken

from archive.encryption import cipher, reencrypt
from archive.errors import DeliveryRefused
from archive.models import WebhookEndpoint

PREFIX = "whsec_"
SECRET_BYTES = 32  # the specification asks for 24 to 64
PURPOSE = "archive.webhooks"


def make_secret() -> str:
    """A new secret, as receivers get it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def encrypt(secret: str) -> str:
    """What the database stores of a secret."""
    return cipher(PURPOSE).encrypt(secret.encode()).decode()


def reencrypt_stored(stored: str) -> str:
    """The same secret under the SECRET_KEY of today; unchanged if it is. Raises InvalidToken."""
    return reencrypt(stored, cipher(PURPOSE, former=False), cipher(PURPOSE)) if stored else ""


def active_secrets(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """The secrets that sign now, the newest first. Raises DeliveryRefused if SECRET_KEY was replaced meanwhile."""
    stored = [endpoint.secret]
    if endpoint.former_until is not None and endpoint.former_until > now:
        stored.append(endpoint.former_secret)
    try:
        return [cipher(PURPOSE).decrypt(one.encode()).decode() for one in stored]
    except InvalidToken:
        raise DeliveryRefused("webhook.secret_unreadable") from None


def sign(secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: a signature by each secret. `timestamp`: of the attempt, in Unix seconds."""
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return " ".join(f"v1,{_hmac(secret, signed)}" for secret in secrets)


def _hmac(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
