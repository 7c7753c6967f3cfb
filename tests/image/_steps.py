"""The steps of the job, in their order. Each raises AssertionError when something is not as it should be, and returns
what is worth printing."""

import hashlib
import io
import math
import struct
import subprocess
import sys
import wave
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bagit

from tests.faults.clock import SETUP
from tests.image import _compose
from tests.image._dockerfile import ROOT
from tests.image._world import World, level, run

EXAMPLE = ROOT / "docs" / "example_recorder.py"
VERIFIER = ROOT / "archive" / "retention" / "verify_certificate.py"
DEMO = ROOT / "archive" / "demo" / "recording.m4a"
PASSWORD = "a passphrase for this run only"
RATE, SECONDS = 48_000, 70  # of the recording that is uploaded: three parts of 5 MiB

STEPS: list[Callable[[World], str]] = []


def step(function: Callable[[World], str]) -> Callable[[World], str]:
    STEPS.append(function)
    return function


@step
def image(world: World) -> str:
    """Laid out as the Dockerfile says, or the one in IMAGE_ROOT."""
    return f"Python {world.begin()}"


@step
def prepare(world: World) -> str:
    """Compose's command: migrate, setup_store, restore_check."""
    service = world.service("prepare")
    done = world.container.run(service, service.command)
    assert done.returncode == 0, done.stderr
    world.take_over_clock(SETUP)  # before anything else connects
    return service.command[-1].replace("python manage.py ", "")


@step
def broken_starts_are_refused(world: World) -> str:
    """Each process tests at its start that it can do its work, and says in one line what is wrong."""
    key = _compose.make_secrets({})["certificate_key"]
    deleter, worker = world.service("deleter"), world.service("worker")
    for service, changes, expected in (
        (deleter, {"certificate_key": key[:20]}, "spacekeep.E040: CERTIFICATE_KEY is not 32 bytes in base64."),
        (worker, {"SPOOL_DIR": "/nowhere"}, "spacekeep.E195: This process can't decode a known recording:"),
    ):
        done = world.container.run(service, service.command, **changes)
        _check_refused(done, expected)
    with world.container.without("/app/archive/static/archive"):
        done = world.container.run(worker, worker.command)
    _check_refused(done, "spacekeep.E032: The page of a bundle can't be made:")
    return "a wrong key, no folder for recordings, no styles"


def _check_refused(done: "subprocess.CompletedProcess[str]", expected: str) -> None:
    """With one line; beside it, Celery may warn of root, and the decoder of a guard that is not allowed here."""
    assert done.returncode, f"it started, without {expected!r}"
    lines = [line for line in done.stderr.splitlines() if line.startswith("spacekeep.") or level(line) == "error"]
    assert [line[: len(expected)] for line in lines] == [expected], done.stderr
    assert "Traceback" not in done.stderr, done.stderr


@step
def start(world: World) -> str:
    world.start()
    return ", ".join(world.processes)


@step
def ingest(world: World) -> str:
    """By the command that makes the demo's accounts and its Space, with a transcript."""
    facts = world.manage_json("web", "demo", DEMO_PASSWORD=PASSWORD)
    world.demo = facts["space"]  # it ended six days ago
    world.token = world.manage_json(
        "web", "token", "create", "camera", "--host=nora", "--by=ada", "--scope=intake", "--scope=bundles"
    )["token"]
    world.sign_in("nora", PASSWORD)
    status, _, page = world.get(f"/spaces/{world.demo}/")
    assert (status, b"The seed library room" in page) == (200, True), status
    return ""


@step
def upload(world: World) -> str:
    """With the documents' example, in parts, straight to the store."""
    file = world.folder / "talk.wav"
    _write_tone(file)
    world.recording = file.read_bytes()
    world.ended_at = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()
    command = [sys.executable, str(EXAMPLE), str(file), "nora", world.ended_at]
    printed = run(command, PATH="/usr/bin:/bin", SPACEKEEP_URL=world.site, SPACEKEEP_TOKEN=world.token).split()
    assert printed[1] == "available", printed
    world.space = printed[0]
    return f"{len(world.recording)} bytes"


def _write_tone(file: Path) -> None:
    second = b"".join(
        struct.pack("<hh", *[round(8000 * math.sin(2 * math.pi * 440 * n / RATE))] * 2) for n in range(RATE)
    )
    with wave.open(str(file), "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(second * SECONDS)


@step
def play_with_ranges(world: World) -> str:
    status, headers, _ = world.get(f"/spaces/{world.space}/audio")
    assert status == 302, status
    world.signed_url = headers["Location"]
    size = len(world.recording)
    for first, last in ((0, 1), (1000, 70_000), (size - 100, size - 1)):
        status, headers, body = world.get(world.signed_url, Range=f"bytes={first}-{last}")
        assert (status, body == world.recording[first : last + 1]) == (206, True), status
        assert headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    return headers["Content-Type"]


@step
def bundle(world: World) -> str:
    """Downloaded, and validated by the reference implementation of BagIt."""
    path = f"/spaces/{world.space}/bundle"
    assert world.api("POST", path)[0] in (200, 202)
    world.wait(lambda: world.api("GET", path)[1]["state"] in ("ready", "failed"), "the bundle is built")
    answer = world.api("GET", path)[1]
    assert answer["state"] == "ready", answer
    status, headers, _ = world.get(answer["url"])
    assert status == 302, status
    status, _, data = world.get(headers["Location"])
    assert status == 200, status
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        archive.extractall(world.folder / "bag")
    (bag,) = (world.folder / "bag").iterdir()
    bagit.Bag(str(bag)).validate()
    assert hashlib.sha256((bag / "data" / "recording.wav").read_bytes()).digest() == (
        hashlib.sha256(world.recording).digest()
    )
    assert "<audio" in (bag / "data" / "index.html").read_text()
    (bag / "data" / "space.json").rename(world.folder / "space.json")
    return f"{len(data)} bytes"


@step
def flag(world: World) -> str:
    facts = world.manage_json("web", "flag", world.space, "--rule=spam", "--reason=An advertisement.", "--by=ada")
    expected = datetime.fromisoformat(world.ended_at) + timedelta(days=120)
    assert datetime.fromisoformat(facts["expires_at"]) == expected, facts
    return f"until {facts['expires_at'][:10]}"


@step
def deadline(world: World) -> str:
    """PostgreSQL's clock passes one after the other, and beat and the deleter do the rest."""
    assert world.stored(f"spaces/{world.demo}/")
    world.move_clock(24)
    world.wait(lambda: world.get(f"/spaces/{world.demo}/certificate.json")[0] == 200, "the demo's Space is deleted")
    assert not (left := world.stored(f"spaces/{world.demo}/")), left
    assert world.stored(f"spaces/{world.space}/")
    world.move_clock(95)
    assert world.get(f"/spaces/{world.space}/audio")[0] == 302
    world.move_clock(1)
    status = world.get(f"/spaces/{world.space}/audio")[0]
    assert status == 410, status
    path = f"/spaces/{world.space}/certificate.json"
    world.wait(lambda: world.get(path)[0] == 200, "the Space is deleted")
    assert not (left := world.stored(f"spaces/{world.space}/")), left
    assert world.get(world.signed_url)[0] in (403, 404)
    return "deleted, and nothing is left in the store"


@step
def certificate(world: World) -> str:
    """Verified here, with the one file that anybody may take."""
    files = {"certificate.json": f"/spaces/{world.space}/certificate.json", "key.pem": "/certificates/key.pem"}
    for name, path in files.items():
        status, _, body = world.get(path)
        assert status == 200, (path, status)
        (world.folder / name).write_bytes(body)
    certificate, key = (str(world.folder / name) for name in files)
    command = [sys.executable, "-I", str(VERIFIER), certificate, "--key", key]
    return run([*command, "--bundle", str(world.folder / "space.json")]).strip().partition(": ")[2]


@step
def log(world: World) -> str:
    """Verified, and replayed: no deletion was wrong."""
    replayed = world.manage_json("web", "replay_log")
    assert (replayed["spaces"], replayed["findings"]) == (2, []), replayed
    return world.manage("web", "verify_log").strip()


@step
def stop(world: World) -> str:
    """Each process ends in time when it is asked to, and no line of its log is an error."""
    stopped = world.stop()
    assert set(stopped.values()) == {0}, stopped
    lines = world.lines()
    lines = [
        (name, line) for name, line in lines if line and " shutdown (MainProcess)" not in line
    ]  # Celery's, no JSON
    wrong = [(name, line) for name, line in lines if level(line) not in ("info", "warning", "debug")]
    assert not wrong, wrong[:3]
    warnings = sum(level(line) == "warning" for _, line in lines)
    return f"{len(lines)} lines in the logs, {warnings} of them warnings"
