"""The sandbox of the decoder, as root and as an ordinary user."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.hostile_files import make_sparse_wav
from tests.support.procfs import children, has_ended
from tests.support.waiting import wait_until

ROOT = Path(__file__).parent.parent
USERS = [os.getuid()] if os.getuid() else [0, 65534]

TRIES = """
import json, os, resource, socket, sys
from archive.intake.audio.decoder.confine import confine
victim, user = sys.argv[1], int(sys.argv[2])
if user != os.getuid():
    os.setgid(user)
    os.setuid(user)
status, network = os.open("/proc/self/status", os.O_RDONLY), os.readlink("/proc/self/ns/net")
guards = confine(parent=os.getppid(), memory=256 * 1024**2, cpu_seconds=5, file_bytes=1000)

def outcome(what):
    try:
        what()
    except (OSError, MemoryError, ValueError) as error:
        return type(error).__name__
    return "done"

def run():
    pid = os.fork()
    if pid == 0:
        try:
            os.execv("/bin/true", ["true"])
        finally:
            os._exit(1)
    if os.waitpid(pid, 0)[1]:
        raise PermissionError

print(json.dumps({
    "read": outcome(lambda: os.open("/etc/passwd", os.O_RDONLY)),
    "make": outcome(lambda: os.open("/tmp/made", os.O_WRONLY | os.O_CREAT)),
    "connect": outcome(lambda: socket.socket()),
    "raise a limit": outcome(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))),
    "allocate": outcome(lambda: bytearray(300 * 1024**2)),
    "write": outcome(lambda: [os.write(0, bytes(900)) for _ in range(3)]),
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "cpu": resource.getrlimit(resource.RLIMIT_CPU),
    "privileges": [line for line in os.read(status, 10_000).decode().splitlines() if line.startswith("NoNewPrivs")],
    "by path": [outcome(lambda: os.unlink(victim)), outcome(run)] if "paths" in guards else ["PermissionError"] * 2,
    "own network": (os.readlink("/proc/self/ns/net") != network) == ("network" in guards),
    "guards": guards,
}))
"""


@pytest.fixture(params=USERS, ids=lambda user: "root" if user == 0 else "ordinary")
def tried(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    victim = tmp_path / "victim"
    victim.touch()
    tmp_path.chmod(0o777)
    with (tmp_path / "given").open("w+b") as given:
        command = [sys.executable, "-c", TRIES, str(victim), str(request.param)]
        done = subprocess.run(command, cwd=ROOT, stdin=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def test_the_sandbox_allows_no_files_or_sockets(tried: dict[str, Any]) -> None:
    assert (tried["read"], tried["make"], tried["connect"]) == ("OSError", "OSError", "OSError")
    assert tried["by path"] == ["PermissionError", "PermissionError"]
    assert tried["own network"]
    assert "limits" in tried["guards"]


def test_limits_hold_and_cannot_be_raised(tried: dict[str, Any]) -> None:
    assert tried["raise a limit"] == "ValueError"
    assert tried["allocate"] == "MemoryError"
    assert tried["write"] == "OSError"
    assert (tried["core"], tried["cpu"]) == ([0, 0], [5, 6])
    assert tried["privileges"] == ["NoNewPrivs:\t1"]


HEAR = """
import sys
from pathlib import Path
from django.conf import settings
from archive.intake.audio.measure import measure
settings.configure(DECODER_MEMORY_BYTES=1024**3, DECODER_SECONDS=600, MAX_RECORDING_SAMPLES=10**10)
measure(Path(sys.argv[1]), longest_seconds=86400, step=lambda seconds: print(seconds, flush=True))
"""


def test_the_decoder_ends_with_its_parent(tmp_path: Path) -> None:
    path = make_sparse_wav(tmp_path / "long.wav", 20)
    worker = subprocess.Popen([sys.executable, "-c", HEAR, path], cwd=ROOT, stdout=subprocess.PIPE)
    with worker:
        try:
            assert worker.stdout is not None
            worker.stdout.readline()
            (listener,) = children(worker.pid)
        finally:
            worker.kill()

    wait_until(lambda: has_ended(listener), "the child has ended, too")


def test_the_decoder_does_not_start_without_its_parent(tmp_path: Path) -> None:
    order = {"do": "measure", "parent": 1, "says": 1, "limits": {}}

    done = subprocess.run(
        [sys.executable, "-m", "archive.intake.audio.decoder", json.dumps(order)],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"the parent process has ended\n")
