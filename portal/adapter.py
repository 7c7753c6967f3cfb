from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Closes sign-up: only the operator creates accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
