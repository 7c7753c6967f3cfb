"""One way of making bundles, in its own process: `python -m tests.bench._bundle compose BUNDLE...`, `stream SPACE...`,
or `prove BUNDLE...`, which reads them back. Prints the figures as JSON.

Everything that a worker loads is loaded first, and counts as memory. Bytes are those on the SDK's sockets in both
directions, including headers.
"""

import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import django


class Counted(socket.socket):
    """Python's socket with counters. PostgreSQL's driver uses its own sockets, which are not counted."""

    passed = 0

    def sendall(self, data: Any, *flags: int) -> None:
        super().sendall(data, *flags)
        Counted.passed += memoryview(data).nbytes

    def recv_into(self, *where: Any) -> int:
        came = super().recv_into(*where)
        Counted.passed += came
        return came


def main(way: str, pks: list[UUID]) -> None:
    socket.socket = Counted  # type: ignore[misc]
    django.setup()
    import archive.tasks  # noqa: F401
    import portal.celery  # noqa: F401
    from archive.storage import store

    store().listing("nothing/")  # a worker has already had a connection
    Counted.passed, processor, start = 0, time.process_time(), time.perf_counter()
    for pk in pks:
        WAYS[way](pk)
    took = {
        "seconds": time.perf_counter() - start,
        "processor": time.process_time() - processor,
        "passed": Counted.passed,
        "memory": most_resident(),
    }
    print(json.dumps(took))  # noqa: T201


def most_resident() -> int:
    """Return the peak of resident memory of this process in bytes. (getrusage would include the parent's at the
    fork.)"""
    lines = Path("/proc/self/status").read_text().splitlines()
    (kibibytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kibibytes) * 1024


def compose(bundle_id: UUID) -> None:
    from archive.bundles.build import build
    from archive.models import Bundle

    while not build(bundle_id):  # the time limit of one run was over
        assert Bundle.objects.filter(pk=bundle_id, state="building", problem={}).exists()


def prove(bundle_id: UUID) -> None:
    from archive.bundles import maintain
    from archive.models import Bundle

    assert maintain.verify(Bundle, bundle_id)


def stream(space_id: UUID) -> None:
    """Return the recording and the facts."""
    from zipstream import ZipStream

    from archive.bundles.contents import facts
    from archive.models import Space
    from archive.storage import keys, store

    space, bucket = Space.objects.get(pk=space_id), store()
    zipped = ZipStream()
    zipped.add(json.dumps(facts(space)), "data/space.json")
    for recording in space.recordings.all():
        sound = bucket.stream(recording.key, recording.size, recording.etag)
        zipped.add(sound, f"data/recording.{recording.extension}", size=recording.size)
    key = f"{keys.prefix(space_id)}bundles/streamed.zip"
    bucket.client.upload_fileobj(Readable(iter(zipped)), bucket.bucket, key)  # type: ignore[arg-type]


class Readable:
    """Makes an iterator of chunks readable like a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks, self.waiting = chunks, b""

    def read(self, size: int) -> bytes:
        pieces, lacking = [], size
        while lacking and (self.waiting or self._next()):
            piece, self.waiting = self.waiting[:lacking], self.waiting[lacking:]
            pieces.append(piece)
            lacking -= len(piece)
        return b"".join(pieces)

    def _next(self) -> bool:
        self.waiting = next(self.chunks, b"")
        return bool(self.waiting)


WAYS: dict[str, Callable[[UUID], None]] = {"compose": compose, "prove": prove, "stream": stream}

if __name__ == "__main__":
    main(sys.argv[1], [UUID(pk) for pk in sys.argv[2:]])
