"""Forms in addresses: searching, filtering and sorting lists."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from archive.log import events
from archive.search.query import MAX_LENGTH as MAX_QUERY_LENGTH
from portal.forms.base import LenientChoiceField, LenientIntegerField, PortalForm, TextField

MAX_PAGE = 1000  # of results of a search
SPACE_FILTERS = {
    "all": _("All"),
    "due": _("Due within 7 days"),
    "flagged": _("Flagged"),
    "held": _("Held"),
    "deleted": _("Deleted"),
}
QUEUE_TABS = {"review": _("To review"), "reviewed": _("Reviewed"), "flagged": _("Flagged")}
QUEUE_ORDERS = {"newest": _("Newest"), "listened": _("Most listeners"), "search": _("Search transcripts")}
MAX_ID = 2**31 - 1


def event_labels() -> list[tuple[str, str]]:
    return [(str(event), str(event.label)) for event in events.EVENTS.values()]


def page_number() -> LenientIntegerField:
    return LenientIntegerField(default=1, min_value=1, max_value=MAX_PAGE)


class SpaceFilterForm(PortalForm):
    """Which Spaces are listed."""

    filter = LenientChoiceField(default="all", choices=SPACE_FILTERS)


class SearchForm(PortalForm):
    """Words to find in transcripts."""

    q = TextField(
        nul="\ufffd",  # so that NUL alone is a query without a word, and not an empty one
        required=False,
        max_length=MAX_QUERY_LENGTH,
        sentences={"max_length": "search.too_long"},
    )
    page = page_number()

    @property
    def typed(self) -> str:
        """The words as they were typed."""
        return str(self["q"].value() or "").strip()


class QueueForm(SearchForm):
    """Which Spaces the moderation queue shows, in which order. `host` is the number of an account; 0 for all."""

    tab = LenientChoiceField(default="review", choices=QUEUE_TABS)
    host = LenientIntegerField(default=0, min_value=0, max_value=MAX_ID)
    order = LenientChoiceField(default="newest", choices=QUEUE_ORDERS)


class DayField(forms.DateField):
    """A day in UTC, as its first moment, or with `shift_days` that of a later one."""

    def __init__(self, *, shift_days: int = 0) -> None:
        super().__init__(required=False, input_formats=["%Y-%m-%d"])
        self.shift_days = shift_days

    def clean(self, value: Any) -> datetime | None:
        try:
            day: date | None = super().clean(value)
            if day is None:
                return None
            return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=self.shift_days)
        except (ValidationError, OverflowError):
            raise ValidationError(
                _("“%(value)s” is not a day such as 2026-11-22, so it was left out."), params={"value": value}
            ) from None


class SpaceIdField(forms.UUIDField):
    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except ValidationError:
            raise ValidationError(
                _("“%(value)s” is not a Space's id, so it was left out."), params={"value": value}
            ) from None


class LogFilterForm(PortalForm):
    """Filters of the retention log. A filter that is wrong is ignored, and the page says so."""

    event = forms.ChoiceField(
        required=False,
        choices=event_labels,
        error_messages={"invalid_choice": _("“%(value)s” is nothing that the log knows, so it was left out.")},
    )
    space = SpaceIdField(required=False)
    since = DayField()
    until = DayField(shift_days=1)

    LOOKUPS = {"event": "event", "space": "space_id", "since": "at__gte", "until": "at__lt"}

    @property
    def lookups(self) -> dict[str, Any]:
        """The valid filters, as arguments of `filter`."""
        self.full_clean()
        return {self.LOOKUPS[name]: value for name, value in self.cleaned_data.items() if value}

    @property
    def typed(self) -> dict[str, str]:
        """The filters as they were typed, for the address of the next page."""
        values = {name: str(self[name].value() or "").strip() for name in self.fields}
        return {name: value for name, value in values.items() if value}
