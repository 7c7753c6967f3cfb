from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.translation import gettext as _

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

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, str]]:
        """How the user may confirm who they are: with a second factor if they have one, or else with the password.

        Whoever knows a password and sits at an open browser must not do what the owner does with both.
        """
        methods = {method["id"]: method for method in super().get_reauthentication_methods(user)}
        if len(methods) > 1:
            methods.pop("reauthenticate", None)
        labels = {"mfa_reauthenticate:webauthn": _("Use a passkey"), "mfa_reauthenticate": _("Use a code")}
        return [
            {**methods[name], "description": labels.get(name, _("Use your password"))}
            for name in (*labels, "reauthenticate")
            if name in methods
        ]

    def is_reauthentication_required(self, *, app: str, **kwargs: object) -> bool:
        """Whether the user confirms who they are, for allauth's pages and ours. A fresh sign-in counts."""
        return super().is_reauthentication_required(app=app, **kwargs) and not has_authenticated_recently(self.request)
