"""What is derived from SECRET_KEY: encryption of what the database must hold but must not give away by itself.

A value that was replaced still verifies and decrypts while SECRET_KEY_FALLBACKS has it.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


def secret_keys() -> tuple[str, ...]:
    """SECRET_KEY, which signs and encrypts; then the former keys, which only verify and decrypt."""
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


def cipher(purpose: str, *, former: bool = True) -> MultiFernet:
    """Encrypts with SECRET_KEY, and decrypts with SECRET_KEY_FALLBACKS (`former`), too. `purpose` makes the key: what
    one purpose encrypted, another can't decrypt. Decrypting raises cryptography.fernet.InvalidToken."""
    digests = [
        salted_hmac(purpose, "", secret=secret, algorithm="sha256").digest()
        for secret in (secret_keys() if former else [settings.SECRET_KEY])
    ]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


def reencrypt(token: str, now: MultiFernet, known: MultiFernet) -> str:
    """The same content, encrypted so that `now` decrypts it; the token itself if it does already. Raises InvalidToken
    if `known` does not decrypt it either."""
    try:
        now.decrypt(token.encode())
    except InvalidToken:
        return known.rotate(token.encode()).decode()
    return token
