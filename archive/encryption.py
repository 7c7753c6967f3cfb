"""Encrypt, with keys derived from SECRET_KEY, what the database must store but must not reveal by itself.

After SECRET_KEY changes, old values still verify and decrypt while SECRET_KEY_FALLBACKS has the old key.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


def secret_keys() -> tuple[str, ...]:
    """Return SECRET_KEY, which signs and encrypts; then the former keys, which only verify and decrypt."""
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


def cipher(purpose: str, *, former: bool = True) -> MultiFernet:
    """Return a cipher that encrypts with SECRET_KEY and, if `former`, also decrypts with SECRET_KEY_FALLBACKS. The key
    depends on `purpose`: one purpose can't decrypt what another encrypted. Decrypting raises
    cryptography.fernet.InvalidToken."""
    digests = [
        salted_hmac(purpose, "", secret=secret, algorithm="sha256").digest()
        for secret in (secret_keys() if former else [settings.SECRET_KEY])
    ]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


def reencrypt(token: str, now: MultiFernet, known: MultiFernet) -> str:
    """Return the same content, encrypted so that `now` decrypts it; the token itself if `now` already does. Raises
    InvalidToken if `known` does not decrypt it either."""
    try:
        now.decrypt(token.encode())
    except InvalidToken:
        return known.rotate(token.encode()).decode()
    return token
