"""LiveKit egress: an audio file, and the JSON that tells of it.

The shape, as livekit/protocol defines it (protobufs/livekit_egress.proto: EgressInfo and FileInfo; times are int64 in
ns since 1970, which protobuf writes in JSON as text), with both spellings that its JSON has: file_results, as the API
answers, and fileResults, as webhooks and SDKs write. Also the manifest that livekit/egress puts beside the file
(pkg/config/manifest.go: egress_id, room_name, started_at, ended_at, files).
"""

from collections.abc import Iterator

from archive.formatting import format_size
from archive.intake.importers import captions
from archive.intake.importers.facts import Facts, ImportCandidate, Reader
from archive.intake.importers.tree import Tree, base
from archive.intake.importers.values import count, dig, instant, items, short, text

SOURCE = "LiveKit egress"
WHOLE = ("EGRESS_COMPLETE", 3)  # by name, and as some SDKs write enums


def find(tree: Tree, sounds: list[str]) -> list[ImportCandidate]:
    """The recordings that some egress result names as its file, in the same folder or below it."""
    left, found = list(sounds), []
    for place in sorted(_places(sounds)):
        for name, said in tree.documents(place):
            for result in _results(said):
                for file in _files(result):
                    sound = _named(file, place, left)
                    if sound is not None:
                        left.remove(sound)
                        facts = _facts(tree, name, result, file, sound)
                        found.append(ImportCandidate(tree, sound, facts, captions.beside(tree, sound)))
    return found


def _places(sounds: list[str]) -> set[str]:
    """The folders that recordings lie in, and those above them."""
    places: set[str] = set()
    for name in sounds:
        parts = name.split("/")[:-1]
        places |= {"/".join(parts[:depth]) for depth in range(len(parts) + 1)}
    return places


def _get(value: object, key: str) -> object:
    """A field by its name in the .proto, in either of the two spellings that JSON has for it."""
    first, *rest = key.split("_")
    camel = first + "".join(word.capitalize() for word in rest)
    plain = dig(value, key)
    return plain if plain is not None else dig(value, camel)


def _results(said: object) -> Iterator[object]:
    """EgressInfo alone, in the event of a webhook, or in the list that ListEgress answers."""
    for result in (said, _get(said, "egress_info"), *items(dig(said, "items"))):
        if text(_get(result, "egress_id")):
            yield result


def _files(result: object) -> Iterator[object]:
    yield from items(_get(result, "file_results"))
    yield from items(dig(result, "files"))  # the manifest's word for it
    if isinstance(dig(result, "file"), dict):  # the older field
        yield dig(result, "file")


def _named(file: object, place: str, sounds: list[str]) -> str | None:
    """The recording that has the name that LiveKit gave it: with its folders, or wherever it was moved to from here."""
    wanted = text(dig(file, "filename"), 1000) or text(dig(file, "location"), 1000).partition("?")[0]
    if not wanted:
        return None
    last = wanted.rpartition("/")[2]
    below = [name for name in sounds if not place or name.startswith(f"{place}/")]
    fits = [name for name in below if name.rpartition("/")[2] == last]
    return min(
        fits, key=lambda name: (not f"/{name}".endswith(f"/{wanted.lstrip('/')}"), name.count("/")), default=None
    )


def _facts(tree: Tree, name: str, result: object, file: object, sound: str) -> Facts:
    reader = Reader(name)
    own = dig(file, "ended_at") if dig(file, "ended_at") is not None else dig(file, "endedAt")
    ended_at = instant(own) or reader.end(_get(result, "ended_at"), "ended_at")
    status = _get(result, "status")
    if status is not None and status not in WHOLE:
        reader.note(f"LiveKit says of it: {short(status)}. It may not be complete.")
    expected, there = count(dig(file, "size")), tree.size(sound)
    if expected and tree.is_whole and expected != there:
        reader.note(f"it says that {base(sound)} has {format_size(expected)}, but it has {format_size(there)}.")
    return Facts(SOURCE, title=text(_get(result, "room_name")), ended_at=ended_at, notes=tuple(reader.notes))
