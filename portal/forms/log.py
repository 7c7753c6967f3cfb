"""The filters of the retention log, which are all in the URL."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from archive.audit.find import accounts_named, accounts_with_role, spaces_of_hosts, spaces_with_id
from archive.audit.log_filter import LogFilter
from archive.errors import Refused
from archive.log.events import EVENTS
from archive.log.groups import DEFAULT, GROUPS, Choice, choices_of
from archive.models import Rule, SavedLogView
from archive.search import id_range
from portal.forms.base import PortalForm, TextField, TextListField

EVERYTHING = "all"
ROLES = {
    "admins": _("Admins, now or before"),
    "auditors": _("Auditors, now or before"),
    "recorder": _("Recorders"),
    "command": _("Commands of the operator"),
    "system": _("Spacekeep itself"),
}
MIN_ID = 4  # characters
MOST_NAMED = 3  # events in the summary of the chosen filters


class DayField(forms.DateField):
    """A day in the reader's time zone, as its first moment; with `shift_days`, the first moment of a later day."""

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


class SpaceIdField(TextField):
    """The id of a Space, or at least its first MIN_ID characters, as the first and the last id with this prefix."""

    def clean(self, value: Any) -> tuple[UUID, UUID] | None:
        text = super().clean(value)
        bounds = id_range(text, least=MIN_ID)
        if text and bounds is None:
            message = _(
                "“%(value)s” is not a Space id, nor its first characters (at least %(least)d of 0 to 9 and a to f). "
                "Nothing is shown until you correct it."
            )
            raise ValidationError(message, params={"value": text, "least": MIN_ID})
        return bounds


class AccountField(TextField):
    """A person, as the numbers of all accounts with this name."""

    def clean(self, value: Any) -> tuple[int, ...]:
        text = super().clean(value)
        accounts = accounts_named(text) if text else ()
        if text and not accounts:
            message = _("There is no account “%(value)s”. Nothing is shown until you correct it.")
            raise ValidationError(message, params={"value": text})
        return accounts


class RuleField(TextField):
    """The code of a current or former rule."""

    def clean(self, value: Any) -> str:
        code = str(super().clean(value))
        if code and not Rule.objects.filter(code=code).exists():
            message = _("There is no rule “%(value)s”. Nothing is shown until you correct it.")
            raise ValidationError(message, params={"value": code})
        return code


class EventsField(TextListField):
    """Codes of groups and names of events, each once; EVERYTHING for all."""

    def clean(self, value: Iterable[str] | None) -> list[str]:
        names = list(dict.fromkeys(name for name in super().clean(value) if name))
        for name in names:
            if name != EVERYTHING and name not in GROUPS and name not in EVENTS:
                message = _("The log knows no event “%(value)s”. Nothing is shown until you correct it.")
                raise ValidationError(message, params={"value": name})
        return names


class LogFilterForm(PortalForm):
    """Filters of the retention log. If one is invalid, no entries are shown, because people could mistake other entries
    for the answer.

    Without any filter the log shows decisions and deletions; with other filters but no `event`, all matching events.
    """

    event = EventsField(required=False)
    space = SpaceIdField(required=False, max_length=100)
    host = AccountField(required=False, max_length=150)
    who = AccountField(required=False, max_length=150)
    role = forms.ChoiceField(
        required=False,
        choices=ROLES,
        error_messages={"invalid_choice": _("There is no role “%(value)s”. Nothing is shown until you correct it.")},
    )
    rule = RuleField(required=False, max_length=40)
    since = DayField()
    until = DayField(shift_days=1)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("since") and data.get("until") and data["since"] >= data["until"]:
            raise ValidationError(_("“From” is later than “To”. Nothing is shown until you correct it."))
        if not self.errors:
            try:
                data["wanted"] = self._filter(data)
            except Refused as error:
                raise ValidationError(str(error)) from error
        return data

    @property
    def wanted(self) -> LogFilter:
        """Return the filter for entries, if the form is valid."""
        found: LogFilter = self.cleaned_data["wanted"]
        return found

    def _filter(self, data: dict[str, Any]) -> LogFilter:
        role = data["role"]
        has_role = role in ("admins", "auditors")
        actors = set(data["who"]) if data["who"] else None
        if has_role:
            actors = set(accounts_with_role(role)) if actors is None else actors & set(accounts_with_role(role))
        return LogFilter(
            choices=self._choices(),
            space_ids=self._space_ids(data),
            actor_ids=None if actors is None else tuple(sorted(actors)),
            actor_kind="" if has_role else role,
            rule=data["rule"],
            since=data["since"],
            until=data["until"],
        )

    def _choices(self) -> tuple[Choice, ...]:
        return () if EVERYTHING in self.chosen else tuple(c for name in self.chosen for c in choices_of(name))

    @staticmethod
    def _space_ids(data: dict[str, Any]) -> tuple[UUID, ...] | None:
        if data["host"]:
            return spaces_of_hosts(data["host"], data["space"])
        return spaces_with_id(data["space"]) if data["space"] else None

    @cached_property
    def chosen(self) -> list[str]:
        """The chosen groups and events."""
        names = self.typed_lists.get("event", [])
        others = any(value for name, values in self.typed_lists.items() if name != "event" for value in values)
        if EVERYTHING in names:
            return [EVERYTHING]
        return names or ([EVERYTHING] if others else list(DEFAULT))

    @cached_property
    def typed_lists(self) -> dict[str, list[str]]:
        """The typed filters, by name."""
        data = self.data if isinstance(self.data, QueryDict) else QueryDict(mutable=True)
        lists = {name: [value.strip() for value in data.getlist(name)] for name in self.fields}
        lists = {name: values if name == "event" else values[-1:] for name, values in lists.items()}
        return {name: list(filter(None, values)) for name, values in lists.items() if any(values)}

    @property
    def values(self) -> dict[str, str]:
        """The typed filters that have one value."""
        return {name: values[-1] for name, values in self.typed_lists.items() if name != "event"}

    def url(self, **more: object) -> str:
        """Return the query string of these filters; with `more`, of another page."""
        return f"?{urlencode({**self.typed_lists, **more}, doseq=True)}"

    def url_without_names(self) -> str:
        """Return the query string with account numbers instead of names, because a saved view may outlive an
        account."""
        lists = dict(self.typed_lists)
        for name in ("host", "who"):
            accounts = self.cleaned_data[name]
            if len(accounts) == 1:
                lists[name] = [f"#{accounts[0]}"]
        return f"?{urlencode(lists, doseq=True)}"

    def as_codes(self) -> dict[str, Any]:
        """Return the filters for a log entry, without people's names: codes, ids and days."""
        values, data = self.values, self.cleaned_data
        codes: dict[str, Any] = {"events": self.chosen, "hosts": list(data["host"]), "actors": list(data["who"])}
        return codes | {name: values[name] for name in ("space", "role", "rule", "since", "until") if name in values}

    def described(self) -> list[tuple[str, str]]:
        """Return a readable (name, value) of each filter, for printed pages and files."""
        labels = [("event", _("Events"), "; ".join(str(label) for label in self._event_labels()))]
        values = self.values
        labels += [(name, label, values[name]) for name, label in LABELS.items() if name in values]
        if role := values.get("role"):
            labels = [(name, label, str(ROLES.get(role, role)) if name == "role" else v) for name, label, v in labels]
        return [(str(label), value) for _name, label, value in labels]

    @property
    def chosen_labels(self) -> str:
        """Return readable names of the chosen groups and events; only the first ones if there are many."""
        labels = [str(label) for label in self._event_labels()]
        more = len(labels) - MOST_NAMED
        listed = "; ".join(labels[:MOST_NAMED])
        if more <= 0:
            return listed
        return ngettext("{listed}; {count} more", "{listed}; {count} more", more).format(listed=listed, count=more)

    def _event_labels(self) -> list[Any]:
        if EVERYTHING in self.chosen:
            return [_("everything")]
        labels = {name: group.label for name, group in GROUPS.items()} | {e: event.label for e, event in EVENTS.items()}
        return [labels.get(name, name) for name in self.chosen]


class SavedViewForm(PortalForm):
    name = TextField(max_length=SavedLogView.MAX_NAME)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        missing = _("Enter a name for the view.")
        self.fields["name"].error_messages = {**self.fields["name"].error_messages, "required": missing}


LABELS = {
    "space": _("Space id"),
    "host": _("Host"),
    "who": _("Who"),
    "role": _("Role"),
    "rule": _("Rule"),
    "since": _("From"),
    "until": _("To"),
}


def list_rule_codes() -> list[tuple[str, str]]:
    """Return (code, name) of each current or former rule, in its newest version."""
    newest = dict(Rule.objects.order_by("number").values_list("code", "name"))
    return sorted(newest.items(), key=lambda pair: pair[1])
