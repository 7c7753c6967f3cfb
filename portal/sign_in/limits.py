"""Limits of failed sign-ins that can't be aimed at a victim.

Failures are counted by address, and by account and address together: a guesser locks out only their own address.
Failures of an account from all addresses have a high limit, against guessing from many addresses. A known device
passes it: a browser that signed in to this account before has a signed cookie. An account with a second factor passes
it too, since a password alone does not open it; a sign-in with a passkey asks for no password at all.
"""

from collections.abc import Iterable

from allauth.core.internal import ratelimit
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import signing
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from archive.models import User

ACCOUNT_ACTION = "login_failed_account"  # in ACCOUNT_RATE_LIMITS
SALT = "portal.sign_in.limits"
MAX_ACCOUNTS = 8  # that one browser is known for
KNOWN_SECONDS = 180 * 86400


def count_for_account(request: HttpRequest, login: str) -> ratelimit.RateLimitUsage | None:
    """Count an attempt for the account, from whatever address. None if it is over the limit."""
    if _fingerprint(login) in _known_accounts(request):
        return ratelimit.RateLimitUsage(usage=[])
    usage = ratelimit.consume(request, app="allauth.account", action=ACCOUNT_ACTION, key=login.lower())
    if usage is None and _has_second_factor(login):
        return ratelimit.RateLimitUsage(usage=[])
    return usage


def remember_device(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Let this browser be known for the account, by each name that signs in to it."""
    names = [_fingerprint(name) for name in (user.username, user.email) if name]
    known = list(dict.fromkeys([*names, *_known_accounts(request)]))[:MAX_ACCOUNTS]
    response.set_cookie(
        settings.KNOWN_DEVICE_COOKIE_NAME,
        signing.dumps(known, salt=SALT),
        max_age=KNOWN_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _known_accounts(request: HttpRequest) -> Iterable[str]:
    try:
        known: list[str] = signing.loads(
            request.COOKIES.get(settings.KNOWN_DEVICE_COOKIE_NAME, ""), salt=SALT, max_age=KNOWN_SECONDS
        )
    except signing.BadSignature:
        return []
    return known


def _fingerprint(login: str) -> str:
    """What the cookie has instead of the name."""
    return salted_hmac(SALT, login.lower(), algorithm="sha256").hexdigest()[:32]


def _has_second_factor(login: str) -> bool:
    users = User.objects.filter(Q(username__iexact=login) | Q(email__iexact=login))
    types = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    return bool(Authenticator.objects.filter(user__in=users, type__in=types).exists())
