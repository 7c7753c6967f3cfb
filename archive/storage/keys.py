"""Object keys. All objects of a Space have one prefix, so deleting a Space means emptying a prefix."""

from datetime import UTC, datetime
from uuid import UUID

REHEARSAL = "rehearsal/"  # test objects of trials.py and locked.py; no Space is ever stored there
SPACES = "spaces/"
EXPORTS = "exports/"
INBOX = "inbox/"  # where recorders drop recordings (archive/intake/arrivals/inbox_scan.py); no Space is stored there

LOG = "log/"  # the tree over the retention log (archive/transparency/): it outlives every Space


def prefix(space: UUID) -> str:
    return f"{SPACES}{space}/"


def prefix_of(key: str) -> str:
    """Return the prefix to empty for this key: `spaces/<id>/`, or the whole key of an export part."""
    return "".join(key.partition("/")[:2]) + "".join(key.partition("/")[2].partition("/")[:2])


def root_of(key: str) -> str:
    """Return the top-level folder of a key or prefix: SPACES or EXPORTS."""
    return "".join(key.partition("/")[:2])


def space_of(key: str) -> UUID | None:
    """Return the Space that a key or prefix belongs to, or None if the key does not follow our scheme."""
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
    """Key of an uploaded transcript until a worker has imported it; the result is stored under `transcript`."""
    return f"{prefix(space)}incoming/{upload}"


def peaks(space: UUID) -> str:
    return f"{prefix(space)}derived/peaks.json"


def access_copy(space: UUID) -> str:
    return f"{prefix(space)}derived/access-copy.m4a"


def bundle(space: UUID, bundle: UUID) -> str:
    return f"{prefix(space)}bundles/{bundle}.zip"


def export_part(part: UUID) -> str:
    """Key of an export part. It holds several Spaces, so deletion checks it too (archive/export_revocation.py)."""
    return f"{EXPORTS}{part}.zip"


def export_part_of(key: str) -> UUID | None:
    """Return the export part that a key belongs to, or None if the key does not follow our scheme."""
    try:
        part = UUID(key.removeprefix(EXPORTS).removesuffix(".zip"))
    except ValueError:
        return None
    return part if key == export_part(part) else None


def is_rehearsal(key: str) -> bool:
    """Return whether this is a test object, not data."""
    return key.startswith(REHEARSAL)


def inbox(recorder: str) -> str:
    """Return the prefix of a recorder's inbox. `recorder`: the public prefix of its token, skr_..."""
    return f"{INBOX}{recorder}/"


def is_in_inbox(key: str) -> bool:
    """Return whether the object belongs to a recorder, who may write and remove it at any time."""
    return key.startswith(INBOX)


def log_object(name: str) -> str:
    """Return the key of a tile or the checkpoint: `name` is its path in c2sp.org/tlog-tiles."""
    return f"{LOG}{name}"


def certificate_copy(space: UUID) -> str:
    """Return the key of the copy of a deletion certificate, which outlives the database. It is outside of the Space's
    prefix, which stays empty."""
    return log_object(f"certificates/{space}.json")


def is_of_log(key: str) -> bool:
    return key.startswith(LOG)


CHECKPOINTS = "checkpoints/"  # in the second bucket, which has nothing else


def checkpoint_copy(size: int, at: datetime) -> str:
    """Return the key of a checkpoint in the second bucket. Keys sort by size, then by time."""
    return f"{CHECKPOINTS}{checkpoint_name(size, at)}"


def checkpoint_name(size: int, at: datetime) -> str:
    """Return `<size>-<time>` for a checkpoint that was signed `at`."""
    return f"{size:015d}-{at.astimezone(UTC):%Y%m%dT%H%M%S%fZ}"


def checkpoint_copies_of(size: int) -> str:
    """Return the beginning of all keys of checkpoints of this size. Keys of smaller ones sort before it."""
    return f"{CHECKPOINTS}{size:015d}"
