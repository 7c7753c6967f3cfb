"""What tests of bundles share."""

import hashlib
import io
import zipfile
from pathlib import Path

from archive.bundles.build import build, request
from archive.bundles.upkeep import clear
from archive.log import SYSTEM
from archive.models import Bundle, LogEntry, Space
from archive.storage import keys, store


def built(space: Space) -> Bundle:
    bundle = request(space.pk, SYSTEM)
    assert build(bundle.pk)
    bundle.refresh_from_db()
    return bundle


def downloaded(bundle: Bundle) -> bytes:
    assert bundle.size is not None
    return store().read(bundle.key, 0, bundle.size, bundle.etag)


def unpacked(space: Space, folder: Path) -> Path:
    """The one folder that is in its bundle, written out below `folder`."""
    with zipfile.ZipFile(io.BytesIO(downloaded(built(space)))) as found:
        found.extractall(folder)
    (top,) = folder.iterdir()
    return top


def failed(bundle: Bundle) -> str:
    """Its reason. Nothing of it is left in the store once the dispatcher came by, and the log has it once."""
    bundle.refresh_from_db()
    assert (bundle.state, bundle.cleared) == ("failed", False)
    assert clear(Bundle, bundle.pk)
    assert not clear(Bundle, bundle.pk)
    assert not store().listing(keys.bundle(bundle.space_id, bundle.pk))
    assert LogEntry.objects.filter(event="bundle.failed", detail__bundle=str(bundle.pk)).count() == 1
    return bundle.problem


def crc_is_right(bundle: Bundle) -> None:
    """Python's own reader finds every member as its header says, and the SHA-256 is that of the file."""
    data = downloaded(bundle)
    assert hashlib.sha256(data).hexdigest() == bundle.sha256
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
