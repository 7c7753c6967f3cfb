"""The form that previews another retention policy."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from archive.policy import RetentionPolicy
from portal.forms.base import PortalForm

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MAX_DAYS = 10_000
OUT_OF_RANGE = _("Enter whole days, from 1 to 10,000.")


class DaysField(forms.IntegerField):
    def __init__(self, label: "StrOrPromise", *, smallest: int) -> None:
        errors = dict.fromkeys(("required", "invalid", "min_value", "max_value"), OUT_OF_RANGE)
        super().__init__(label=label, min_value=smallest, max_value=MAX_DAYS, error_messages=errors)

    def to_python(self, value: Any) -> int | None:
        if not str(value).isascii():
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class PolicyForm(PortalForm):
    retention_days = DaysField(_("Days kept"), smallest=1)
    violation_extra_days = DaysField(_("Extra days when flagged"), smallest=0)
    lift_grace_days = DaysField(_("Days kept after a flag is lifted"), smallest=0)

    @classmethod
    def of_query(cls, query: Mapping[str, str], current: RetentionPolicy) -> "PolicyForm":
        """Bind the form if `query` has a number; missing numbers come from the current policy."""
        names = list(cls.base_fields)
        numbers: dict[str, Any] = {name: getattr(current, name) for name in names}
        typed = {name: query[name].strip() for name in names if query.get(name, "").strip()}
        return cls({**numbers, **typed}) if typed else cls(initial=numbers)

    @property
    def policy(self) -> RetentionPolicy:
        return RetentionPolicy(**self.cleaned_data)
