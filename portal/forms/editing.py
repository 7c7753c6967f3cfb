"""Forms of the page on which a host edits a Space."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import formatting
from archive.editing.consent import Consent
from archive.editing.corrections import Correction
from archive.editing.facts import Editable, Facts, SpaceEdit
from archive.editing.participants import ParticipantEdit
from archive.models import Participant, Space
from archive.models.space import MAX_COHOSTS, MAX_SPEAKERS
from portal.forms.base import LenientIntegerField, PortalForm, TextField, lazy_sentence

MAX_PEOPLE = 1 + MAX_COHOSTS + MAX_SPEAKERS
NEW_PEOPLE = 3  # empty rows for new participants
MAX_NUMBER = 2**15 - 1
LINE = re.compile(r"(text|speaker)-([1-9]\d{0,5})")
COUNT = lazy_sentence("intake.listeners_invalid")


class CountField(forms.IntegerField):
    def __init__(self) -> None:
        errors = {"invalid": COUNT, "min_value": COUNT, "max_value": COUNT}
        super().__init__(required=False, min_value=0, max_value=2**63 - 1, error_messages=errors)


WRONG_START = _("Write the start as a day and a time, such as 2026-11-22T20:00.")


class WallTimeField(forms.DateTimeField):
    """A time without a zone, as inputs of the type datetime-local send it. The initial value is in the active time
    zone."""

    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M:%S")

    def __init__(self) -> None:
        formats = ["%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]
        super().__init__(required=False, input_formats=formats, error_messages={"invalid": WRONG_START})

    def prepare_value(self, value: Any) -> Any:
        return f"{formatting.to_active_zone(value):%Y-%m-%dT%H:%M:%S}" if isinstance(value, datetime) else value

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(UTC):
            moment = super().to_python(value)
        return None if moment is None else moment.replace(tzinfo=None)


class FactsForm(PortalForm):
    """The facts of a Space, and consent that a refusal asked for. `edition`: the state of the facts that the form
    started from.

    `zone`: the time zone of the start in the form, because the reader's zone may change while the page is open.
    `saved_start`: the initial start (ISO 8601), because the time may be ambiguous in that zone.
    """

    edition = TextField(required=False, max_length=64)
    title = TextField(required=False, sentences={"max_length": "intake.title_too_long"}, max_length=300)
    audience = forms.ChoiceField(required=False, choices=Space.Audience.choices)
    started_at = WallTimeField()
    zone = TextField(required=False, max_length=100)
    saved_start = TextField(required=False, max_length=100)
    listeners_peak = CountField()
    listeners_total = CountField()
    language = TextField(required=False, max_length=35)
    rename_lines = forms.BooleanField(required=False)
    merge = forms.BooleanField(required=False)
    give_lines = forms.BooleanField(required=False)

    def clean_saved_start(self) -> datetime | None:
        """None if there was no start, or if somebody changed the hidden field."""
        try:
            saved = datetime.fromisoformat(self.cleaned_data["saved_start"])
        except ValueError:
            return None
        return saved if saved.tzinfo else None

    def clean(self) -> dict[str, Any]:
        """Convert the start to UTC."""
        data = self.cleaned_data
        typed, saved = data.get("started_at"), data.get("saved_start")
        if typed is None:
            return data
        zone = ZoneInfo(data["zone"]) if data.get("zone") in formatting.known_time_zones() else UTC
        try:
            is_unchanged = saved and saved.astimezone(zone).replace(tzinfo=None, microsecond=0, fold=0) == typed
            data["started_at"] = saved if is_unchanged else typed.replace(tzinfo=zone).astimezone(UTC)
        except OverflowError:
            self.add_error("started_at", WRONG_START)
        return data

    def read(self) -> tuple[Facts, Consent]:
        names = ("title", "audience", "started_at", "listeners_peak", "listeners_total")
        facts = Facts(**{name: self.cleaned_data[name] for name in names})
        return facts, Consent(self.cleaned_data["merge"], self.cleaned_data["give_lines"])


class PersonForm(PortalForm):
    """A participant. A row without a name is ignored; `remove` removes the participant."""

    id = LenientIntegerField(default=0, min_value=0, max_value=2**63 - 1)
    role = forms.ChoiceField(required=False, choices=Participant.Role.choices)
    name = TextField(required=False)
    account = TextField(nul="\ufffd", required=False)
    remove = forms.BooleanField(required=False)

    @property
    def person(self) -> ParticipantEdit | None:
        """None for a row that is empty, or to be removed."""
        data = self.cleaned_data
        is_empty = not data["id"] and not data["name"].strip() and not data["account"].strip()
        if data["remove"] or is_empty:
            return None
        return ParticipantEdit(
            data["role"] or Participant.Role.SPEAKER, data["name"], data["account"], data["id"] or None
        )


class SpaceForm:
    """The facts and the participants, as one form."""

    def __init__(self, facts: FactsForm, people: list[PersonForm]) -> None:
        self.facts, self.people = facts, people

    @classmethod
    def of(cls, now: Editable) -> "SpaceForm":
        """Return a form filled with the current Space."""
        start = now.facts.started_at
        initial = {**vars(now.facts), "language": now.language, "edition": now.edition, "rename_lines": True}
        initial |= {"zone": timezone.get_current_timezone_name(), "saved_start": start.isoformat() if start else ""}
        rows = [PersonForm(initial=_initial(person), prefix=f"p{n}") for n, person in enumerate(now.participants)]
        return cls(FactsForm(initial=initial), [*rows, *_empty_rows(len(rows))])

    @classmethod
    def sent(cls, data: Mapping[str, Any]) -> "SpaceForm":
        rows = [n for n in range(MAX_PEOPLE + NEW_PEOPLE) if f"p{n}-name" in data]
        return cls(FactsForm(data), [PersonForm(data, prefix=f"p{n}") for n in rows])

    def rebased(self, now: Editable) -> "SpaceForm":
        """Apply the typed values to the current participants: those that were added in the meantime stay, and those
        that were removed become new rows."""
        saved, sent = {person.pk for person in now.participants}, [row.cleaned_data for row in self.people]
        rows = [data | {"id": data["id"] if data["id"] in saved else ""} for data in sent if data["name"].strip()]
        known = {data["id"] for data in sent}
        rows += [_initial(person) for person in now.participants if person.pk not in known]
        people = [PersonForm(initial=row, prefix=f"p{n}") for n, row in enumerate(rows)]
        return SpaceForm(self.facts, [*people, *_empty_rows(len(people))])

    @property
    def known(self) -> list[PersonForm]:
        """The rows of saved participants."""
        return [row for row in self.people if row["id"].value()]

    @property
    def added(self) -> list[PersonForm]:
        """The rows for new participants."""
        return [row for row in self.people if not row["id"].value()]

    @property
    def adds(self) -> bool:
        """Whether a row for a new participant has a name."""
        return any(row["name"].value() for row in self.added)

    def is_valid(self) -> bool:
        return all([self.facts.is_valid(), *(row.is_valid() for row in self.people)])

    @property
    def problems(self) -> list[str]:
        return list(dict.fromkeys(problem for form in (self.facts, *self.people) for problem in form.problems))

    def read(self) -> SpaceEdit:
        facts, consent = self.facts.read()
        people = [person for row in self.people if (person := row.person) is not None]
        data = self.facts.cleaned_data
        return SpaceEdit(facts, people, data["language"].strip() or None, data["rename_lines"], consent)


class SpeakersForm(PortalForm):
    """New names for speakers: speaker-0, name-0 and so on. `base`: the version of the transcript."""

    base = LenientIntegerField(default=0, min_value=0, max_value=MAX_NUMBER)
    merge = forms.BooleanField(required=False)
    give_lines = forms.BooleanField(required=False)

    MAX_SPEAKERS = 200

    @property
    def names(self) -> dict[str, str]:
        """{speaker: new name}, as typed."""
        rows = [n for n in range(self.MAX_SPEAKERS) if f"speaker-{n}" in self.data and f"name-{n}" in self.data]
        return {str(self.data[f"speaker-{n}"]): str(self.data[f"name-{n}"]) for n in rows}

    @property
    def consent(self) -> Consent:
        return Consent(self.cleaned_data["merge"], self.cleaned_data["give_lines"])


class CorrectionsForm(PortalForm):
    """Corrected lines: text-12, speaker-12 and so on, by number from 1. `base`: the version of the transcript."""

    base = LenientIntegerField(default=0, min_value=0, max_value=MAX_NUMBER)

    @property
    def corrections(self) -> list[Correction]:
        """Return the corrections in line order."""
        lines: dict[int, dict[str, str]] = {}
        for name in self.data:
            if match := LINE.fullmatch(name):
                lines.setdefault(int(match[2]), {})[match[1]] = str(self.data[name])
        return [Correction(number, **fields) for number, fields in sorted(lines.items())]


class LinesForm(PortalForm):
    """Which lines of the transcript the page shows."""

    start = LenientIntegerField(default=1, min_value=1, max_value=1_000_000)


def _initial(person: Participant) -> dict[str, Any]:
    return {"id": person.pk, "role": person.role, "name": person.name, "account": person.account}


def _empty_rows(taken: int) -> list[PersonForm]:
    free = min(NEW_PEOPLE, MAX_PEOPLE - taken)
    initial = {"role": Participant.Role.SPEAKER}
    return [PersonForm(initial=initial, prefix=f"p{taken + n}") for n in range(free)]
