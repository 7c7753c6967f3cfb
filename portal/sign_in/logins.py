"""Find the account that a typed user name or e-mail address means."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from allauth.account.models import EmailAddress

from archive.models import User


def login_of(credentials: Mapping[str, Any]) -> str:
    """Return the typed user name or address from the credentials of Django's `authenticate`."""
    return str(credentials.get("username") or credentials.get("email") or "")


def normalize_login(typed: str) -> str:
    """Normalize a login for comparison: NFKC, without case, as Unicode TR36 section 2.11.2 compares names."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", typed).casefold()).strip()


def find_account(typed: str) -> User | None:
    """Return the account with this address or user name, active or not; None if there is none, or more than one."""
    login = unicodedata.normalize("NFKC", typed.replace("\x00", "")).strip()
    return (_find_by_email(login) if "@" in login else None) or _find_by_username(login)


def _find_by_email(login: str) -> User | None:
    """Prefer verified addresses to claimed ones, so that claiming a stranger's address does not lock them out."""
    address = EmailAddress.objects.filter(email=login.lower(), verified=True).select_related("user").first()
    if address is not None:
        return address.user  # type: ignore[no-any-return]  # allauth has no types
    return _only(list(User.objects.filter(email__iexact=login)[:2]))


def _find_by_username(login: str) -> User | None:
    if not login:
        return None
    users = list(User.objects.filter(username__iexact=login)[:3])
    return _only([user for user in users if user.username == login] or users)


def _only(users: list[User]) -> User | None:
    return users[0] if len(users) == 1 else None
