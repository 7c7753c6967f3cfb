"""Forms of accounts: sign-up with an invitation, invitations, the account page, people."""

from typing import Any, ClassVar

from allauth.account.forms import AddEmailForm as AllauthAddEmailForm
from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import ReauthenticateForm as AllauthReauthenticateForm
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from allauth.account.forms import ResetPasswordKeyForm as AllauthResetPasswordKeyForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from archive import names
from archive.accounts.invitations import MAX_DAYS
from archive.accounts.profile import MAX_NAME, selectable_time_zones
from archive.errors import Refused
from archive.models import Invitation, User
from archive.models.notice_kinds import LOG_CHECKPOINT, OPTIONAL_KINDS
from archive.models.user import ADMINS, AUDITORS
from portal.forms.base import PortalForm, TextField, lazy_sentence

INVITATION_DAYS = {"3": _("3 days"), "7": _("a week"), "30": _("30 days")}


class WithoutPlaceholders:
    """Remove the placeholders of allauth's forms, because they repeat the labels."""

    LABELS: ClassVar[dict[str, Any]] = {}  # labels that differ from allauth's, by the name of the field

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, forms.Field] = self.fields  # type: ignore[attr-defined]
        for name, field in fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.LABELS.get(name, field.label)


class LoginForm(WithoutPlaceholders, AllauthLoginForm):  # type: ignore[misc]  # allauth has no types
    """Name or address, and password."""


class ReauthenticateForm(WithoutPlaceholders, AllauthReauthenticateForm):  # type: ignore[misc]
    """Enter the password again, before actions that can't be undone."""


NEW_PASSWORD = {"password1": _("New password"), "password2": _("New password (again)")}


class ChangePasswordForm(WithoutPlaceholders, AllauthChangePasswordForm):  # type: ignore[misc]
    LABELS: ClassVar[dict[str, Any]] = {"oldpassword": _("Current password"), **NEW_PASSWORD}


class ResetPasswordForm(WithoutPlaceholders, AllauthResetPasswordForm):  # type: ignore[misc]
    """The address to send the link to."""


class ResetPasswordKeyForm(WithoutPlaceholders, AllauthResetPasswordKeyForm):  # type: ignore[misc]
    LABELS: ClassVar[dict[str, Any]] = NEW_PASSWORD


class SignupForm(WithoutPlaceholders, AllauthSignupForm):  # type: ignore[misc]
    """Choose a name and a password. The address is the invitation's."""

    first_name = TextField(
        required=False, max_length=User._meta.get_field("first_name").max_length, label=_("Your name, as others see it")
    )
    field_order = ["first_name", "username", "password1"]

    def clean_first_name(self) -> str:
        try:
            return names.clean_display_name(self.cleaned_data["first_name"])
        except Refused as error:
            raise ValidationError(str(error), code=error.code) from error


class AddEmailForm(WithoutPlaceholders, AllauthAddEmailForm):  # type: ignore[misc]
    """Add a new address. The current one stays until the new one is verified, even if it was never verified itself:
    allauth would remove it at once, and mails about deletions would go nowhere."""

    def save(self, request: HttpRequest) -> EmailAddress:
        with transaction.atomic():
            EmailAddress.objects.filter(user=self.user, verified=False, primary=False).delete()
            address = EmailAddress.objects.create(user=self.user, email=self.cleaned_data["email"])
        send_verification_email_to_address(request, address)
        return address


class InvitationForm(PortalForm):
    """Whom to invite, with which role, and for how long. No role is preselected."""

    ADDRESS = lazy_sentence("invitation.bad_address")
    ROLE = lazy_sentence("invitation.no_such_role")
    DAYS = lazy_sentence("invitation.bad_days", limit=MAX_DAYS)

    email = forms.EmailField(error_messages={"required": ADDRESS, "invalid": ADDRESS})
    name = TextField(required=False, max_length=MAX_NAME)
    role = forms.ChoiceField(choices=Invitation.Role.choices, error_messages={"required": ROLE, "invalid_choice": ROLE})
    days = forms.TypedChoiceField(
        choices=INVITATION_DAYS, coerce=int, error_messages={"required": DAYS, "invalid_choice": DAYS}
    )


class RenewForm(PortalForm):
    """Whether the new link of an invitation is mailed or shown."""

    by_mail = forms.BooleanField(required=False)


class ProfileForm(PortalForm):
    """The settings that people change for themselves."""

    ZONE = lazy_sentence("account.no_such_time_zone")

    display_name = TextField(required=False, max_length=MAX_NAME)
    time_zone = forms.ChoiceField(
        required=False,
        choices=lambda: [(zone, zone) for zone in selectable_time_zones()],
        error_messages={"invalid_choice": ZONE},
    )
    weekly = forms.BooleanField(required=False)
    mailed_kinds = forms.MultipleChoiceField(
        required=False, choices=[(str(kind), str(kind)) for kind in (*OPTIONAL_KINDS, LOG_CHECKPOINT)]
    )


class CloseForm(PortalForm):
    """Close an account. The user name must be typed again, to prevent accidents."""

    username = TextField(required=False)

    def __init__(self, account: User, data: Any = None) -> None:
        super().__init__(data)
        self.account = account

    def clean_username(self) -> str:
        typed = str(self.cleaned_data["username"]).strip()
        if typed != self.account.username:
            raise ValidationError(_("Type the user name of the account, to close it."))
        return typed


class PeopleFilterForm(PortalForm):
    """Which accounts are listed."""

    q = TextField(nul="\ufffd", required=False, max_length=150)


class RolesForm(PortalForm):
    """The new roles of an account."""

    roles = forms.MultipleChoiceField(required=False, choices=[(ADMINS, ADMINS), (AUDITORS, AUDITORS)])
