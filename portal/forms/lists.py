"""Forms in addresses: searching, filtering and sorting lists."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.log import events
from archive.search import id_range
from archive.search.query import MAX_LENGTH as MAX_QUERY_LENGTH
from portal.forms.base import IdListField, LenientChoiceField, LenientIntegerField, PortalForm, TextField

MAX_PAGE = 1000  # of results of a search
MAX_SPACES = 100  # on an open page
SPACE_FILTERS = {
    "all": _("All"),
    "due": _("Due within 7 days"),
    "flagged": _("Flagged"),
    "held": _("On hold"),
    "appealed": _("Appeal open"),
    "deleted": _("Deleted"),
}
SPACE_ORDERS = {"deadline": _("Deadline"), "newest": _("Newest"), "title": _("Title"), "length": _("Longest")}
QUEUE_TABS = {"review": _("To review"), "reviewed": _("Reviewed"), "flagged": _("Flagged")}
QUEUE_ORDERS = {
    "due": _("Due soonest"),
    "newest": _("Newest"),
    "listened": _("Most listeners"),
    "search": _("Search transcripts"),
}
MAX_ID = 2**31 - 1


def event_labels() -> list[tuple[str, str]]:
    return [(str(event), str(event.label)) for event in events.EVENTS.values()]


def page_number() -> LenientIntegerField:
    return LenientIntegerField(default=1, min_value=1, max_value=MAX_PAGE)


class SpaceListForm(PortalForm):
    """Which Spaces are listed, and in which order. A wrong value is an error: a list of other Spaces than those that
    were asked for could be taken for them."""

    filter = forms.ChoiceField(
        required=False,
        choices=SPACE_FILTERS,
        error_messages={"invalid_choice": _("There is no filter “%(value)s”, so nothing is listed.")},
    )
    sort = forms.ChoiceField(
        required=False,
        choices=SPACE_ORDERS,
        error_messages={"invalid_choice": _("There is no order “%(value)s”, so nothing is listed.")},
    )

    @property
    def chosen(self) -> tuple[str, str]:
        """The filter and the order; "" for one that is wrong."""
        self.full_clean()
        return tuple(
            "" if name in self.errors else self.cleaned_data[name] or default
            for name, default in (("filter", "all"), ("sort", "deadline"))
        )  # type: ignore[return-value]  # two of them


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
    order = LenientChoiceField(default="due", choices=QUEUE_ORDERS)


class DayField(forms.DateField):
    """A day in the reader's time zone, as its first moment, or with `shift_days` that of a later one."""

    def __init__(self, *, shift_days: int = 0) -> None:
        super().__init__(required=False, input_formats=["%Y-%m-%d"])
        self.shift_days = shift_days

    def clean(self, value: Any) -> datetime | None:
        try:
            day: date | None = super().clean(value)
            if day is None:
                return None
            shifted = day + timedelta(days=self.shift_days)
            return datetime.combine(shifted, time.min, timezone.get_current_timezone())
        except (ValidationError, OverflowError):
            raise ValidationError(
                _("“%(value)s” is not a day such as 2026-11-22. Nothing is shown until you correct it."),
                params={"value": value},
            ) from None


class StateForm(PortalForm):
    """The Spaces that an open page shows."""

    spaces = IdListField(most=MAX_SPACES)


class SpaceIdField(TextField):
    """The id of a Space, or at least its first 8 digits: as the first and the last id that begin like that."""

    def clean(self, value: Any) -> tuple[UUID, UUID] | None:
        text = super().clean(value)
        bounds = id_range(text)
        if text and bounds is None:
            message = _("“%(value)s” is not a Space id, nor its first 8 digits. Nothing is shown until you correct it.")
            raise ValidationError(message, params={"value": text})
        return bounds


class LogFilterForm(PortalForm):
    """Filters of the retention log. With a wrong one nothing is shown: other entries could be taken for the answer."""

    event = forms.ChoiceField(
        required=False,
        choices=event_labels,
        error_messages={
            "invalid_choice": _("The log knows no event “%(value)s”. Nothing is shown until you correct it.")
        },
    )
    space = SpaceIdField(required=False, max_length=100)
    since = DayField()
    until = DayField(shift_days=1)

    LOOKUPS = {"event": "event", "space": "space_id__range", "since": "at__gte", "until": "at__lt"}

    @property
    def lookups(self) -> dict[str, Any]:
        """The filters, as arguments of `filter`, if all of them are valid."""
        return {self.LOOKUPS[name]: value for name, value in self.cleaned_data.items() if value}

    @property
    def typed(self) -> dict[str, str]:
        """The filters as they were typed, for the address of the next page."""
        values = {name: str(self[name].value() or "").strip() for name in self.fields}
        return {name: value for name, value in values.items() if value}
