"""The names of objects. Everything of a Space lies under one prefix, so that deleting is emptying a prefix."""

from uuid import UUID

REHEARSAL = "rehearsal/"  # what the store is tried with; no Space is ever there
SPACES = "spaces/"
EXPORTS = "exports/"


def prefix(space: UUID) -> str:
    return f"{SPACES}{space}/"


def prefix_of(key: str) -> str:
    """The prefix that a key of a Space lies under: its first two parts. Of a part's key all of it."""
    return "".join(key.partition("/")[:2]) + "".join(key.partition("/")[2].partition("/")[:2])


def root_of(key: str) -> str:
    """The folder at the top that it lies in: SPACES, VOLUMES."""
    return "".join(key.partition("/")[:2])


def space_of(key: str) -> UUID | None:
    """The Space that a key (or a prefix) belongs to; None where it is no name of ours."""
    try:
        space = UUID(key.removeprefix(SPACES).partition("/")[0])
    except ValueError:
        return None
    return space if key.startswith(prefix(space)) else None


def recording(space: UUID, number: int, extension: str) -> str:
    return f"{prefix(space)}recording/{number}.{extension}"


def transcript(space: UUID, name: str, language: str) -> str:
    return f"{prefix(space)}transcript/{name}.{language}.vtt"


def incoming(space: UUID, upload: UUID) -> str:
    """Where an uploaded transcript waits to be read; what is kept of it goes to `transcript`."""
    return f"{prefix(space)}incoming/{upload}"


def peaks(space: UUID) -> str:
    return f"{prefix(space)}derived/peaks.json"


def access_copy(space: UUID) -> str:
    return f"{prefix(space)}derived/listening.m4a"


def bundle(space: UUID, bundle: UUID) -> str:
    return f"{prefix(space)}bundles/{bundle}.zip"


def export_part(part: UUID) -> str:
    """Of several Spaces, so below none of them: a deletion looks here as well (archive/export_revocation.py)."""
    return f"{EXPORTS}{part}.zip"


def export_part_of(key: str) -> UUID | None:
    """The part whose key this is; None where it is no name of ours."""
    try:
        found = UUID(key.removeprefix(EXPORTS).removesuffix(".zip"))
    except ValueError:
        return None
    return found if key == export_part(found) else None


def is_rehearsal(key: str) -> bool:
    """Whether the store was tried with it."""
    return key.startswith(REHEARSAL)
