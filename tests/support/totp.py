"""Codes of an authenticator app, computed as in RFC 6238: HMAC-SHA-1, 30 seconds, 6 digits."""

import base64
import hmac
import re
import struct
import time

from django.core.cache import cache
from django.test import Client

STEP_SECONDS = 30


def totp(secret: str, at: float | None = None) -> str:
    """Return the code for a secret in base32, at a time in seconds since 1970 (by default now)."""
    counter = int((time.time() if at is None else at) // STEP_SECONDS)
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", counter), "sha1").digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06}"


def fresh_totp(secret: str, seconds: float = 8) -> str:
    """Return a code that stays valid for at least `seconds`. Waits for the next code if necessary."""
    left = STEP_SECONDS - time.time() % STEP_SECONDS
    if left < seconds:
        time.sleep(left + 0.1)
    return totp(secret)


def set_up_app(client: Client) -> str:
    """Set up an authenticator app, and return its secret. The code of the set-up can be used again, so that no test
    waits 30 seconds for the next one."""
    secret = re.findall(r"<code[^>]*>([A-Z2-7]{32})<", client.get("/accounts/2fa/totp/activate/").content.decode())[0]
    answer = client.post("/accounts/2fa/totp/activate/", {"code": fresh_totp(secret)})
    assert answer["Location"] == "/accounts/2fa/recovery-codes/"
    forget_used_codes()
    return str(secret)


def forget_used_codes() -> None:
    """Allow the codes that were used in the last 30 seconds to be used again."""
    cache.clear()
