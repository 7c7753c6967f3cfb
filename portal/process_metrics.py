"""Add up the counts of a process and its children (archive/metrics.py).

gunicorn and Celery fork children, and each child counts in files of its own (prometheus-client's multi-process mode).
The parent adds the counts up when it is scraped (portal/metrics_server.py).

`prepare` must run before anything imports prometheus_client, which chooses its mode at import. Commands don't call it.
"""

import atexit
import fcntl
import os
import shutil
import struct
import tempfile
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import structlog

from portal import processes

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
PREFIX, LOCK = "spacekeep-metrics-", "lock"
# These count nothing. On one host they could take a METRICS_PORT that is set for all; health serves metrics at its own
# address.
WITHOUT_PORT = {processes.HEALTH, processes.BEAT, processes.SETUP}
UNREADABLE = (struct.error, RuntimeError, ValueError, OSError)  # for files that are incomplete, or were just removed
PAUSES = (0.05, 0.1, 0.2)  # seconds between attempts to read the files
ADDED_UP = ("counter", "histogram", "summary")  # kinds of files whose counts stay when their process ends
NOBODY = 0  # instead of a process id: no child has this one
ABANDONED_SECONDS = 60  # minimum age of a folder without a lock: a new folder has no lock yet

# Without `prepare`, prometheus_client must not see this variable: each command would leave a file there.
_base = os.environ.pop(FOLDER, "") or None
_adding = threading.Lock()

logger = structlog.get_logger()


def is_on() -> bool:
    """Whether this process has a port for its metrics."""
    port, process = (os.environ.get(name, "").strip() for name in ("METRICS_PORT", "PROCESS"))
    return port not in ("", "0") and process not in WITHOUT_PORT


@cache
def prepare() -> None:
    """Create a folder for this process and its children, below FOLDER or the system's folder for temporary files. It is
    removed when the process ends; folders of killed processes are removed here."""
    if not is_on():
        return
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_base))
    _lock(folder / LOCK)
    _remove_abandoned(folder.parent)
    os.environ[FOLDER] = str(folder)
    atexit.register(_remove, folder, os.getpid())


def collect() -> bytes:
    """Return the counts of this process and its children, as text. Raises one of UNREADABLE.

    A child may be creating a file: it is empty for an instant, and prometheus-client fails on it.
    """
    from prometheus_client import CollectorRegistry, generate_latest, multiprocess  # noqa: PLC0415  (after `prepare`)

    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    with _adding:
        _add_up_ended()
        for pause in PAUSES:
            try:
                return generate_latest(registry)
            except UNREADABLE:
                time.sleep(pause)
        return generate_latest(registry)


def tidy() -> None:
    """Merge files of ended children. Called periodically, because there may be no scrapes. Errors are retried at the
    next scrape."""
    try:
        with _adding:
            _add_up_ended()
    except UNREADABLE as error:
        logger.warning("metrics_untidy", error=repr(error))


def _add_up_ended() -> None:
    """Merge the counts of ended children into one file of each kind, and remove theirs. Otherwise a worker that
    replaces its children would collect more and more files, and each scrape reads all of them."""
    for path in Path(os.environ[FOLDER]).glob("*_*.db"):
        kind, _, number = path.stem.rpartition("_")
        if not number.isdigit() or int(number) == NOBODY or _is_alive(int(number)):
            continue
        if kind in ADDED_UP:
            _add_up(path, path.with_name(f"{kind}_{NOBODY}.db"))
        path.unlink(missing_ok=True)  # gauges too: they describe a process that has ended


def _add_up(path: Path, total: Path) -> None:
    from prometheus_client.mmap_dict import MmapedDict  # noqa: PLC0415

    try:
        values = list(MmapedDict.read_all_values_from_file(path))  # type: ignore[no-untyped-call]
    except UNREADABLE as error:  # killed while it created the file
        logger.warning("metrics_lost", file=path.name, error=repr(error))
        return
    totals = MmapedDict(str(total))  # type: ignore[no-untyped-call]
    for key, value, at, _ in values:
        before, _ = totals.read_value(key)  # type: ignore[no-untyped-call]
        totals.write_value(key, before + value, at)  # type: ignore[no-untyped-call]
    totals.close()  # type: ignore[no-untyped-call]


def _is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _lock(path: Path) -> int | None:
    """Lock a file for as long as this process or a child of it lives. Returns None if others hold the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of processes that were killed. Other machines may share `parent`: a lock holds there too."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # it belongs to another user, or another process is removing it
            if time.time() - folder.stat().st_mtime < ABANDONED_SECONDS:
                continue
            descriptor = _lock(folder / LOCK)
            if descriptor is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(descriptor)


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
