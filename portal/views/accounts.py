"""Adapt allauth's views of sign-up and e-mail, where changing templates is not enough."""

from typing import Any

from allauth.account import views
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from portal.sign_in import invited


class SignupView(views.SignupView):  # type: ignore[misc]
    """Sign-up with an invitation: the page shows whom it is for, and suggests the name that the inviter entered."""

    def get_initial(self) -> dict[str, Any]:
        invitation = invited.find(self.request)
        return {**super().get_initial(), "first_name": invitation.name if invitation else ""}

    def get_context_data(self, **options: Any) -> dict[str, Any]:
        return {**super().get_context_data(**options), "invitation": invited.find(self.request)}


class MailView:
    """A page that sends mail. Without a mail server it explains what to do instead, and accepts no form."""

    def get_context_data(self, **options: Any) -> dict[str, Any]:
        return {**super().get_context_data(**options), "mail_on": settings.MAIL_ON}  # type: ignore[misc]

    def post(self, request: HttpRequest, *arguments: Any, **options: Any) -> HttpResponse:
        handler = super().post if settings.MAIL_ON else super().get  # type: ignore[misc]
        return handler(request, *arguments, **options)  # type: ignore[no-any-return]


class PasswordResetView(MailView, views.PasswordResetView):  # type: ignore[misc]
    pass


class EmailView(MailView, views.EmailView):  # type: ignore[misc]
    pass


# Create the account and its address, and end its invitation, in one transaction.
signup = transaction.atomic(SignupView.as_view())
password_reset = PasswordResetView.as_view()
email = EmailView.as_view()
