"""Import twspace-dl downloads: "(<host>)<title>-<id>.m4a" and, beside it, the metadata as JSON.

The format, as HoloArchivists/twspace-dl writes it: twspace_dl/__main__.py ("<name>.json", X's whole response) and
twspace_dl/twspace.py (data.audioSpace.metadata with title, state, started_at, creator_results; it also builds file
names, and its `start_date` is the start in local time without a zone, so it is never used). Types are those of
yuseisui/twspaces (src/types/metadata.ts and participants.ts: created_at and started_at are numbers, ended_at is text,
all in ms). The numbers of conversation_controls are those of X's own web client (as in DzikStar/X-SCRAPER, client-web,
bundle AudioSpaceDetail: "Everyone: 2, FollowedOnly: 1, InvitedOnly: 0").

participants.listeners is never read: the archive stores two listener counts and no listener names.
"""

from collections.abc import Iterator

from django.utils.translation import gettext

from archive.intake.importers.facts import Facts, ImportCandidate, Reader
from archive.intake.importers.tree import Tree, folder, stem
from archive.intake.importers.values import dig, items, language, short, text

SOURCE = "twspace-dl"
AUDIENCES = {0: "invited", 1: "followed", 2: "everyone"}


def find(tree: Tree, sounds: list[str]) -> list[ImportCandidate]:
    """Find recordings with metadata in the same folder.

    They belong together if they have the same name, if the recording's name contains the metadata's id, or if the
    folder has one of each.
    """
    found = []
    for directory in sorted({folder(name) for name in sounds}):
        recordings = [name for name in sounds if folder(name) == directory]
        metadata = [
            (name, space) for name, document in tree.documents(directory) if (space := _space(document)) is not None
        ]
        for sound in recordings:
            fits = [pair for pair in metadata if _is_of(sound, *pair)]
            if not fits and len(recordings) == len(metadata) == 1:
                fits = metadata
            if fits:
                found.append(ImportCandidate(tree, sound, _facts(*fits[0]), metadata=(fits[0][0],)))
    return found


def _space(document: object) -> dict[str, object] | None:
    space = dig(document, "data", "audioSpace")
    return space if isinstance(space, dict) and isinstance(space.get("metadata"), dict) else None


def _is_of(sound: str, name: str, space: dict[str, object]) -> bool:
    key = text(dig(space, "metadata", "rest_id"))
    return stem(name) == stem(sound) or (len(key) > 9 and key in stem(sound))


def _facts(name: str, space: dict[str, object]) -> Facts:
    reader, metadata = Reader(name), space["metadata"]
    ended_at = reader.end(dig(metadata, "ended_at"), "ended_at")
    if ended_at is None and dig(metadata, "state") == "Running":
        reader.note(gettext("it was written while the Space was live."))
    host = _identifiers(dig(metadata, "creator_results", "result"))
    people = {role: list(_people(dig(space, "participants", role))) for role in ("admins", "speakers")}
    cohosts = [(person, identifiers) for person, identifiers in people["admins"] if not identifiers & host]
    hosts = host.union(*(identifiers for _, identifiers in cohosts))
    return Facts(
        SOURCE,
        title=text(dig(metadata, "title")),
        ended_at=ended_at,
        audience=_audience(dig(metadata, "conversation_controls"), reader),
        cohosts=reader.cohosts(person for person, _ in cohosts),
        speakers=reader.speakers(person for person, identifiers in people["speakers"] if not identifiers & hosts),
        listeners_total=reader.number(dig(metadata, "total_live_listeners"), "total_live_listeners"),
        language=language(dig(metadata, "language")),
        notes=tuple(reader.notes),
    )


def _people(participants: object) -> Iterator[tuple[str, set[str]]]:
    """Yield (display name, identifiers)."""
    for person in items(participants):
        name = text(dig(person, "display_name"), 100) or text(dig(person, "twitter_screen_name"), 100)
        if name:
            yield name, _identifiers(person)


def _identifiers(person: object) -> set[str]:
    """Return the account's number and name, if given. Hosts have them in other fields than participants."""
    numbers = [dig(person, "rest_id"), dig(person, "user", "rest_id"), dig(person, "user_results", "rest_id")]
    numbers += [dig(person, "user_results", "result", "rest_id")]
    names = [
        dig(person, "twitter_screen_name"),
        dig(person, "legacy", "screen_name"),
        dig(person, "core", "screen_name"),
    ]
    return {mark for value in numbers if (mark := text(value))} | {f"@{n.lower()}" for v in names if (n := text(v))}


def _audience(value: object, reader: Reader) -> str:
    if value is None:
        return ""
    audience = AUDIENCES.get(value, "") if isinstance(value, int) and not isinstance(value, bool) else ""
    if not audience:
        sentence = gettext("its conversation_controls is {value}; who could speak is left open.")
        reader.note(sentence.format(value=short(value)))
    return audience
