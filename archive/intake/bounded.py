"""Run a function on untrusted files in a process with limits, so that they can harm nothing else in the web process.

The process is a fork: it starts in milliseconds, with everything imported. It may read the memory of its parent, and
use a limited time and memory of its own. It has none of our files and connections, and writes its answer as JSON into a
pipe: {"answer": ...}, or {"failed": "TypeError", "at": "values.py:31"} for a bug of ours.
"""

import json
import os
import resource
import select
import signal
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import structlog
from django.core.serializers.json import DjangoJSONEncoder

from archive.errors import InspectionFailed, Refused, TooManyRequests, locate
from archive.intake.audio.decoder.confine import end_with

CPU_SECONDS = 4
SECONDS = 20.0  # of wall time: processes that serve pages have priority
MEMORY_BYTES = 512 * 1024**2  # in addition to what the web process had
ANSWER_BYTES = 4 * 1024**2
NICE = 10
AT_ONCE = 2  # in each web process; others wait

logger = structlog.get_logger()

_turns = threading.BoundedSemaphore(AT_ONCE)


def run_bounded(work: Callable[[], object]) -> Any:
    """Return the result of `work`, which must be JSON. `work` must not use the database, nor any other connection.

    Raises Refused if it needs too much time or memory, or dies; InspectionFailed if it raises another error;
    TooManyRequests if too many run at the same time.
    """
    ends_at = time.monotonic() + SECONDS
    if not _turns.acquire(timeout=SECONDS):
        raise TooManyRequests("import.busy", seconds=int(SECONDS))
    try:
        answer = _read_answer(work, ends_at)
    finally:
        _turns.release()
    try:
        report: dict[str, Any] = json.loads(answer)
    except ValueError:  # the answer is empty or incomplete
        raise Refused("import.too_complex") from None
    if "failed" in report:
        logger.error("inspection_failed", error=report["failed"], at=report["at"])
        raise InspectionFailed("import.failed", error=report["failed"])
    return report["answer"]


def _read_answer(work: Callable[[], object], ends_at: float) -> bytes:
    """Return what the process wrote until it ended or was killed: perhaps nothing, or a part."""
    answer, ours = os.pipe()
    with os.fdopen(answer, "rb", buffering=0) as pipe:
        try:
            with warnings.catch_warnings():
                # Other threads may hold locks at this moment. The interpreter resets its own locks in the child; if the
                # child waits for another one, it is killed when its time is up.
                warnings.simplefilter("ignore", DeprecationWarning)
                parent, pid = os.getpid(), os.fork()
            if pid == 0:
                _carry_out(work, ours, parent)
        finally:
            os.close(ours)
        try:
            return _drain(pipe.fileno(), ends_at)
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _drain(fd: int, ends_at: float) -> bytes:
    blocks: list[bytes] = []
    size = 0
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    while size <= ANSWER_BYTES and poll.poll(max(0.0, ends_at - time.monotonic()) * 1000):
        block = os.read(fd, 2**16)
        if not block:
            return b"".join(blocks)
        blocks.append(block)
        size += len(block)
    return b""


def _carry_out(work: Callable[[], object], pipe: int, parent: int) -> NoReturn:
    """Run in the child. Exits without cleaning up, since that is left to the parent."""
    status = 1
    with suppress(BaseException):
        _confine(pipe, parent)
        data = memoryview(_report(work))
        while data:
            data = data[os.write(pipe, data) :]
        status = 0
    os._exit(status)


def _report(work: Callable[[], object]) -> bytes:
    try:
        return json.dumps({"answer": work()}, cls=DjangoJSONEncoder).encode()
    except MemoryError:
        raise
    except Exception as error:  # its message may quote the files
        return json.dumps({"failed": type(error).__name__, "at": locate(error)}).encode()


def _confine(pipe: int, parent: int) -> None:
    end_with(parent)
    os.closerange(3, pipe)
    os.closerange(pipe + 1, 2**16)
    os.nice(NICE)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    _limit(resource.RLIMIT_AS, pages * resource.getpagesize() + MEMORY_BYTES)
    _limit(resource.RLIMIT_CPU, CPU_SECONDS)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    lower = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (lower, lower))
