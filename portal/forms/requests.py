"""Forms of what hosts and admins request: exports, recorders' tokens, linked accounts."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from archive.models import Export, RecorderToken, User
from archive.recorders import LONGEST_DAYS
from portal.forms.base import PortalForm, TextField

NO_ACCOUNT = "No account with this name can be linked. Ask the speaker how exactly they sign in."
TOKEN_DAYS = {"30": "30 days", "90": "90 days", "180": "half a year", "365": "a year"}


class ExportForm(PortalForm):
    """The size of the parts of an export."""

    OTHER_SIZE = "A part holds at most 2, 10 or 50 GB."

    max_part_size = forms.TypedChoiceField(
        choices=Export.Size.choices,
        coerce=int,
        error_messages={"required": OTHER_SIZE, "invalid_choice": OTHER_SIZE},
    )


class HostsField(TextField):
    """User names with commas, spaces or line breaks between, as users."""

    def clean(self, value: Any) -> list[User]:
        names = [name for name in re.split(r"[,;\s]+", super().clean(value)) if name]
        users = {user.username: user for user in User.objects.filter(username__in=names)}
        if missing := [name for name in names if name not in users]:
            raise ValidationError(
                f"There is no user {missing[0]!r}. Name hosts as they sign in, or leave the field empty for all."
            )
        return list(users.values())


class RecorderTokenForm(PortalForm):
    """A new token: for which recorder, for how long, for what, and for the Spaces of which hosts."""

    NAME = "A token needs a name of 1 to 100 characters: the machine that it is for."
    SCOPES = "Choose what the token may do."
    DAYS = f"A token lives 1 to {LONGEST_DAYS} days."

    name = TextField(
        max_length=RecorderToken._meta.get_field("name").max_length,
        error_messages={"required": NAME, "max_length": NAME},
    )
    days = forms.TypedChoiceField(
        choices=TOKEN_DAYS, coerce=int, error_messages={"required": DAYS, "invalid_choice": DAYS}
    )
    scopes = forms.MultipleChoiceField(
        choices=RecorderToken.Scope.choices, error_messages={"required": SCOPES, "invalid_choice": SCOPES}
    )
    hosts = HostsField(required=False)


class ParticipantAccountForm(PortalForm):
    """The account of a participant; empty unlinks."""

    account = TextField(
        nul="\ufffd",  # the name of no account, and not the name without it
        required=False,
        max_length=User._meta.get_field("username").max_length,
        error_messages={"max_length": NO_ACCOUNT},
    )
