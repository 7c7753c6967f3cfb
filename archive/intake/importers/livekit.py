"""Import LiveKit egress results: an audio file and JSON that describes it.

The format, as livekit/protocol defines it (protobufs/livekit_egress.proto: EgressInfo and FileInfo; times are int64 in
ns since 1970, which protobuf writes in JSON as text), in both spellings of its JSON: file_results in API responses,
fileResults in webhooks and SDKs. Also the manifest that livekit/egress writes beside the file
(pkg/config/manifest.go: egress_id, room_name, started_at, ended_at, files).
"""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from archive.formatting import format_size
from archive.intake.importers.facts import Facts, ImportCandidate, Reader
from archive.intake.importers.tree import Tree, base
from archive.intake.importers.values import count, dig, instant, items, short, text

SOURCE = "LiveKit egress"
COMPLETE = ("EGRESS_COMPLETE", 3)  # the name, and the number that some SDKs write


def find(tree: Tree, sounds: list[str]) -> list[ImportCandidate]:
    """Find the recordings that an egress result names as its file, in the result's folder or below it."""
    left, found = list(sounds), []
    for directory in sorted(_directories(sounds)):
        for name, document in tree.documents(directory):
            for result in _results(document):
                for file in _files(result):
                    sound = _match_recording(file, directory, left)
                    if sound is not None:
                        left.remove(sound)
                        facts = _facts(tree, name, result, file, sound)
                        found.append(ImportCandidate(tree, sound, facts, metadata=(name,)))
    return found


def _directories(sounds: list[str]) -> set[str]:
    """Return the folders of the recordings and all their parents."""
    directories: set[str] = set()
    for name in sounds:
        parts = name.split("/")[:-1]
        directories |= {"/".join(parts[:depth]) for depth in range(len(parts) + 1)}
    return directories


def _get(value: object, key: str) -> object:
    """Get a field by its name in the .proto, in either spelling of JSON."""
    first, *rest = key.split("_")
    camel = first + "".join(word.capitalize() for word in rest)
    plain = dig(value, key)
    return plain if plain is not None else dig(value, camel)


def _results(document: object) -> Iterator[object]:
    """Yield each EgressInfo: the document itself, or those in a webhook's event or a ListEgress response."""
    for result in (document, _get(document, "egress_info"), *items(dig(document, "items"))):
        if text(_get(result, "egress_id")):
            yield result


def _files(result: object) -> Iterator[object]:
    yield from items(_get(result, "file_results"))
    yield from items(dig(result, "files"))  # its name in the manifest
    if isinstance(dig(result, "file"), dict):  # the older field
        yield dig(result, "file")


def _match_recording(file: object, directory: str, sounds: list[str]) -> str | None:
    """Return the recording with the name that LiveKit gave the file. Prefers one in the same folders."""
    wanted = text(dig(file, "filename"), 1000) or text(dig(file, "location"), 1000).partition("?")[0]
    if not wanted:
        return None
    last = wanted.rpartition("/")[2]
    below = [name for name in sounds if not directory or name.startswith(f"{directory}/")]
    fits = [name for name in below if name.rpartition("/")[2] == last]
    return min(
        fits, key=lambda name: (not f"/{name}".endswith(f"/{wanted.lstrip('/')}"), name.count("/")), default=None
    )


def _facts(tree: Tree, name: str, result: object, file: object, sound: str) -> Facts:
    reader = Reader(name)
    file_end = dig(file, "ended_at") if dig(file, "ended_at") is not None else dig(file, "endedAt")
    ended_at = instant(file_end) or reader.end(_get(result, "ended_at"), "ended_at")
    status = _get(result, "status")
    if status is not None and status not in COMPLETE:
        sentence = _("LiveKit reports its status as {status}. It may not be complete.")
        reader.note(sentence.format(status=short(status)))
    expected, size = count(dig(file, "size")), tree.size(sound)
    if expected and tree.is_whole and expected != size:
        sentence = _("{file} should have {expected}, but has {size}.")
        reader.note(sentence.format(file=base(sound), expected=format_size(expected), size=format_size(size)))
    return Facts(SOURCE, title=text(_get(result, "room_name")), ended_at=ended_at, notes=tuple(reader.notes))
