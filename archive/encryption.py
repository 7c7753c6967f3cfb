"""Encrypt what the database must hold but must not give away by itself: with keys derived from SECRET_KEY."""

import base64

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


def cipher(purpose: str) -> MultiFernet:
    """Encrypts with SECRET_KEY, and decrypts with SECRET_KEY_FALLBACKS, too. `purpose` makes the key: what one purpose
    encrypted, another can't decrypt. Decrypting raises cryptography.fernet.InvalidToken."""
    digests = [
        salted_hmac(purpose, "", secret=secret, algorithm="sha256").digest()
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
