from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from archive.accounts import passwords
from archive.models import User
from portal.reauthentication import has_authenticated_recently


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Closes sign-up: only the operator creates accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: User, password: str) -> None:
        """Change the password of the account that asks, with its log entry."""
        passwords.set_password(user, password, by=user)

    def is_reauthentication_required(self, *, app: str, **kwargs: object) -> bool:
        """Whether the user confirms who they are, for allauth's pages and ours. A fresh sign-in counts."""
        return super().is_reauthentication_required(app=app, **kwargs) and not has_authenticated_recently(self.request)
