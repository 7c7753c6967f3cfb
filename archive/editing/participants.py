"""Add, rename, link and remove participants, and change their roles."""

from collections.abc import Iterable, Sequence
from copy import copy
from typing import NamedTuple

from archive import log, search
from archive.errors import Conflict, Refused
from archive.intake.request import LONGEST_NAME
from archive.log import Actor, events
from archive.models import Participant, Space, User
from archive.own_lines import find_accounts


class ParticipantEdit(NamedTuple):
    """The new state of a participant; without `id`, a new one. `account` is the user name, "" for none. The host's
    account can't change."""

    role: str  # Participant.Role
    name: str
    account: str = ""
    id: int | None = None


def normalized(edit: ParticipantEdit) -> ParticipantEdit:
    """Return the edit without characters that the database can't store. Raises Refused."""
    name, account = " ".join(edit.name.replace("\x00", "").split()), edit.account.replace("\x00", "\ufffd").strip()
    if not name or len(name) > LONGEST_NAME:
        raise Refused("intake.name_invalid", limit=LONGEST_NAME)
    longest = User._meta.get_field("username").max_length
    if longest is not None and len(account) > longest:
        raise Refused("participant.account_too_long", limit=longest)
    return edit._replace(name=name, account=account)


def plan(space: Space, participants: Sequence[Participant], edits: Sequence[ParticipantEdit]) -> list[Participant]:
    """Return the new rows, not saved. Raises Refused, and Conflict for a participant that no longer exists."""
    by_id = {person.pk: person for person in participants}
    if any(edit.id is not None and edit.id not in by_id for edit in edits):
        raise Conflict("edit.changed_meanwhile")
    hosts = [person.pk for person in participants if person.role == Participant.Role.HOST]
    if [edit.id for edit in edits if edit.role == Participant.Role.HOST] != hosts:
        raise Refused("edit.one_host")
    _check_accounts(edits)
    accounts = find_accounts(edit.account for edit in edits)
    rows = []
    for edit in edits:
        row = copy(by_id[edit.id]) if edit.id is not None else Participant(space=space, seat=0)
        if row.role != edit.role:
            row.role, row.seat = edit.role, 0
        row.name = edit.name
        if row.account != edit.account and edit.role != Participant.Role.HOST:
            row.account, row.user = edit.account, accounts.get(edit.account)
        rows.append(row)
    _assign_seats(rows)
    return rows


def save(space: Space, before: Sequence[Participant], rows: Sequence[Participant], actor: Actor) -> None:
    """Save planned rows, and log each change, in the caller's transaction with the Space locked."""
    earlier = {person.pk: person for person in before}
    kept = {row.pk for row in rows}
    for person in before:
        if person.pk not in kept:
            _log_link(space, person, None, actor)
            _record(events.PARTICIPANT_REMOVED, space, person, actor, role=person.role)
    space.participants.filter(pk__in=earlier.keys() - kept).delete()
    for row in rows:
        old = earlier.get(row.pk)
        if old is None:
            row.save()
            _log_added(space, row, actor)
        elif vars_of(old) != vars_of(row):
            row.save(update_fields=["role", "seat", "name", "account", "user"])
            _log_changes(space, old, row, actor)


def rename(space: Space, names: dict[int, str], actor: Actor) -> None:
    """Give participants new names ({id: name}), in the caller's transaction with the Space locked."""
    for person in space.participants.filter(pk__in=names):
        old = copy(person)
        person.name = names[person.pk]
        person.save(update_fields=["name"])
        _log_changes(space, old, person, actor)
    search.index_spaces(space.pk)


def vars_of(person: Participant) -> tuple[str, str, str, int | None]:
    """Return the values that can be edited."""
    return person.role, person.name, person.account, person.user_id


def _check_accounts(edits: Iterable[ParticipantEdit]) -> None:
    seen: set[str] = set()
    for account in filter(None, (edit.account for edit in edits)):
        if account in seen:
            raise Refused("edit.account_twice", account=account)
        seen.add(account)


def _assign_seats(rows: Iterable[Participant]) -> None:
    """Give participants without a seat the first free one of their role. The others keep theirs."""
    rows = list(rows)
    taken = {(row.role, row.seat) for row in rows}
    for row in rows:
        if row.seat == 0:
            row.seat = next(seat for seat in range(1, len(rows) + 1) if (row.role, seat) not in taken)
            taken.add((row.role, row.seat))


def _log_added(space: Space, row: Participant, actor: Actor) -> None:
    name = log.commitment(space.salt, row.name)
    _record(events.PARTICIPANT_ADDED, space, row, actor, role=row.role, name=name)
    _log_link(space, None, row, actor)


def _log_changes(space: Space, old: Participant, new: Participant, actor: Actor) -> None:
    if old.name != new.name:
        _record(events.PARTICIPANT_RENAMED, space, new, actor, name=log.commitment(space.salt, new.name))
    if old.role != new.role:
        _record(events.PARTICIPANT_ROLE_CHANGED, space, new, actor, role=new.role, before=old.role)
    _log_link(space, old, new, actor)


def _log_link(space: Space, old: Participant | None, new: Participant | None, actor: Actor) -> None:
    before, after = old.user_id if old else None, new.user_id if new else None
    person = new or old
    if before == after or person is None:
        return
    if before is not None:
        _record(events.PARTICIPANT_UNLINKED, space, person, actor, account=before)
    if after is not None:
        _record(events.PARTICIPANT_LINKED, space, person, actor, account=after)


def _record(event: events.Event, space: Space, person: Participant, actor: Actor, **detail: object) -> None:
    log.record(event, space_id=space.pk, actor=actor, participant=person.pk, **detail)
