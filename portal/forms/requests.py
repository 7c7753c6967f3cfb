"""Forms of exports, recorders' tokens, linked accounts and notices."""

import re
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from archive.bundles.exports import MOST_SPACES
from archive.models import Export, RecorderToken, User
from archive.notices.open import MAX_COUNTED
from archive.recorders import LONGEST_DAYS
from portal.forms.base import IdListField, PortalForm, TextField, lazy_sentence, render_sentence

TOKEN_DAYS = {"30": _("30 days"), "90": _("90 days"), "180": _("half a year"), "365": _("a year")}


class ExportForm(PortalForm):
    """The size of the parts of an export."""

    OTHER_SIZE = lazy_sentence("export.bad_part_size")

    max_part_size = forms.TypedChoiceField(
        choices=Export.Size.choices,
        coerce=int,
        error_messages={"required": OTHER_SIZE, "invalid_choice": OTHER_SIZE},
    )


class ChosenExportForm(PortalForm):
    """The Spaces that were ticked in a list, to be downloaded together."""

    space = IdListField(most=MOST_SPACES)

    def clean_space(self) -> list[UUID]:
        ids: list[UUID] = self.cleaned_data["space"]
        if not ids:
            raise ValidationError(render_sentence("export.nothing_chosen"))
        return ids


class DismissForm(PortalForm):
    """Which notices to dismiss."""

    notice = IdListField(most=MAX_COUNTED + 1)


class HostsField(TextField):
    """User names separated by commas, spaces or line breaks, as users."""

    def clean(self, value: Any) -> list[User]:
        names = [name for name in re.split(r"[,;\s]+", super().clean(value)) if name]
        users = {user.username: user for user in User.objects.filter(username__in=names, is_active=True)}
        if missing := [name for name in names if name not in users]:
            raise ValidationError(render_sentence("intake.no_such_user", name=missing[0]))
        return list(users.values())


class RecorderTokenForm(PortalForm):
    """A new token: the recorder's name, the lifetime, the scopes, and the hosts, or all hosts."""

    NAME = lazy_sentence("recorder.bad_name")
    SCOPES = lazy_sentence("recorder.no_scope")
    DAYS = lazy_sentence("recorder.bad_days", limit=LONGEST_DAYS)

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
    for_anybody = forms.BooleanField(required=False)


class ParticipantAccountForm(PortalForm):
    """The account of a participant; empty unlinks."""

    account = TextField(
        nul="\ufffd",  # so that it matches no account, rather than the name without NUL
        required=False,
        max_length=User._meta.get_field("username").max_length,
        sentences={"max_length": "participant.account_too_long"},
    )


class TwinForm(PortalForm):
    """Typed facts on the upload page, to find a Space that may have been uploaded before."""

    title = TextField(required=False)
    ended_at = forms.DateTimeField(required=False)
    host = TextField(required=False)
