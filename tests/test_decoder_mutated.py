"""Mutated recordings: the decoder refuses or decodes each, and reaches nothing outside its sandbox.

`make fuzz` runs 1,000 (MUTATED=...), `make test` a sample.
"""

import contextlib
import os
import random
import re
import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pytest_django import Settings

from archive.errors import Unreadable
from archive.intake.audio.measure import measure
from tests.support.audio_files import make_tone
from tests.support.procfs import children

COUNT = int(os.environ.get("MUTATED", "16"))
SEED = int(os.environ.get("MUTATED_SEED", "1"))
CONFINED = re.compile(r"^Max open files +0 ", re.MULTILINE)
KINDS = ("wav", "mp3", "m4a", "opus", "webm", "flac", "ts", "aac")


@dataclass
class Watch:
    """Record the files and sockets that sandboxed children of this process had open."""

    sightings: int = 0
    files: set[str] = field(default_factory=set)
    descendants: int = 0

    def look(self) -> None:
        for pid in children():
            with contextlib.suppress(OSError):  # it ended in the meantime
                if not CONFINED.search(Path(f"/proc/{pid}/limits").read_text()):
                    continue  # one of our engines, or a decoder that is still starting
                self.files |= {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}
                self.descendants += len(children(pid))
                self.sightings += 1


@pytest.fixture
def watch() -> Iterator[Watch]:
    seen, end = Watch(), threading.Event()

    def look_on() -> None:
        while not end.wait(0.01):
            seen.look()

    thread = threading.Thread(target=look_on)
    thread.start()
    yield seen
    end.set()
    thread.join()


def mutate(data: bytes, other: bytes, bait: bytes, chance: random.Random) -> bytes:
    """Change some places of a file: bytes, ranges, parts of another file, URLs and paths."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 12)):
        at, length = chance.randrange(len(changed)), chance.choice((1, 4, 16, 300))
        match chance.randrange(6):
            case 0:
                changed[at : at + length] = chance.randbytes(length)
            case 1:
                changed[at : at + 4] = chance.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"))
            case 2:
                del changed[at : at + min(length, len(changed) // 2)]
            case 3:
                changed[at:at] = other[: length * 4]
            case 4:
                changed[at : at + len(bait)] = bait
            case 5:
                changed[at:at] = changed[max(0, at - length) : at]
    return bytes(changed) or b"\0"


@pytest.mark.timeout(3600)
def test_mutated_recordings_reach_nothing(tmp_path: Path, watch: Watch, settings: Settings) -> None:
    settings.DECODER_SECONDS = 60
    chance = random.Random(SEED)
    sources = [make_tone(tmp_path / f"source.{kind}", kind).read_bytes() for kind in KINDS]
    canary, upload = tmp_path / "canary", tmp_path / "upload"
    canary.write_text("unchanged")
    upload.touch()
    before, engines = sorted(tmp_path.iterdir()), children()
    outcomes: Counter[str] = Counter()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/x.m4a"
        baits = [address.encode(), b"file:///etc/passwd", str(canary).encode(), b"#EXTM3U\n" + address.encode()]
        for _ in range(COUNT):
            data = mutate(chance.choice(sources), chance.choice(sources), chance.choice(baits), chance)
            upload.write_bytes(data)
            try:
                measure(upload, longest_seconds=3600, step=lambda seconds: None)
                outcomes["accepted"] += 1
            except Unreadable as error:
                outcomes[error.code] += 1
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()

    sys.stdout.write(f"\n{COUNT} mutated recordings: {dict(outcomes)}; {watch.sightings} looks into the sandbox\n")
    assert sum(outcomes.values()) == COUNT
    assert len(outcomes) > 1, "no mutation had an effect"
    assert watch.sightings > 0
    assert watch.descendants == 0
    assert {name for name in watch.files if not name.startswith("pipe:")} <= {str(upload), "/dev/null"}
    assert (canary.read_text(), sorted(tmp_path.iterdir())) == ("unchanged", before)
    assert children() == engines
