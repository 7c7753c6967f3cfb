"""Rename and merge the speakers of a transcript.

A linked participant may download the lines under their name (archive/own_lines.py). So when a speaker is renamed, the
participant is renamed as well, and keeps the same lines. After a merge, the participant with the remaining name has all
of them.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from uuid import UUID

from archive import cues
from archive.editing import participants as people
from archive.editing.consent import Consent, Gain, State, find_gains, require_consent
from archive.editing.corrections import checked_speaker
from archive.editing.permission import check_may_edit
from archive.editing.versions import NewVersion, find_version, newest_version, store_version
from archive.errors import Conflict, Refused
from archive.intake.transcripts.renaming import Renamed, find_followers, list_speakers, rename
from archive.log import Actor
from archive.models import Participant, Space, Transcript, User
from archive.own_lines import normalize_name


@dataclass(frozen=True)
class Preview:
    """The effect of new names. `followers` is {participant id: new name}."""

    renamed: Renamed
    followers: dict[int, str]
    gains: list[Gain]


def rename_speakers(
    space_id: UUID, base: int, names: Mapping[str, str], by: User, consent: Consent | None = None
) -> Transcript:
    """Rename speakers of version `base` ({speaker: new name}) in one new version, and return it; if nothing changes,
    return the newest version.

    Raises Conflict if `base` is not the newest version, or if speakers would be merged without consent; Refused for
    invalid names, or if a linked account would gain lines without consent; TooLate, StorageError. Then nothing was
    changed. Call outside of transactions.
    """
    space = Space.objects.get(pk=space_id)
    check_may_edit(space, by)
    version, newest = find_version(space, base), newest_version(space)
    names = check_names(names)
    if version.pk != newest.pk:
        if _has_names(newest, version, names):  # a repeated request
            return newest
        raise Conflict("edit.transcript_changed", base=base, newest=newest.number)
    _check_known(newest, names)
    preview = preview_renames(space, newest, names)
    if not preview.renamed.lines:
        return newest
    require_consent(preview.renamed.merged, preview.gains, consent or Consent())
    edition = _edition(space)

    def follow(locked: Space) -> None:
        if _edition(locked) != edition:
            raise Conflict("edit.changed_meanwhile")
        people.rename(locked, preview.followers, Actor.of(by))

    renamed = preview.renamed
    new = NewVersion(newest, renamed.cues, newest.language, renamed.lines, renamed.speakers)
    return store_version(new, by, follow)


def preview_renames(space: Space, version: Transcript, names: Mapping[str, str]) -> Preview:
    """Return the effect of new names. Read-only."""
    lines = cues.load(version.cues)
    before = list(space.participants.select_related("user"))
    renamed, followers = rename(lines, names), find_followers(before, names)
    after = [_with_name(person, followers.get(person.pk, person.name)) for person in before]
    gains = find_gains(State(before, lines), State(after, renamed.cues), space.host_id)
    return Preview(renamed, followers, gains)


def check_names(names: Mapping[str, str]) -> dict[str, str]:
    """Return the normalized new names, without unchanged ones. Raises Refused."""
    checked: dict[str, str] = {}
    seen: set[str] = set()
    for old, typed in names.items():
        key = normalize_name(old)
        if key in seen:
            raise Refused("edit.speaker_named_twice", name=old)
        seen.add(key)
        new = checked_speaker(typed)
        if not new and old:
            raise Refused("intake.name_invalid", limit=100)
        if new != old:
            checked[old] = new
    return checked


def _check_known(version: Transcript, names: Mapping[str, str]) -> None:
    known = {normalize_name(speaker.name) for speaker in list_speakers(cues.load(version.cues))}
    for old in names:
        if normalize_name(old) not in known:
            raise Refused("edit.no_such_speaker", name=old)


def _has_names(newest: Transcript, version: Transcript, names: Mapping[str, str]) -> bool:
    """Return whether the newest version is `version` with these names."""
    return newest.edited_from == version.number and rename(cues.load(version.cues), names).cues == cues.load(
        newest.cues
    )


def _edition(space: Space) -> list[tuple[int, tuple[str, str, str, int | None]]]:
    return [(person.pk, people.vars_of(person)) for person in space.participants.all()]


def _with_name(person: Participant, name: str) -> Participant:
    named = copy(person)
    named.name = name
    return named
