"""An X data archive: data/spaces_media/space-<id>.ts, described by data/spaces-metadata.js.

The shape, as the archive's own README.txt tells it (read in a public copy; "spaces-metadata.js: id, creatorUserId,
hostUserIds, speakers, createdAt, endedAt, totalParticipating, totalParticipated, invitedUserIds"), as the manifest in
rust-utilities/twitter-archive names it ("data/spaces-metadata.js", "YTD.spaces_metadata.part0"), and as simonw/til
shows a real recording (twitter/export-edit-twitter-spaces.md: "space-1ypKdEXvkMLGW_0.ts", whose ID3 tags carry its
clock: {"HydraVersion":4,"ntp":3856965984.391}).

It has no titles, and names people by account number only. How it writes its times is not documented: numbers since
1970 and ISO 8601 with a zone are understood.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from archive.errors import Unreadable
from archive.formatting import format_count, format_time
from archive.intake.importers import captions
from archive.intake.importers.facts import Facts, ImportCandidate, Reader
from archive.intake.importers.tree import Tree, base, folder
from archive.intake.importers.values import dig, document, items, language, text

SOURCE = "X data archive"
RECORDING = re.compile(r"(?:^|/)space-(?P<id>[A-Za-z0-9]+)(?:_\d+)?\.ts$")
METADATA = re.compile(r"(?:^|/)spaces-metadata(?:-part\d+)?\.js$")
SCRIPT = re.compile(rb"\s*window\.YTD\.\w+\.part\d+\s*=\s*")  # it is JavaScript that sets a variable

NTP = re.compile(rb'"ntp"\s*:\s*(\d{10})(?:\.\d{1,9})?\s*[,}]')  # seconds since 1900
NTP_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)
CLOCK_BYTES = 256 * 1024  # the tags are some seconds of sound apart, about 30 kB
LONGEST = timedelta(hours=48)  # from the first clock of one recording to its last


# By the id of a Space: the name of a file of facts, and what it says of this Space.
Described = dict[str, tuple[str, object]]


def find(tree: Tree, sounds: list[str]) -> list[ImportCandidate]:
    """The recordings among `sounds` that are named as an archive names Spaces."""
    mine = [(name, match["id"]) for name in sounds if (match := RECORDING.search(name))]
    if not mine and tree.is_whole:
        return []
    described, notes = _described(tree)
    if not mine:
        return _unnamed(tree, sounds, described, notes)
    parts = [key for _, key in mine]
    return [_found(tree, name, described.get(key), notes, parts.count(key)) for name, key in mine]


def outside(tree: Tree, sounds: list[str]) -> list[str]:
    """Those that lie in no archive's data folder: the films and sounds of somebody's messages are no Spaces."""
    roots = {folder(name) for name in tree.names if METADATA.search(name)}
    roots |= {folder(folder(name)) for name in tree.names if folder(name).endswith("spaces_media")}
    inside = tuple(f"{root}/" if root else "" for root in roots)
    return [name for name in sounds if not name.startswith(inside)] if inside else sounds


def _unnamed(tree: Tree, sounds: list[str], described: Described, notes: list[str]) -> list[ImportCandidate]:
    """On a page somebody may bring the metadata before the recording, or with a recording of another name."""
    if not any(METADATA.search(name) for name in tree.names):
        return []
    if len(described) == 1:
        (only,) = described.values()
        return [_found(tree, sounds[0], only, [], 1)]
    count = format_count(len(described), "Space")
    words = f"The metadata has {count}; which it is shows in the recording's name, space-<id>.ts."
    return [ImportCandidate(tree, sounds[0], Facts(SOURCE, notes=tuple(notes or [words])))]


def _described(tree: Tree) -> tuple[Described, list[str]]:
    """What is described, and notes on files that were not understood."""
    found: Described = {}
    notes = []
    for name in filter(METADATA.search, tree.names):
        try:
            data = tree.read(name)
            said = document(data[match.end() :] if (match := SCRIPT.match(data)) else data, base(name))
        except Unreadable as error:
            notes.append(str(error))
            continue
        for entry in items(said):
            space = entry
            if isinstance(entry, dict) and "id" not in entry and len(entry) == 1:  # each in an object of its own
                space = next(iter(entry.values()))
            if key := text(dig(space, "id")):
                found[key] = (name, space)
    return found, notes


def _found(
    tree: Tree, name: str, described: tuple[str, object] | None, notes: list[str], parts: int
) -> ImportCandidate:
    facts = _facts(*described) if described else Facts(SOURCE, notes=tuple(notes) or _undescribed(name))
    if facts.ended_at is None:
        facts = _by_its_clock(tree, name, facts)
    if parts > 1:
        facts = facts.noting(f"{base(name)}: the archive has this Space in {parts} files; each is taken as one Space.")
    return ImportCandidate(tree, name, facts, captions.beside(tree, name))


def _undescribed(name: str) -> tuple[str]:
    return (f"{base(name)}: no spaces-metadata.js tells of it.",)


def _facts(name: str, space: object) -> Facts:
    reader = Reader(name)
    ended_at = reader.end(dig(space, "endedAt"), "endedAt")
    people = {key for person in items(dig(space, "speakers")) if (key := text(dig(person, "userId")))}
    if people:
        reader.note(f"it has {format_count(len(people), 'speaker')} by account number only, not by name.")
    return Facts(
        SOURCE,
        title=text(dig(space, "title")),
        ended_at=ended_at,
        listeners_total=reader.number(dig(space, "totalParticipated"), "totalParticipated"),
        language=language(dig(space, "language")),
        notes=tuple(reader.notes),
    )


def _by_its_clock(tree: Tree, name: str, facts: Facts) -> Facts:
    """Each piece of such a recording carries the time at which it was made, in NTP seconds, so in UTC. The last of them
    is the end, some seconds early. Where only the first bytes are here, the beginning is at least told."""
    first = NTP.search(tree.head(name, CLOCK_BYTES))
    if first is None:
        return facts
    began = NTP_EPOCH + timedelta(seconds=int(first[1]))
    if not tree.is_whole:
        return facts.noting(f"By its own clock the recording began on {format_time(began)}.")
    clocks = NTP.findall(tree.tail(name, CLOCK_BYTES))
    ended = NTP_EPOCH + timedelta(seconds=int(clocks[-1])) if clocks else began
    if not began < ended <= began + LONGEST:
        return facts
    words = f"{base(name)}: the end was taken from the recording's own clock, which stops at {ended:%H:%M:%S} UTC."
    return replace(facts, ended_at=ended).noting(words)
