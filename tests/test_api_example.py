"""The example client of the documentation, run as a process against real servers.

`make big` runs the same at 1 GiB.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from archive import dbtime, recorders
from archive.models import Space, UploadSession, User
from archive.storage import store
from embedded.process import Process, family
from tests.faults.proxy import Fault, Proxy
from tests.support.api_client import MIB, RemoteApiClient, checksum
from tests.support.audio_files import make_noise
from tests.support.processes import ROOT, Services

EXAMPLE = ROOT / "docs" / "example_recorder.py"
BIG = os.environ.get("BIG") == "1"
SIZE = 1024 if BIG else 40  # MiB

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def web(services: Services) -> Process:
    return services.web()


@pytest.fixture
def token(committed: None, alice: User, admin: User) -> str:
    return recorders.create_token("studio", 30, admin, for_anybody=True)[1]


def start(url: str, token: str, recording: Path, ended_at: str) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": os.environ["PATH"], "SPACEKEEP_URL": url, "SPACEKEEP_TOKEN": token}
    command = [sys.executable, "-I", str(EXAMPLE), str(recording), "alice", ended_at]
    return subprocess.run(command, env=env, text=True, capture_output=True, check=False, timeout=600)


@pytest.fixture
def run(services: Services, web: Process, token: str) -> Callable[..., str]:
    def example(recording: Path, ended_at: str, status: int = 0) -> str:
        """Return its standard output, or its standard error if `status` is not 0."""
        done = start(services.url, token, recording, ended_at)
        assert done.returncode == status, done.stderr
        return done.stderr if status else done.stdout

    return example


def passed_through(process: Process) -> int:
    """Return how many bytes the process and its children have read and written, on sockets and files."""
    assert process.pid is not None
    total = 0
    for pid in {process.pid, *family(process.pid)}:
        counters = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
        total += int(counters["rchar"]) + int(counters["wchar"])
    return total


def test_the_example_uploads_a_recording(run: Callable[..., str], services: Services, demo_recording: Path) -> None:
    ended_at = (dbtime.now() - timedelta(hours=1)).isoformat()
    services.worker()

    output = run(demo_recording, ended_at)

    space = Space.objects.get()
    (recording,) = space.recordings.all()
    assert output.split() == [str(space.pk), "available"]
    assert store().read(recording.key, 0, recording.size, recording.etag) == demo_recording.read_bytes()
    assert run(demo_recording, ended_at) == output  # a second run creates nothing
    refusal = run(demo_recording, "2099-01-01T00:00:00Z", status=1)
    assert "that is in the future" in refusal
    assert "Traceback" not in refusal
    assert Space.objects.count() == 1


@pytest.mark.usefixtures("web")
def test_the_example_survives_a_bad_minute(services: Services, token: str, demo_recording: Path) -> None:
    """It retries after a 503, a lost response and a 429. A refusal is printed as one line with the server's message."""
    ended_at = (dbtime.now() - timedelta(hours=1)).isoformat()
    services.worker()
    faults = [
        Fault("POST /api/v1/spaces$", times=1, status=503),
        Fault("POST /api/v1/spaces$", times=1, lost=True),
        Fault("POST .*/complete$", times=1, status=429),
    ]
    with Proxy(services.url, *faults) as proxy:
        done = start(proxy.url, token, demo_recording, ended_at)
    assert (done.returncode, done.stdout.split()[1:2], done.stderr) == (0, ["available"], "")
    assert [fault.seen for fault in faults] == [1, 1, 1]
    assert Space.objects.count() == 1

    stranger = start(services.url, "skr_000000000000_none", demo_recording, ended_at)

    assert (stranger.returncode, stranger.stderr.count("\n")) == (1, 1)
    assert stranger.stderr.startswith(f"POST {services.url}/api/v1/spaces: ")


def test_the_example_resumes_and_bypasses_the_portal(
    run: Callable[..., str], services: Services, web: Process, token: str, tmp_path: Path
) -> None:
    recording = make_noise(tmp_path / "long.wav", megabytes=SIZE)
    ended_at = (dbtime.now() - timedelta(hours=1)).isoformat()
    first_came = half_way(RemoteApiClient(services.url, token), recording, ended_at)
    services.worker()
    before = passed_through(web)

    output = run(recording, ended_at)

    assert output.split()[1] == "available"
    assert passed_through(web) - before < 16 * MIB  # what boto3 loads per thread; the rest is 24 MiB, or 1,008
    session = UploadSession.objects.get()
    assert session.etag.strip('"').endswith(f"-{session.part_count}")
    (stored,) = Space.objects.get().recordings.all()
    with recording.open("rb") as file:
        assert stored.sha256 == hashlib.file_digest(file, "sha256").hexdigest()
    assert first_came == 1


def half_way(caller: RemoteApiClient, recording: Path, ended_at: str) -> int:
    """Send the same request as the example, and the first part. Returns how many parts the upload has then."""
    key = hashlib.sha256(f"{recording} alice {ended_at}".encode()).hexdigest()
    space = caller.post("/spaces", {"host": "alice", "ended_at": ended_at}, Idempotency_Key=key).json
    data = recording.read_bytes()
    upload = caller.begin(space["id"], data, name=recording.name).json
    caller.send(upload, data, [1])
    parts = caller.get(f"/uploads/{upload['id']}").json["parts"]
    assert parts[0]["announced_sha256"] == checksum(data[: upload["part_size"]])
    return len(parts)
