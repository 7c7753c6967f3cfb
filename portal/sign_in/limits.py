"""Limits of failed sign-ins that can't be aimed at a victim.

Failures are counted by address, and by login and address together: a guesser locks out only their own address. Failures
of an account from all addresses have a separate, high limit, against guessing from many addresses. The user name, the
e-mail address and all spellings of them share this limit, without revealing that they do. Known devices are exempt: a
browser that signed in to this account before has a signed cookie. Accounts with a second factor are exempt too, since a
password alone does not open them; signing in with a passkey needs no password at all.
"""

from collections.abc import Iterable

from allauth.core.internal import ratelimit
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from archive.encryption import secret_keys
from archive.models import User
from portal.sign_in.logins import normalize_login

ADDRESS_ACTION = "login_failed"  # in ACCOUNT_RATE_LIMITS
ACCOUNT_ACTION = "login_failed_account"
SALT = "portal.sign_in.limits"
MAX_ACCOUNTS = 8  # maximum number of accounts that a browser is known for
KNOWN_SECONDS = 180 * 86400


def count_for_account(request: HttpRequest, login: str, user: User | None) -> ratelimit.RateLimitUsage | None:
    """Count an attempt for the account that `login` means, from all addresses and for all spellings; for an unknown
    login, by its normalized text. Returns None if it is over the limit."""
    key = _key(user) if user is not None else f"login:{normalize_login(login)}"
    if user is not None and _is_known(key, request):
        return ratelimit.RateLimitUsage(usage=[])
    usage = ratelimit.consume(request, app="allauth.account", action=ACCOUNT_ACTION, key=key)
    if usage is None and user is not None and _has_second_factor(user):
        return ratelimit.RateLimitUsage(usage=[])
    return usage


def count_for_text(request: HttpRequest, login: str) -> ratelimit.RateLimitUsage | None:
    """Count an attempt for the typed text. Returns None if this text alone is over the limit of an account.

    Only then may the answer mention the limit. Otherwise failures with a user name would reveal the account's address:
    a sign-in with that address would be refused, too.
    """
    key = f"text:{normalize_login(login)}"
    return ratelimit.consume(request, app="allauth.account", action=ACCOUNT_ACTION, key=key)


def explain_wait(*, closed: bool) -> str:
    """Return the sentence for a reached limit. `closed`: the limit of the account, from all addresses."""
    rates = ratelimit.parse_rates(settings.ACCOUNT_RATE_LIMITS[ACCOUNT_ACTION if closed else ADDRESS_ACTION])
    minutes = max(1, round(max(rate.duration for rate in rates) / 60))
    return ngettext(
        "Too many failed sign-in attempts. Try again in %(minutes)d minute.",
        "Too many failed sign-in attempts. Try again in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}


def remember_device(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Make this browser a known device of the account."""
    own = _fingerprints(_key(user))
    known = [own[0], *(one for one in _known_accounts(request) if one not in own)][:MAX_ACCOUNTS]
    response.set_cookie(
        settings.KNOWN_DEVICE_COOKIE_NAME,
        signing.dumps(known, salt=SALT),
        max_age=KNOWN_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _is_known(key: str, request: HttpRequest) -> bool:
    return not set(_fingerprints(key)).isdisjoint(_known_accounts(request))


def _known_accounts(request: HttpRequest) -> Iterable[str]:
    try:
        known: list[str] = signing.loads(
            request.COOKIES.get(settings.KNOWN_DEVICE_COOKIE_NAME, ""), salt=SALT, max_age=KNOWN_SECONDS
        )
    except signing.BadSignature:
        return []
    return known


def _key(user: User) -> str:
    return f"user:{user.pk}"


def _fingerprints(key: str) -> list[str]:
    """Return the values that stand for the account in the cookie: under SECRET_KEY, then under each former key."""
    return [salted_hmac(SALT, key, secret=secret, algorithm="sha256").hexdigest()[:32] for secret in secret_keys()]


def _has_second_factor(user: User) -> bool:
    types = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    return bool(Authenticator.objects.filter(user=user, type__in=types).exists())
