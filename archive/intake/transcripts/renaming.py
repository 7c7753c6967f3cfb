"""List the speakers of a transcript, and rename some of them. Pure functions.

Names that differ only in spaces, case or the composition of letters are one speaker, as for a speaker's own lines
(archive/own_lines.py).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from archive.cues import Cue
from archive.models import Participant
from archive.own_lines import normalize_name


@dataclass(frozen=True)
class Speaker:
    """A speaker with the number of their lines. `name` is its most frequent spelling, "" for lines without a speaker;
    `participants` are the participants with this name; there may be several."""

    name: str
    lines: int
    participants: tuple[Participant, ...] = ()


@dataclass(frozen=True)
class Renamed:
    """Lines with new speakers. `lines` and `speakers` count the changes; `merged` are the names now shared by speakers
    who were different before."""

    cues: list[Cue]
    lines: int = 0
    speakers: int = 0
    merged: tuple[str, ...] = ()


def list_speakers(lines: Iterable[Cue], participants: Iterable[Participant] = ()) -> list[Speaker]:
    """Return the speakers in the order in which they first speak."""
    spellings: dict[str, Counter[str]] = {}
    for cue in lines:
        spellings.setdefault(normalize_name(cue.speaker), Counter())[cue.speaker] += 1
    named: dict[str, list[Participant]] = {}
    for person in participants:
        named.setdefault(normalize_name(person.name), []).append(person)
    return [
        Speaker(counts.most_common(1)[0][0], counts.total(), tuple(named.get(key, ())))
        for key, counts in spellings.items()
    ]


def rename(lines: Sequence[Cue], names: Mapping[str, str]) -> Renamed:
    """Apply all of `names` ({speaker: new name}) at once, so that two speakers can swap names."""
    speakers = {normalize_name(speaker.name): speaker.name for speaker in list_speakers(lines)}
    wanted = {key: new for old, new in names.items() if (key := normalize_name(old)) in speakers}
    # A new name that another speaker keeps gets the spelling of that speaker.
    spelled = {key: name for key, name in speakers.items() if key not in wanted}
    wanted = {key: spelled.get(normalize_name(new), new) for key, new in wanted.items()}
    cues = [replace(cue, speaker=wanted.get(normalize_name(cue.speaker), cue.speaker)) for cue in lines]
    before: dict[str, set[str]] = {}
    for key, name in speakers.items():
        before.setdefault(normalize_name(wanted.get(key, name)), set()).add(key)
    merged = {key for key, keys in before.items() if len(keys) > 1}
    labels = {normalize_name(name): name for name in [*speakers.values(), *wanted.values()]}
    changed = [(old.speaker, new.speaker) for old, new in zip(lines, cues, strict=True) if old != new]
    return Renamed(
        cues,
        len(changed),
        len({normalize_name(old) for old, _ in changed}),
        tuple(name for key, name in labels.items() if key in merged),
    )


def rename_apart(lines: Sequence[Cue], names: Mapping[str, str]) -> tuple[Renamed, list[str]]:
    """Like `rename`, but skip names that would merge two speakers, and return these as the second value."""
    wanted, shared = dict(names), []
    while (renamed := rename(lines, wanted)).merged:
        taken = {normalize_name(name) for name in renamed.merged}
        shared += [new for new in wanted.values() if normalize_name(new) in taken]
        wanted = {old: new for old, new in wanted.items() if normalize_name(new) not in taken}
    return renamed, shared


def find_followers(participants: Sequence[Participant], names: Mapping[str, str]) -> dict[int, str]:
    """Return {participant id: new name} of participants whose speaker is renamed. Skips a name that another participant
    has or gets: then neither could download any line."""
    wanted = {normalize_name(old): new for old, new in names.items()}
    keys = {person.pk: normalize_name(person.name) for person in participants}
    after = {person.pk: wanted.get(keys[person.pk], person.name) for person in participants}

    def is_taken(person: Participant) -> bool:
        key = normalize_name(after[person.pk])
        return any(
            normalize_name(name) == key and keys[other] != keys[person.pk]
            for other, name in after.items()
            if other != person.pk
        )

    return {
        person.pk: after[person.pk]
        for person in participants
        if after[person.pk] != person.name and not is_taken(person)
    }
