"""twspace-dl: "(<host>)<title>-<id>.m4a" and, beside it, the metadata as JSON.

The shape, as HoloArchivists/twspace-dl writes it: twspace_dl/__main__.py ("<name>.json", the whole answer of X) and
twspace_dl/twspace.py (data.audioSpace.metadata with title, state, started_at, creator_results; names of files are made
there, and `start_date` is the start in local time without a zone, so it is never used). Types are those that
yuseisui/twspaces found (src/types/metadata.ts and participants.ts: created_at and started_at are numbers, ended_at is
text, all in ms). The numbers of conversation_controls are those of X's own web client (read in DzikStar/X-SCRAPER,
client-web, bundle AudioSpaceDetail: "Everyone: 2, FollowedOnly: 1, InvitedOnly: 0").

participants.listeners is never read: those who listened are two numbers here, and no names.
"""

from collections.abc import Iterator

from archive.intake.importers import captions
from archive.intake.importers.facts import Facts, ImportCandidate, Reader
from archive.intake.importers.tree import Tree, folder, stem
from archive.intake.importers.values import dig, items, language, short, text

SOURCE = "twspace-dl"
AUDIENCES = {0: "invited", 1: "followed", 2: "everyone"}


def find(tree: Tree, sounds: list[str]) -> list[ImportCandidate]:
    """Recordings with such metadata in the same folder: of the same name, or with its id in their name, or the only
    recording beside the only metadata."""
    found = []
    for place in sorted({folder(name) for name in sounds}):
        here = [name for name in sounds if folder(name) == place]
        described = [(name, space) for name, said in tree.documents(place) if (space := _space(said)) is not None]
        for sound in here:
            fits = [pair for pair in described if _is_of(sound, *pair)]
            if not fits and len(here) == len(described) == 1:
                fits = described
            if fits:
                found.append(ImportCandidate(tree, sound, _facts(*fits[0]), captions.beside(tree, sound)))
    return found


def _space(said: object) -> dict[str, object] | None:
    space = dig(said, "data", "audioSpace")
    return space if isinstance(space, dict) and isinstance(space.get("metadata"), dict) else None


def _is_of(sound: str, name: str, space: dict[str, object]) -> bool:
    key = text(dig(space, "metadata", "rest_id"))
    return stem(name) == stem(sound) or (len(key) > 9 and key in stem(sound))


def _facts(name: str, space: dict[str, object]) -> Facts:
    reader, said = Reader(name), space["metadata"]
    ended_at = reader.end(dig(said, "ended_at"), "ended_at")
    if ended_at is None and dig(said, "state") == "Running":
        reader.note("it was written while the Space was live.")
    host = _marks(dig(said, "creator_results", "result"))
    people = {role: list(_people(dig(space, "participants", role))) for role in ("admins", "speakers")}
    cohosts = [(person, marks) for person, marks in people["admins"] if not marks & host]
    hosts = host.union(*(marks for _, marks in cohosts))
    return Facts(
        SOURCE,
        title=text(dig(said, "title")),
        ended_at=ended_at,
        audience=_audience(dig(said, "conversation_controls"), reader),
        cohosts=reader.cohosts(person for person, _ in cohosts),
        speakers=reader.speakers(person for person, marks in people["speakers"] if not marks & hosts),
        listeners_total=reader.number(dig(said, "total_live_listeners"), "total_live_listeners"),
        language=language(dig(said, "language")),
        notes=tuple(reader.notes),
    )


def _people(said: object) -> Iterator[tuple[str, set[str]]]:
    """(name as it was shown, what tells them apart from others)."""
    for person in items(said):
        name = text(dig(person, "display_name"), 100) or text(dig(person, "twitter_screen_name"), 100)
        if name:
            yield name, _marks(person)


def _marks(person: object) -> set[str]:
    """Account number and account name, where they are given: in a host they lie elsewhere than in a participant."""
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
        reader.note(f"its conversation_controls is {short(value)}; who could talk is left open.")
    return audience
