"""A period of days in a URL."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.forms.base import PortalForm

DAYS = 30
MAX_DAYS = 366
FIRST_YEAR, LAST_YEAR = 1000, 9000  # Python can't calculate with days of other years


class PeriodForm(PortalForm):
    """From a day to a day (UTC), both included. Without them: the last DAYS days."""

    since = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    until = forms.DateField(required=False, input_formats=["%Y-%m-%d"])

    default_error_messages = {"invalid": _("Enter a day such as 2026-11-22. Nothing is shown until you correct it.")}

    def __init__(self, data: Any, today: date) -> None:
        super().__init__(data)
        self.today = today
        for field in self.fields.values():
            field.error_messages = {**field.error_messages, **self.default_error_messages}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.errors:
            return data
        for name in ("since", "until"):
            if data[name] and not FIRST_YEAR <= data[name].year <= LAST_YEAR:
                raise ValidationError(self.default_error_messages["invalid"])
        data["until"] = data["until"] or self.today
        data["since"] = data["since"] or data["until"] - timedelta(days=DAYS - 1)
        if data["since"] > data["until"]:
            raise ValidationError(_("“From” is later than “To”. Nothing is shown until you correct it."))
        if (data["until"] - data["since"]).days >= MAX_DAYS:
            message = _("A period has at most %(days)d days. Nothing is shown until you correct it.")
            raise ValidationError(message, params={"days": MAX_DAYS})
        return data

    @property
    def period(self) -> tuple[date, date]:
        """The first and the last day, if the form is valid."""
        return self.cleaned_data["since"], self.cleaned_data["until"]

    @property
    def values(self) -> dict[str, str]:
        """The values of the inputs: the typed text, or the shown days."""
        if self.is_valid():
            return {name: day.isoformat() for name, day in zip(("since", "until"), self.period, strict=True)}
        return {name: str(self[name].value() or "") for name in self.fields}
