"""Adapt allauth.mfa to this site: names, and the storage of secrets."""

from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from archive.encryption import reencrypt, secret_keys
from archive.models import User
from portal.sign_in import error_messages


class SecondFactorUnreadable(ImproperlyConfigured):
    """A second factor was stored under a SECRET_KEY that is not set."""


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Encrypts the keys of authenticator apps and of recovery codes in the database."""

    error_messages = error_messages.MFA

    def encrypt(self, text: str) -> str:
        return _cipher(*secret_keys()).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raise SecondFactorUnreadable if neither SECRET_KEY nor SECRET_KEY_FALLBACKS has the key."""
        try:
            return _cipher(*secret_keys()).decrypt(encrypted_text).decode()
        except InvalidToken as error:
            raise SecondFactorUnreadable(
                "A second factor was stored under another SECRET_KEY: add that one to SECRET_KEY_FALLBACKS."
            ) from error

    def get_totp_issuer(self) -> str:
        return f"Spacekeep ({super().get_totp_issuer()})"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": "Spacekeep"}

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return _("Passkey {number}").format(number=count + 1)


def reencrypt_stored(data: dict[str, Any]) -> dict[str, Any]:
    """Return the stored data of a second factor, encrypted under the current SECRET_KEY; unchanged if it already is.
    Passkeys have nothing to encrypt. Raises InvalidToken."""

    def again(token: str) -> str:
        return reencrypt(token, _cipher(settings.SECRET_KEY), _cipher(*secret_keys()))

    encrypted: dict[str, Any] = {name: again(data[name]) for name in ("secret", "seed") if name in data}
    if "migrated_codes" in data:
        encrypted["migrated_codes"] = [again(code) for code in data["migrated_codes"]]
    return {**data, **encrypted}


@lru_cache(maxsize=4)
def _cipher(*secrets: str) -> MultiFernet:
    """Encrypts with the first secret, decrypts with all of them. Each key is derived from its secret (RFC 5869)."""
    return MultiFernet([Fernet(_derive(secret)) for secret in secrets])


def _derive(secret: str) -> bytes:
    key = HKDF(SHA256(), length=32, salt=None, info=b"spacekeep: keys of second factors").derive(secret.encode())
    return urlsafe_b64encode(key)
