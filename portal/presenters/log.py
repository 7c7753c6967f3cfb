"""Entries of the retention log, for auditors and for the host of a Space."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from archive.content_access import EVENTS as CONTENT_EVENTS
from archive.log import events
from archive.log.summaries import role_name
from archive.models import ContentAccess, LogEntry, RecorderToken, Rule, Space, Transcript, User
from archive.models.compiled_query import CompiledQuery
from portal.access import may_read_log
from portal.presenters.log_details import UNEXPECTED, detail_facts

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

KIND_IN_SUMMARY = ("notice.", "feed.", "log.key_", "upload.opened")
MAX_HISTORY, MAX_ACCESSES, MAX_OWN_ACCESSES = 50, 50, 10


@dataclass(frozen=True)
class LogLine:
    """An entry for auditors. `removed`: the objects of a deletion. `detail`: what neither the summary nor `removed`
    shows."""

    number: int
    at: datetime
    event: str
    label: "StrOrPromise"
    icon: str
    space_id: object
    actor: str
    summary: str
    detail: dict[str, Any]
    removed: list[dict[str, Any]]

    @cached_property
    def facts(self) -> list[tuple[str, str]]:
        """Return (name, value) of the detail. The list of all entries does not show them."""
        return detail_facts(self.detail)


@dataclass(frozen=True)
class HistoryLine:
    """A line of a Space's history, for its host, admins and auditors. `reason`: the admin's text, for readers who may
    see it."""

    at: datetime
    label: "StrOrPromise"
    note: str
    reason: str = ""


@dataclass(frozen=True)
class Accesses:
    """Accesses to content of a Space, the newest first: by the reader of the page, and by everybody else."""

    own: list[HistoryLine]
    others: list[HistoryLine]


def history(space: Space, reader: User) -> list[HistoryLine]:
    """Return the newest MAX_HISTORY events of this Space that its host may see, the newest first. Only other admins and
    auditors see reasons of legal holds."""
    entries = _HISTORY.objects(space.pk)
    rule_names, reasons = _rule_names_of(entries), _hold_reasons(space, reader)
    return [
        HistoryLine(
            entry.at,
            events.find(entry.event).label,
            _note_for_host(entry, space, rule_names),
            reasons.get((entry.event, str(entry.detail.get("hold"))), ""),
        )
        for entry in entries
    ]


def _hold_reasons(space: Space, reader: User) -> dict[tuple[str, str], str]:
    """Return {(event, number of the hold): the reason}. The log has only a commitment to it."""
    if space.host_id == reader.pk or not may_read_log(reader):
        return {}
    reasons = {}
    for hold in space.holds.all():
        reasons[str(events.HOLD_PLACED), str(hold.pk)] = hold.reason
        reasons[str(events.HOLD_RELEASED), str(hold.pk)] = hold.release_reason
    return reasons


def accesses(space: Space, reader: User) -> Accesses:
    """Return the accesses; those of the host and of the reader can't displace those of others."""
    entries = _OTHERS_ACCESSES.objects(space.pk, space.host_id, reader.pk)
    for user_id in dict.fromkeys((space.host_id, reader.pk)):
        entries += _ACCESSES_OF_ONE.objects(space.pk, user_id)
    names = _user_names(entries)
    recorders = RecorderToken.objects.in_bulk({pk for entry in entries if (pk := _recorder_id(entry))})
    tokens = {pk: token.name for pk, token in recorders.items()}
    lines: dict[bool, list[HistoryLine]] = {True: [], False: []}
    for entry in sorted(entries, key=attrgetter("at", "id"), reverse=True):
        is_own = entry.actor_kind == "user" and entry.actor_id == reader.pk
        lines[is_own].append(HistoryLine(entry.at, _access_label(entry), _access_note(entry, names, tokens)))
    return Accesses(own=lines[True], others=lines[False])


def _history(space_id: UUID) -> QuerySet[LogEntry]:
    entries = LogEntry.objects.filter(space_id=space_id, event__in=events.SHOWN_TO_HOST)
    return entries.order_by("-at", "-id")[:MAX_HISTORY]


def _issued(space_id: UUID) -> QuerySet[LogEntry]:
    return LogEntry.objects.filter(space_id=space_id, event__in=events.CONTENT_ISSUED).order_by("-at", "-id")


def _others_accesses(space_id: UUID, host_id: int, reader_id: int) -> QuerySet[LogEntry]:
    return _issued(space_id).exclude(actor_kind="user", actor_id__in=[host_id, reader_id])[:MAX_ACCESSES]


def _accesses_of_one(space_id: UUID, user_id: int) -> QuerySet[LogEntry]:
    return _issued(space_id).filter(actor_kind="user", actor_id=user_id)[:MAX_OWN_ACCESSES]


_USER_NAMES = CompiledQuery(lambda ids: User.objects.filter(pk__any=ids).values_list("pk", "username"), list)
_HISTORY = CompiledQuery(_history, UUID)
_OTHERS_ACCESSES = CompiledQuery(_others_accesses, UUID, int, int)
_ACCESSES_OF_ONE = CompiledQuery(_accesses_of_one, UUID, int)


def _access_label(entry: LogEntry) -> "StrOrPromise":
    """Return what was done, also for the event that names the admin."""
    try:
        return CONTENT_EVENTS[ContentAccess.Kind(entry.detail["kind"])].label
    except UNEXPECTED:
        return events.find(entry.event).label


def _access_note(entry: LogEntry, names: dict[int, str], tokens: dict[UUID, str]) -> str:
    """Return who it was, and in which role."""
    role = entry.detail.get("role")
    token = tokens.get(_recorder_id(entry) or UUID(int=0))
    name = token if entry.actor_id is None else _actor(entry, names)
    if not isinstance(role, str):
        return name or ""
    return _("{name}, {role}").format(name=name, role=role_name(role)) if name else role_name(role)


def _recorder_id(entry: LogEntry) -> UUID | None:
    try:
        return UUID(entry.detail["recorder"])
    except UNEXPECTED:
        return None


def log_lines(entries: Iterable[LogEntry]) -> list[LogLine]:
    """Return lines for auditors, in the order of the entries. The log contains only ids of users and codes of rules;
    two queries add their names."""
    entries = list(entries)
    names, rule_names = _user_names(entries), _rule_names_of(entries)
    return [log_line(entry, names, rule_names) for entry in entries]


def log_line(entry: LogEntry, names: dict[int, str], rule_names: dict[tuple[str, int], str]) -> LogLine:
    """Return a line for auditors. `names` has the user names of existing actors, `rule_names` the names of rules by
    code and version."""
    detail = dict(entry.detail)
    removed = detail.pop("removed") if _are_objects(detail.get("removed")) else []
    event = events.find(entry.event)
    if event in events.CONTENT_ISSUED:
        detail.pop("kind", None)  # the summary names them
        detail.pop("role", None)
    if event.startswith(KIND_IN_SUMMARY):
        detail.pop("kind", None)
    return LogLine(
        number=entry.pk,
        at=entry.at,
        event=entry.event,
        label=event.label,
        icon=event.icon,
        space_id=entry.space_id,
        actor=_actor(entry, names),
        summary=summarize(entry.event, entry.detail, rule_names),
        detail=detail,
        removed=removed,
    )


def _are_objects(removed: Any) -> bool:
    """Whether this is the detail of a deletion: a list of keys with sizes."""
    return isinstance(removed, list) and all(isinstance(one, dict) and _is_object(one) for one in removed)


def _is_object(one: dict[str, Any]) -> bool:
    return isinstance(one.get("key"), str) and isinstance(one.get("size", ""), int | None)


def _user_names(entries: Iterable[LogEntry]) -> dict[int, str]:
    ids = {entry.actor_id for entry in entries if entry.actor_id is not None}
    return dict(_USER_NAMES.tuples(list(ids))) if ids else {}


def _rule_names_of(entries: Iterable[LogEntry]) -> dict[tuple[str, int], str]:
    """Only flags name a rule."""
    return rule_names_by_version() if any(entry.event == events.VIOLATION_FLAGGED for entry in entries) else {}


def rule_names_by_version() -> dict[tuple[str, int], str]:
    return {(code, number): name for code, number, name in Rule.objects.values_list("code", "number", "name")}


def summarize(event: str, detail: dict[str, Any], rule_names: dict[tuple[str, int], str]) -> str:
    """Return the summary of an entry; for a flag, the name of its rule at that time. "" for an unexpected detail."""
    try:
        if event != events.VIOLATION_FLAGGED:
            return events.find(event).summary(detail)
        code = str(detail["rule"])
        return rule_names.get((code, detail["rule_version"]), code)
    except UNEXPECTED:
        return ""


def _note_for_host(entry: LogEntry, space: Space, rule_names: dict[tuple[str, int], str]) -> str:
    """Like the summary, but with a rule's name instead of its code, and with the role of a transcript's uploader."""
    if entry.event == events.SPACE_REGISTERED and space.state == Space.State.REJECTED:
        return ""  # the deadline of a recording that was not kept
    if entry.event == events.TRANSCRIPT_ADDED:
        return _transcript_source(entry, space)
    return summarize(entry.event, entry.detail, rule_names)


def _transcript_source(entry: LogEntry, space: Space) -> str:
    """Return the uploader's role. Only the host and admins can upload a transcript with a session."""
    if entry.detail.get("source") == Transcript.Source.AUTOMATIC:
        return str(Transcript.Source.AUTOMATIC.label)
    if "recorder" in entry.detail:
        return _("by a recorder")
    if entry.detail.get("account") not in (None, space.host_id):
        return _("by an admin")
    return ""


def _actor(entry: LogEntry, names: dict[int, str]) -> str:
    if entry.actor_id is None:
        nameless = {"system": "Spacekeep", "recorder": _("recorder"), "command": _("operator (command)")}
        return nameless.get(entry.actor_kind, entry.actor_kind)
    name = names.get(entry.actor_id) or _("user {number}").format(number=entry.actor_id)
    return _("{name} (command)").format(name=name) if entry.actor_kind == "command" else name
