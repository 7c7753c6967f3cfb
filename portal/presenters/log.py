"""Entries of the retention log, for auditors and for the host of a Space."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from archive.log import events
from archive.log.detail_names import detail_name
from archive.models import LogEntry, Rule, Space, User

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class LogLine:
    """An entry for auditors. `facts` are (name, value) of its detail, `removed` the objects of a deletion."""

    at: datetime
    event: str
    label: "StrOrPromise"
    icon: str
    space_id: object
    actor: str
    summary: str
    facts: list[tuple[str, str]]
    removed: list[dict[str, Any]]


@dataclass(frozen=True)
class HistoryLine:
    """A line of a Space's history for its host."""

    at: datetime
    label: "StrOrPromise"
    note: str


def history(space: Space, limit: int = 50) -> list[HistoryLine]:
    """The events of this Space that its host may see, the newest first."""
    entries = LogEntry.objects.filter(space_id=space.pk, event__in=events.SHOWN_TO_HOST).order_by("-id")[:limit]
    rule_names = dict(Rule.objects.values_list("code", "name"))
    return [
        HistoryLine(entry.at, events.find(entry.event).label, _note_for_host(entry, rule_names)) for entry in entries
    ]


def log_lines(entries: Iterable[LogEntry]) -> list[LogLine]:
    """Lines for auditors, in the order of the entries. The log holds ids of users only; one query adds their names."""
    entries = list(entries)
    ids = {entry.actor_id for entry in entries if entry.actor_id is not None}
    names = {user.pk: user.username for user in User.objects.filter(pk__in=ids)}
    return [log_line(entry, names) for entry in entries]


def log_line(entry: LogEntry, names: dict[int, str]) -> LogLine:
    """A line for auditors. `names` has the user names of actors that still exist."""
    detail = dict(entry.detail)
    removed = detail.pop("removed", [])
    event = events.find(entry.event)
    return LogLine(
        at=entry.at,
        event=entry.event,
        label=event.label,
        icon=event.icon,
        space_id=entry.space_id,
        actor=_actor(entry, names),
        summary=event.summary(entry.detail),
        facts=[(detail_name(key), _plain(value)) for key, value in detail.items()],
        removed=removed,
    )


def _note_for_host(entry: LogEntry, rule_names: dict[str, str]) -> str:
    """As the summary, but a rule by its name instead of its code."""
    if entry.event == events.VIOLATION_FLAGGED:
        code: str = entry.detail["rule"]
        return rule_names.get(code, code)
    return events.find(entry.event).summary(entry.detail)


def _actor(entry: LogEntry, names: dict[int, str]) -> str:
    if entry.actor_id is None:
        nameless = {"system": "Spacekeep", "recorder": _("recorder"), "command": _("operator (command)")}
        return nameless.get(entry.actor_kind, entry.actor_kind)
    name = names.get(entry.actor_id) or _("user {number}").format(number=entry.actor_id)
    return _("{name} (command)").format(name=name) if entry.actor_kind == "command" else name


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{detail_name(key)} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return "; ".join(_plain(inner) for inner in value)
    return _("None") if value is None else str(value)
