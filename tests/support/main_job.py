"""What the programs share that do the whole main job from outside: tests/image and tests/stores. Needs no Django."""

import hashlib
import io
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from typing import Generic, TypeVar

import bagit

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "archive" / "demo"
EXAMPLE = ROOT / "docs" / "example_recorder.py"
VERIFIER = ROOT / "archive" / "retention" / "verify_certificate.py"
RANGES = ((0, 1), (1000, 70_000), (-100, -1))  # first and last byte; negative: from the end

World = TypeVar("World")
Get = Callable[..., tuple[int, Message, bytes]]  # (url, **headers): status, headers, body


class Steps(Generic[World]):
    """The steps of a job, in their order. Each is a function that gets the world, raises AssertionError when something
    is not as it should be, and returns what is worth printing."""

    def __init__(self) -> None:
        self.steps: list[Callable[[World], str]] = []
        self.current = "start"  # the step that runs

    def step(self, function: Callable[[World], str]) -> Callable[[World], str]:
        self.steps.append(function)
        return function

    def run(self, world: World) -> None:
        """Do each step, and print its time, its name and what it returned."""
        for step in self.steps:
            self.current, began = step.__name__.replace("_", " "), time.monotonic()
            note = step(world)
            print(f"  {time.monotonic() - began:6.1f} s  {self.current}{note and f': {note}'}", flush=True)  # noqa: T201


def run(command: list[str], **env: str) -> str:
    """Run a program of this side, and return what it printed."""
    done = subprocess.run(command, env=env or None, text=True, capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, f"{' '.join(command[:3])}: {done.stderr}"
    return done.stdout


def upload_by_example(recording: Path, host: str, ended_at: str, **env: str) -> str:
    """Upload with the documents' example, to the site and with the token of its variables `env`. Returns the Space."""
    command = [sys.executable, str(EXAMPLE), str(recording), host, ended_at]
    space, state = run(command, PATH="/usr/bin:/bin", **env).split()[:2]
    assert state == "available", state
    return space


def check_ranges(get: Get, url: str, recording: bytes, status: int = 206) -> None:
    """Some ranges of a signed URL."""
    size = len(recording)
    for start, end in RANGES:
        first, last = start % size, end % size
        found, headers, body = get(url, Range=f"bytes={first}-{last}")
        assert (found, body == recording[first : last + 1]) == (status, True), (found, body[:300])
        assert headers["Content-Range"] == f"bytes {first}-{last}/{size}"


def check_bundle(data: bytes, recording: bytes, folder: Path) -> None:
    """Validated by the reference implementation of BagIt. Leaves its space.json in `folder`."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        archive.extractall(folder / "bag")
    (bag,) = (folder / "bag").iterdir()
    bagit.Bag(str(bag)).validate()
    assert _sha256((bag / "data" / "recording.wav").read_bytes()) == _sha256(recording)
    assert "<audio" in (bag / "data" / "index.html").read_text()
    (bag / "data" / "space.json").rename(folder / "space.json")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def check_certificate(get: Get, space: str, folder: Path) -> str:
    """Verify the certificate here, with the one file that anybody may take, and the bundle's space.json. Returns the
    verdict. `get` takes a path of the site."""
    files = {"certificate.json": f"/spaces/{space}/certificate.json", "key.pem": "/certificates/key.pem"}
    for name, path in files.items():
        status, _, body = get(path)
        assert status == 200, (path, status)
        (folder / name).write_bytes(body)
    certificate, key = (str(folder / name) for name in files)
    command = [sys.executable, "-I", str(VERIFIER), certificate, "--key", key]
    return run([*command, "--bundle", str(folder / "space.json")]).strip().partition(": ")[2]
