"""Forms of legal holds: placing one or several, releasing, reviewing."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from archive.models.hold import MAX_CASE_NUMBER
from portal.forms.base import PortalForm, ReasonField, TextField, render_sentence


class ReviewDayField(forms.DateField):
    """A day (UTC), as date inputs send it."""

    def __init__(self, *, required: bool = False) -> None:
        super().__init__(required=required, input_formats=["%Y-%m-%d"], widget=forms.DateInput)

    def clean(self, value: Any) -> date | None:
        try:
            day: date | None = super().clean(value)
        except ValidationError as error:
            if error.code == "required":
                raise ValidationError(render_sentence("hold.review_date_missing")) from None
            raise ValidationError(_("Enter the review date as in 2026-11-22.")) from None
        return day


class HoldForm(PortalForm):
    """A hold on one Space."""

    case_number = TextField(required=False, max_length=MAX_CASE_NUMBER, sentences={"max_length": "hold.case_too_long"})
    review_on = ReviewDayField()
    reason = ReasonField("hold.reason_missing")


class HoldSeveralForm(HoldForm):
    """A hold for the same case on several Spaces."""

    case_number = TextField(
        max_length=MAX_CASE_NUMBER, sentences={"max_length": "hold.case_too_long", "required": "hold.case_missing"}
    )


class ReleaseForm(PortalForm):
    reason = ReasonField("hold.reason_missing")


class HoldReviewForm(PortalForm):
    """The day of the next review of a hold that is still needed."""

    review_on = ReviewDayField(required=True)
