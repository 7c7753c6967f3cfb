"""Sign-in with another provider, for invited people only."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base import AuthProcess
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from archive import names
from archive.accounts import invitations
from archive.errors import Refused
from archive.models import Invitation, User
from portal.sign_in import error_messages
from portal.sign_in.events import log_event

X = "twitter_oauth2"


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Link an account of a provider to the user with the same e-mail address, if both sides have verified it, or accept
    the invitation for that address."""

    error_messages = error_messages.SOCIAL

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return find_invitation(sociallogin) is not None

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        """Create the account and accept the invitation, both or neither. It has no password yet."""
        try:
            with transaction.atomic():
                found = find_invitation(sociallogin)
                if found is None:
                    raise Refused("invitation.not_valid")
                invitation = invitations.lock_for_address(found.pk)
                sociallogin.user.email = invitation.email
                _leave_out_bad_names(sociallogin.user)
                sociallogin.email_addresses = [EmailAddress(email=invitation.email, verified=True, primary=True)]
                user: User = super().save_user(request, sociallogin, form)
                invitations.accept(invitation, user)
        except Refused:
            raise ImmediateHttpResponse(_refuse(request, sociallogin)) from None
        return user

    def get_app(self, request: HttpRequest, provider: Any, client_id: Any = None) -> Any:
        """Raise Http404 for a provider that is not set up."""
        try:
            return super().get_app(request, provider, client_id)
        except SocialApp.DoesNotExist as error:
            raise Http404 from error

    def authenticate_by_email(self, sociallogin: Any) -> tuple[User, str] | None:
        """Return the user with this verified address. allauth would also accept unverified ones."""
        for email in verified_emails(sociallogin):
            address = EmailAddress.objects.filter(email__iexact=email, verified=True).select_related("user").first()
            if address is not None:
                return address.user, email
        return None

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Refuse people who are not linked, have no verified address here, are not invited, and are not linking an
        account."""
        connects = sociallogin.state.get("process") == AuthProcess.CONNECT and request.user.is_authenticated
        if not sociallogin.is_existing and not connects and find_invitation(sociallogin) is None:
            raise ImmediateHttpResponse(_refuse(request, sociallogin))

    def on_authentication_error(self, request: HttpRequest, provider: Any, error: Any = None, **kwargs: Any) -> None:
        log_event("sign_in_failed", request, provider=provider.id, reason=str(error or "error"))


def verified_emails(sociallogin: Any) -> list[str]:
    """Return the addresses that the provider has verified."""
    emails = [address.email for address in sociallogin.email_addresses if address.verified is True]
    if sociallogin.account.provider == X and (email := sociallogin.account.extra_data.get("confirmed_email")):
        emails.append(email)
    return emails


def find_invitation(sociallogin: Any) -> Invitation | None:
    """Return the invitation for an address that the provider has verified, if it can be accepted."""
    for email in verified_emails(sociallogin):
        if invitation := invitations.valid().filter(email__iexact=email).first():
            return invitation
    return None


def _leave_out_bad_names(user: User) -> None:
    """Drop names from the provider that can be confused with others; users can enter a better one on the account
    page."""
    try:
        user.first_name, user.last_name = map(names.clean_display_name, (user.first_name, user.last_name))
    except Refused:
        user.first_name = user.last_name = ""


def _refuse(request: HttpRequest, sociallogin: Any) -> HttpResponse:
    log_event("sign_in_failed", request, provider=sociallogin.account.provider, reason="not_invited")
    return render(request, "socialaccount/not_invited.html", status=403)
