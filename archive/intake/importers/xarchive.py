"""Import an X data archive: data/spaces_media/space-<id>.ts, described by data/spaces-metadata.js.

The format, as the archive's own README.txt documents it (in a public copy; "spaces-metadata.js: id, creatorUserId,
hostUserIds, speakers, createdAt, endedAt, totalParticipating, totalParticipated, invitedUserIds"), as the manifest in
rust-utilities/twitter-archive has it ("data/spaces-metadata.js", "YTD.spaces_metadata.part0"), and as simonw/til
shows a real recording (twitter/export-edit-twitter-spaces.md: "space-1ypKdEXvkMLGW_0.ts", whose ID3 tags carry its
clock: {"HydraVersion":4,"ntp":3856965984.391}).

It has no titles, and only account numbers of people. The format of its times is not documented: this module accepts
numbers since 1970 and ISO 8601 with a zone.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext, ngettext

from archive.errors import Problem, Unreadable, make_problem
from archive.formatting import format_time
from archive.intake.importers.facts import Facts, ImportCandidate, Reader, about
from archive.intake.importers.tree import Tree, base, folder
from archive.intake.importers.values import dig, document, items, language, text

SOURCE = "X data archive"
RECORDING = re.compile(r"(?:^|/)space-(?P<id>[A-Za-z0-9]+)(?:_\d+)?\.ts$")
METADATA = re.compile(r"(?:^|/)spaces-metadata(?:-part\d+)?\.js$")
LAYOUT = re.compile(r"(?:^|/)(?:data/)?(?P<inside>spaces_media/|(?<=data/)spaces-metadata[^/]*\.js$)")
SCRIPT = re.compile(rb"\s*window\.YTD\.\w+\.part\d+\s*=\s*")  # the file is JavaScript that sets a variable

NTP = re.compile(rb'"ntp"\s*:\s*(\d{10})(?:\.\d{1,9})?\s*[,}]')  # seconds since 1900
NTP_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)
CLOCK_BYTES = 256 * 1024  # the clock tags are a few seconds apart, about 30 kB
LONGEST = timedelta(hours=48)  # from the first clock of one recording to its last


# id of a Space -> (name of the metadata file, its entry for the Space)
Metadata = dict[str, tuple[str, object]]


def find(tree: Tree, sounds: list[str]) -> list[ImportCandidate]:
    """Find the recordings among `sounds` that are named as in an archive."""
    mine = [(name, match["id"]) for name in sounds if (match := RECORDING.search(name))]
    if not mine and tree.is_whole:
        return []
    metadata, notes = _read_metadata(tree)
    if not mine:
        return _guess_space(tree, sounds, metadata, notes)
    parts = [key for _, key in mine]
    return [_build_candidate(tree, name, metadata.get(key), notes, parts.count(key)) for name, key in mine]


def outside(tree: Tree, sounds: list[str]) -> list[str]:
    """Return the recordings outside of archives' data folders: media from messages are not Spaces."""
    inside = _data_folders(tree)
    return [name for name in sounds if not name.startswith(inside)] if inside else sounds


def find_unrelated(tree: Tree) -> set[str]:
    """Return the files of archives that are not about Spaces. They are never opened: there may be 100,000."""
    inside = _data_folders(tree)
    media = {folder(name) for name in tree.names if RECORDING.search(name)}
    return {
        name
        for name in tree.names
        if inside and name.startswith(inside) and folder(name) not in media and not METADATA.search(name)
    }


def explain(tree: Tree, candidates: list[ImportCandidate]) -> dict[str, Problem]:
    """Return why recordings inside of archives were not used."""
    taken = {candidate.recording for candidate in candidates}
    outside_names = set(outside(tree, tree.names))
    left = [name for name in tree.sounds() if name not in taken and name not in outside_names]
    read = {name for candidate in candidates for name in candidate.metadata}
    of_others = [name for name in tree.names if METADATA.search(name) and name not in read | tree.faults.keys()]
    return dict.fromkeys(left, make_problem("import.not_about_spaces")) | dict.fromkeys(
        of_others, make_problem("import.metadata_of_others")
    )


def _data_folders(tree: Tree) -> tuple[str, ...]:
    """Return the archives' data folders, each with a "/" at its end.

    Metadata outside of these folders may have been copied beside any recording.
    """
    return tuple({name[: match.start("inside")] for name in tree.names if (match := LAYOUT.search(name))})


def _guess_space(tree: Tree, sounds: list[str], metadata: Metadata, notes: list[str]) -> list[ImportCandidate]:
    """Match metadata with a recording of another name, or with none yet, as on the upload page."""
    if not any(METADATA.search(name) for name in tree.names):
        return []
    if len(metadata) == 1:
        (only,) = metadata.values()
        return [_build_candidate(tree, sounds[0], only, [], 1)]
    note = ngettext(
        "The metadata has {count} Space. Name the recording space-<id>.ts to choose one.",
        "The metadata has {count} Spaces. Name the recording space-<id>.ts to choose one.",
        len(metadata),
    ).format(count=len(metadata))
    return [ImportCandidate(tree, sounds[0], Facts(SOURCE, notes=tuple(notes or [note])))]


def _read_metadata(tree: Tree) -> tuple[Metadata, list[str]]:
    """Return the metadata and notes on files that can't be read."""
    metadata: Metadata = {}
    notes = []
    for name in filter(METADATA.search, tree.names):
        try:
            data = tree.read(name)
            content = document(data[match.end() :] if (match := SCRIPT.match(data)) else data, base(name))
        except Unreadable as error:
            tree.faults[name] = error.problem
            notes.append(str(error))
            continue
        for entry in items(content):
            space = entry
            if isinstance(entry, dict) and "id" not in entry and len(entry) == 1:  # wrapped in another object
                space = next(iter(entry.values()))
            if key := text(dig(space, "id")):
                metadata[key] = (name, space)
    return metadata, notes


def _build_candidate(
    tree: Tree, name: str, entry: tuple[str, object] | None, notes: list[str], parts: int
) -> ImportCandidate:
    readable = [file for file in tree.names if METADATA.search(file) and file not in tree.faults]
    files = [entry[0]] if entry else readable
    facts = _facts(*entry) if entry else Facts(SOURCE, notes=tuple(notes) or _note_no_metadata(name))
    if facts.ended_at is None:
        facts = _read_clock(tree, name, facts)
    if parts > 1:
        sentence = gettext("the archive has this Space in {count} files; each becomes one Space.")
        facts = facts.noting(about(name, sentence.format(count=parts)))
    return ImportCandidate(tree, name, facts, metadata=tuple(sorted(files)))


def _note_no_metadata(name: str) -> tuple[str]:
    return (about(name, gettext("no spaces-metadata.js describes it.")),)


def _facts(name: str, space: object) -> Facts:
    reader = Reader(name)
    ended_at = reader.end(dig(space, "endedAt"), "endedAt")
    people = {key for person in items(dig(space, "speakers")) if (key := text(dig(person, "userId")))}
    if people:
        sentence = ngettext(
            "it lists {count} speaker by account number only, not by name.",
            "it lists {count} speakers by account number only, not by name.",
            len(people),
        )
        reader.note(sentence.format(count=len(people)))
    return Facts(
        SOURCE,
        title=text(dig(space, "title")),
        ended_at=ended_at,
        listeners_total=reader.number(dig(space, "totalParticipated"), "totalParticipated"),
        language=language(dig(space, "language")),
        notes=tuple(reader.notes),
    )


def _read_clock(tree: Tree, name: str, facts: Facts) -> Facts:
    """Take the end from the recording's own clock.

    Each piece of the recording has a tag with its time in NTP seconds, which are UTC. The last one is the end, a few
    seconds early. If only the first bytes are available, a note gives the beginning.
    """
    first = NTP.search(tree.head(name, CLOCK_BYTES))
    if first is None:
        return facts
    began = NTP_EPOCH + timedelta(seconds=int(first[1]))
    if not tree.is_whole:
        sentence = gettext("By its own clock, the recording began on {time}.")
        return facts.noting(sentence.format(time=format_time(began)))
    clocks = NTP.findall(tree.tail(name, CLOCK_BYTES))
    ended = NTP_EPOCH + timedelta(seconds=int(clocks[-1])) if clocks else began
    if not began < ended <= began + LONGEST:
        return facts
    sentence = gettext("the end was taken from the recording's own clock, which stops at {time} UTC.")
    return replace(facts, ended_at=ended).noting(about(name, sentence.format(time=f"{ended:%H:%M:%S}")))
