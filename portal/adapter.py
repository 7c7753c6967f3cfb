"""Adapt allauth to this site: sign-up, mail, log entries."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.translation import gettext as _

from archive import names
from archive.accounts import account_mail, changes, invitations, passwords
from archive.errors import Refused
from archive.log import events
from archive.models import User
from portal.reauthentication import has_authenticated_recently
from portal.sign_in import error_messages, invited, limits
from portal.sign_in.events import log_event
from portal.sign_in.logins import find_account, login_of, normalize_login


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Open sign-up only to browsers that followed a valid invitation."""

    error_messages = error_messages.ACCOUNT
    _is_closed = False  # whether the account that signs in is over its limit, from all addresses

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Auditors start with their overview, everybody else with the Spaces."""
        user = request.user
        if isinstance(user, User) and user.is_auditor and not user.is_admin:
            return resolve_url("log-overview")
        return str(super().get_login_redirect_url(request))

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return invited.find(request) is not None

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Create the account and accept the invitation, both or neither. The address is the invitation's."""
        try:
            with transaction.atomic():
                invitation = invitations.lock_valid(invited.token_of(request))
                email, by_mail = invitation.email, invitation.by_mail
                super().save_user(request, user, form, commit=False)
                user.email = email
                user.save()
                invitations.accept(invitation, user)
        except Refused:
            raise ImmediateHttpResponse(redirect("account_signup")) from None  # which says that it is over
        except IntegrityError:
            messages.error(request, _("This user name was taken a moment ago. Choose another one."))
            raise ImmediateHttpResponse(redirect("account_signup")) from None
        invited.forget(request)
        if by_mail:  # having the link proves that the mail was read
            self.stash_verified_email(request, email)
        return user

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """The user name in normal form. Raises ValidationError."""
        try:
            return str(super().clean_username(names.clean_username(username), shallow))
        except Refused as error:
            raise ValidationError(str(error), code=error.code) from error

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """Make this the address of the account, and write a log entry."""
        with transaction.atomic():
            confirmed = bool(super().confirm_email(request, email_address))
            if confirmed:
                changes.record(events.ACCOUNT_EMAIL_VERIFIED, email_address.user, email_address.user)
            return confirmed

    def get_email_verification_redirect_url(self, email_address: Any) -> str:
        return resolve_url("account" if self.request.user.is_authenticated else "account_login")

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return resolve_url("account")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue the mail for a worker, so that the response time depends neither on the mail server nor on whether the
        address is known."""
        if settings.MAIL_ON:
            site = get_current_site(self.request)
            context = {"request": self.request, "email": email, "current_site": site, **context}
            message = self.render_mail(template_prefix, email, context)
            account_mail.enqueue(email, message.subject, message.body)

    def set_password(self, user: User, password: str) -> None:
        """Change the password of the requesting account, and write a log entry."""
        passwords.set_password(user, password, by=user)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count failures by account and address: allauth counts by account alone, so anybody could lock others out."""
        return f"{normalize_login(login_of(credentials))} {self.get_client_ip(request)}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raise ValidationError after too many failures (portal/sign_in/limits.py)."""
        self._usages: list[Any] = []
        self._is_closed = False
        try:
            super().pre_authenticate(request, **credentials)
            if not request.user.is_authenticated:  # a user who confirms who they are has a session already
                self._count(request, login_of(credentials))
        except ValidationError:
            log_event("sign_in_limited", request)
            raise

    def validation_error(self, code: str, *arguments: Any) -> ValidationError:
        """Return allauth's error; for a limit, one that says when to try again."""
        if code == "too_many_login_attempts":
            return ValidationError(limits.explain_wait(closed=self._is_closed), code=code)
        return super().validation_error(code, *arguments)  # type: ignore[no-any-return]

    def _count(self, request: HttpRequest, login: str) -> None:
        user = find_account(login)
        of_account = limits.count_for_account(request, login, user)
        of_text = limits.count_for_text(request, login)
        self._usages = [usage for usage in (of_account, of_text) if usage]
        self._is_closed = of_account is None
        if self._is_closed and of_text is None:
            self._rollback_login_failed_rl_usage()
            raise self.validation_error("too_many_login_attempts")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return the user with this password. Over the limit of the account return None, with the same work and answer
        as for a wrong password."""
        user: User | None = super().authenticate(request, **credentials)
        if not self._is_closed:
            return user
        log_event("sign_in_limited", request, user)
        return None

    def _rollback_login_failed_rl_usage(self) -> None:
        """Don't count attempts that succeeded or were not checked. Attempts for a closed account count, even with the
        right password."""
        if self._is_closed and self._usages:
            return
        super()._rollback_login_failed_rl_usage()
        for usage in self._usages:
            usage.rollback()

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        limits.remember_device(request, response, user)
        return response

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, str]]:
        """How the user may confirm who they are: with a second factor if they have one, or else with the password.

        Somebody who knows the password and finds an open browser must not be able to do more than with the password.
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
        """Whether the user must confirm who they are, for allauth's pages and ours. A fresh sign-in counts as
        confirmation."""
        return super().is_reauthentication_required(app=app, **kwargs) and not has_authenticated_recently(self.request)
