"""Edit the facts of a Space and its participants, but not its end, since the deadline counts from it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction

from archive import cues, log, search
from archive.editing import participants as people
from archive.editing.consent import Consent, State, find_gains, require_consent
from archive.editing.participants import ParticipantEdit
from archive.editing.permission import check_may_edit, lock_for_edit
from archive.editing.versions import NewVersion, store_version
from archive.errors import Conflict, Refused
from archive.intake.request import validate_facts
from archive.intake.transcripts.renaming import rename
from archive.language_tags import is_language_tag
from archive.log import Actor, events
from archive.models import Participant, Space, Transcript, User
from archive.own_lines import normalize_name

MAX_LENGTH = timedelta(days=7)  # of a Space


@dataclass(frozen=True)
class Facts:
    """The facts that a host can edit. `started_at` is aware, in whole seconds; `audience` is one of Space.Audience."""

    title: str
    audience: str = ""
    started_at: datetime | None = None
    listeners_peak: int | None = None
    listeners_total: int | None = None


@dataclass(frozen=True)
class SpaceEdit:
    """The new state of a Space. `language` is that of the transcript; None: unchanged. `rename_lines`: if a participant
    gets another name, rename the speaker in the transcript, too."""

    facts: Facts
    participants: Sequence[ParticipantEdit]
    language: str | None = None
    rename_lines: bool = True
    consent: Consent = field(default_factory=Consent)


@dataclass(frozen=True)
class Editable:
    """The present state of a Space, for a form. `edition` identifies it, and an edit names it as its base."""

    facts: Facts
    participants: list[Participant]
    transcript: Transcript | None
    edition: str

    @property
    def language(self) -> str | None:
        return self.transcript.language if self.transcript else None


def read_editable(space: Space) -> Editable:
    """Read the Space's facts, participants and newest transcript."""
    facts = Facts(space.title, space.audience, space.started_at, space.listeners_peak, space.listeners_total)
    participants = list(space.participants.select_related("user"))
    transcript = space.transcripts.last()
    state = [
        *(facts.title, facts.audience, log.rfc3339(facts.started_at), facts.listeners_peak, facts.listeners_total),
        [[person.pk, *people.vars_of(person)] for person in participants],
        transcript.language if transcript else None,
    ]
    edition = hashlib.sha256(json.dumps(state).encode()).hexdigest()[:32]
    return Editable(facts, participants, transcript, edition)


def edit_space(space_id: UUID, edition: str, edit: SpaceEdit, by: User) -> bool:
    """Save an edit of the state with this `edition`. Returns False if it changes nothing.

    Renamed speakers or another language make a new version of the transcript. Raises Conflict if the Space was edited
    since, or if speakers would be merged without consent; Refused for invalid facts, or if a linked account would gain
    lines without consent; TooLate, StorageError. Then nothing was changed. Call outside of transactions.
    """
    space = Space.objects.get(pk=space_id)
    check_may_edit(space, by)
    edit, now = _validated(edit, space), read_editable(space)
    if _is_saved(edit, now):
        return False
    if edition != now.edition:
        raise Conflict("edit.changed_meanwhile")
    rows = people.plan(space, now.participants, edit.participants)
    version = _plan_version(space, now, edit, rows)

    def change(locked: Space) -> None:
        if read_editable(locked).edition != edition:
            raise Conflict("edit.changed_meanwhile")
        _save_facts(locked, edit.facts, Actor.of(by))
        people.save(locked, now.participants, rows, Actor.of(by))
        search.index_spaces(space_id)

    if version is not None:
        store_version(version, by, change)
    else:
        with transaction.atomic():
            change(lock_for_edit(space_id, by))
    return True


def _validated(edit: SpaceEdit, space: Space) -> SpaceEdit:
    """Return the edit with normalized texts. Raises Refused."""
    facts = replace(edit.facts, title=" ".join(edit.facts.title.replace("\x00", "").split()))
    names = {role: [one.name for one in edit.participants if one.role == role] for role in Participant.Role}
    counts = (facts.listeners_peak, facts.listeners_total)
    validate_facts(facts.title, names[Participant.Role.COHOST], names[Participant.Role.SPEAKER], counts)
    if facts.audience not in Space.Audience.values:
        raise Refused("edit.bad_audience")
    if facts.started_at is not None:
        facts = replace(facts, started_at=_checked_start(facts.started_at, space))
    if edit.language is not None and not is_language_tag(edit.language):
        raise Refused("upload.bad_language", language=edit.language)
    return replace(edit, facts=facts, participants=[people.normalized(one) for one in edit.participants])


def _checked_start(started_at: datetime, space: Space) -> datetime:
    if started_at >= space.ended_at:
        raise Refused("edit.started_after_end", ended_at=space.ended_at)
    if started_at < space.ended_at - MAX_LENGTH:
        raise Refused("edit.started_too_early", days=MAX_LENGTH.days)
    return started_at.astimezone(UTC).replace(microsecond=0)


def _is_saved(edit: SpaceEdit, now: Editable) -> bool:
    """Return whether the Space already is as in the edit: a form may be sent twice. New participants then have ids."""
    wanted = [(one.role, one.name, one.account) for one in edit.participants]
    saved = [(person.role, person.name, person.account) for person in now.participants]
    gone = {one.id for one in edit.participants if one.id} - {person.pk for person in now.participants}
    same_language = edit.language in (None, now.language) or now.transcript is None
    return edit.facts == now.facts and sorted(wanted) == sorted(saved) and not gone and same_language


def _plan_version(space: Space, now: Editable, edit: SpaceEdit, rows: Sequence[Participant]) -> NewVersion | None:
    """Return the new version of the transcript that the edit needs, if any. Raises Conflict, Refused without
    consent."""
    if now.transcript is None:
        return None
    lines = cues.load(now.transcript.cues)
    renamed = rename(lines, _renamed_speakers(now.participants, rows) if edit.rename_lines else {})
    gains = find_gains(State(now.participants, lines), State(rows, renamed.cues), space.host_id)
    require_consent(renamed.merged, gains, edit.consent)
    language = edit.language or now.transcript.language
    if not renamed.lines and language == now.transcript.language:
        return None
    return NewVersion(now.transcript, renamed.cues, language, renamed.lines, renamed.speakers)


def _renamed_speakers(before: Sequence[Participant], rows: Sequence[Participant]) -> dict[str, str]:
    """Return {name: new name} of participants. Leaves out a name that several of them had, since it does not identify
    the lines."""
    keys = [normalize_name(person.name) for person in before]
    names = {person.pk: person.name for person in before}
    return {
        names[row.pk]: row.name
        for row in rows
        if row.pk in names and names[row.pk] != row.name and keys.count(normalize_name(names[row.pk])) == 1
    }


def _save_facts(space: Space, facts: Facts, actor: Actor) -> None:
    changed = {name: value for name, value in asdict(facts).items() if getattr(space, name) != value}
    if not changed:
        return
    Space.objects.filter(pk=space.pk).update(**changed)
    detail = {"title": log.commitment(space.salt, facts.title)} if "title" in changed else {}
    log.record(events.SPACE_EDITED, space_id=space.pk, actor=actor, fields=sorted(changed), **detail)
