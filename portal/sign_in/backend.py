"""Check passwords with the same amount of work for every login, so that the response time does not reveal who has an
account.

allauth looks a typed login up both as an address and as a user name, and computes one hash for each account it finds.
"""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.http import HttpRequest

from archive.models import User
from archive.models.user import find_user
from portal.sign_in.logins import find_account, login_of


class PasswordBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """Hash the given password exactly once for every login: name or address, known, unknown, deactivated, or without a
    usable password."""

    def get_user(self, user_id: Any) -> User | None:
        """Like Django's, with precompiled SQL, because every request calls it."""
        user = find_user(int(user_id))
        return user if user is not None and self.user_can_authenticate(user) else None

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        password = credentials.get("password")
        if not password:
            return None
        user = find_account(login_of(credentials))
        if user is None:
            User().set_password(password)
            return None
        if not user.check_password(password):  # hashes once, too, if no password can be used
            return None
        if self.user_can_authenticate(user):
            return user
        self._stash_user(user)  # for allauth, which shows the page for deactivated accounts
        return None
