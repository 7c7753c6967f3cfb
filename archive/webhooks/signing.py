"""Secrets and signatures of the Standard Webhooks specification: `v1`, HMAC-SHA256.

The secret is shown once, like a recorder's. It has to sign, so a hash is not enough: it is stored encrypted.
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
SECRET_BYTES = 32  # the specification requires 24 to 64
PURPOSE = "archive.webhooks"


def make_secret() -> str:
    """Make a new secret, in the format for receivers."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def encrypt(secret: str) -> str:
    """Encrypt a secret for the database."""
    return cipher(PURPOSE).encrypt(secret.encode()).decode()


def reencrypt_stored(stored: str) -> str:
    """Encrypt a stored secret under the current SECRET_KEY, unless it is. Raises InvalidToken."""
    return reencrypt(stored, cipher(PURPOSE, former=False), cipher(PURPOSE)) if stored else ""


def active_secrets(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """Return the secrets that sign now, the newest first. Raises DeliveryRefused if SECRET_KEY was replaced."""
    stored = [endpoint.secret]
    if endpoint.former_until is not None and endpoint.former_until > now:
        stored.append(endpoint.former_secret)
    try:
        return [cipher(PURPOSE).decrypt(one.encode()).decode() for one in stored]
    except InvalidToken:
        raise DeliveryRefused("webhook.secret_unreadable") from None


def sign(secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature`: one signature per secret. `timestamp`: of the attempt, Unix seconds."""
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return " ".join(f"v1,{_hmac(secret, signed)}" for secret in secrets)


def _hmac(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
