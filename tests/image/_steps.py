"""The steps of the job, in order. Each raises AssertionError if something is wrong, and returns what is worth
printing."""

import base64
import math
import re
import secrets
import struct
import subprocess
import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.faults.clock import SETUP
from tests.image import _compose
from tests.image._world import World, level
from tests.support.main_job import Steps, check_bundle, check_certificate, check_ranges, upload_by_example
from tests.support.totp import fresh_totp

PASSWORD = "a passphrase for this run only"
RATE, SECONDS = 48_000, 70  # the size of the uploaded recording: three parts of 5 MiB
NORA = "nora@example.org"

STEPS: Steps[World] = Steps()
step = STEPS.step


@step
def image(world: World) -> str:
    """Lay out the image as the Dockerfile says, or use the one in IMAGE_ROOT."""
    return f"Python {world.begin()}"


@step
def prepare(world: World) -> str:
    """Run Compose's command: migrate, setup_store, restore_check."""
    service = world.service("prepare")
    done = world.container.run(service, service.command)
    assert done.returncode == 0, done.stderr
    world.take_over_clock(SETUP)  # before anything else connects
    return service.command[-1].replace("python manage.py ", "")


@step
def broken_starts_are_refused(world: World) -> str:
    """Each process checks at its start whether it can do its work, and says in one line what is wrong."""
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
    """Assert one line. Apart from it, Celery may warn about root, and the decoder about a guard that is not permitted
    here."""
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
    """Run the command that creates the demo's accounts and its Space with a transcript."""
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
    """Upload with the documentation's example, in parts, directly to the store."""
    file = world.folder / "talk.wav"
    _write_tone(file)
    world.recording = file.read_bytes()
    world.ended_at = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()
    site = {"SPACEKEEP_URL": world.site, "SPACEKEEP_TOKEN": world.token}
    world.space = upload_by_example(file, "nora", world.ended_at, **site)
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
    check_ranges(world.get, world.signed_url, world.recording)
    return ""


@step
def bundle(world: World) -> str:
    path = f"/spaces/{world.space}/bundle"
    assert world.api("POST", path)[0] in (200, 202)
    world.wait(lambda: world.api("GET", path)[1]["state"] in ("ready", "failed"), "the bundle is built")
    answer = world.api("GET", path)[1]
    assert answer["state"] == "ready", answer
    status, headers, _ = world.get(answer["url"])
    assert status == 302, status
    status, _, data = world.get(headers["Location"])
    assert status == 200, status
    check_bundle(data, world.recording, world.folder)
    return f"{len(data)} bytes"


@step
def flag(world: World) -> str:
    facts = world.manage_json("web", "flag", world.space, "--rule=spam", "--reason=An advertisement.", "--by=ada")
    expected = datetime.fromisoformat(world.ended_at) + timedelta(days=120)
    assert datetime.fromisoformat(facts["expires_at"]) == expected, facts
    return f"until {facts['expires_at'][:10]}"


@step
def mail(world: World) -> str:
    """Mail the notice of that flag with STARTTLS and AUTH, to a server whose certificate is from its own authority."""
    world.wait(lambda: _subjects(world, NORA) != [], "the mail is sent")
    return "; ".join(_subjects(world, NORA))


def _subjects(world: World, address: str) -> list[str]:
    return [str(message["Subject"]) for to, message in world.inbox.received if to == address]


@step
def replace_secret_key(world: World) -> str:
    """Replace the key as docs/security.md says. Session and second factor stay valid, and in the end nothing needs the
    old key."""
    codes = _set_up_app(world)
    values = world.container.values
    former, values["secret_key"] = values["secret_key"], secrets.token_urlsafe(48)
    values["secret_key_fallbacks"] = former
    world.restart("web", "worker")
    assert world.get("/")[0] == 200, "the session has ended"
    changed = world.manage_json("web", "reencrypt_secrets")
    assert changed["second_factors"], changed
    assert not world.manage_json("web", "reencrypt_secrets")["second_factors"]
    values["secret_key_fallbacks"] = ""
    world.restart("web", "worker")
    assert world.get("/")[0] == 200, "the session has ended"
    world.forget_cookies()
    world.sign_in("nora", PASSWORD)
    assert world.get("/")[0] == 302, "signed in without the second factor"
    world.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    assert world.get("/")[0] == 200
    return f"second factors encrypted again: {changed['second_factors']}"


def _set_up_app(world: World) -> list[str]:
    """Set up an authenticator app for nora. Returns her recovery codes."""
    path = "/accounts/2fa/totp/activate/"
    page = world.get(path)[2].decode()
    (secret,) = re.findall(r"<code[^>]*>([A-Z2-7]{32})<", page)
    shown = world.get(world.post(path, {"code": fresh_totp(secret)}, page))[2].decode()
    codes: list[str] = re.findall(r"\b[0-9]{8}\b", shown)
    assert len(codes) >= 5, shown
    return codes


@step
def replace_log_key(world: World) -> str:
    """Replace the key as docs/log.md says. Web verifies signatures of the new key before and after it gets the new
    public key."""
    values, former = world.container.values, _log_signer(world)
    new = base64.b64encode(secrets.token_bytes(32)).decode()
    (old,) = [key for key in world.manage_json("deleter", "signing_keys")["keys"] if key["kind"] == "log"]
    rotated = world.manage_json("deleter", "signing_keys", "rotate", "log", "-", given=new)
    values["log_key"] = new
    world.restart("deleter")
    world.manage("web", "token", "create", "news", "--host=nora", "--by=ada")  # without a new entry nothing is signed
    world.wait(lambda: _log_signer(world) != former, "the new key signs")
    assert world.manage_json("deleter", "signing_keys", "retire", "log", old["id"])["changed"]
    world.manage("web", "verify_log")
    values["log_public_keys"] = f"{rotated['public']},{old['public']}"
    world.restart("web", "worker")
    world.manage("web", "verify_log")
    lines = world.get("/log/keys.txt")[2].decode().splitlines()
    assert ["until=" in line for line in lines] == [False, True], lines
    return f"{old['id']}, then {rotated['id']}"


def _log_signer(world: World) -> str:
    """Return the first bytes of the newest checkpoint's signature, which identify its key (c2sp.org/signed-note)."""
    world.wait(lambda: world.get("/log/checkpoint")[0] == 200, "a checkpoint is signed")
    note = world.get("/log/checkpoint")[2].decode()
    return base64.b64decode(note.strip().split()[-1])[:4].hex()


@step
def back_up(world: World) -> str:
    world.back_up()
    return f"{(world.folder / 'spacekeep.dump').stat().st_size} bytes"


@step
def deadline(world: World) -> str:
    """Move PostgreSQL's clock past each deadline; beat and the deleter do the rest."""
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
    world.certificates = {space: _certificate(world, space) for space in (world.space, world.demo)}
    return check_certificate(world.get, world.space, world.folder)


def _certificate(world: World, space: str) -> bytes:
    status, _, body = world.get(f"/spaces/{space}/certificate.json")
    assert status == 200, status
    return body


@step
def log(world: World) -> str:
    """Verify and replay the log: no deletion was wrong."""
    replayed = world.manage_json("web", "replay_log")
    assert (replayed["spaces"], replayed["findings"]) == (2, []), replayed
    return world.manage("web", "verify_log").strip()


@step
def restore_the_backup(world: World) -> str:
    """Restore a backup from before both deletions: nothing starts until an operator has restored the deletions from the
    log's copy in the store, as docs/operations.md says."""
    world.wait(lambda: _checkpoint_covers_all(world), "the newest entry is in a checkpoint")
    world.stop()
    world.restore()
    prepare = world.service("prepare")
    done = world.container.run(prepare, prepare.command)
    assert done.returncode, "it did not see that the database is an older one"
    world.manage("prepare", "restore_check", fails=True)
    world.manage("prepare", "restore_check", "--apply", fails=True)  # the restore is still unconfirmed
    world.manage("prepare", "restore_check", "--confirm", "--by=ada", "--reason=A drill.")
    done = world.container.run(prepare, prepare.command)
    assert done.returncode == 0, done.stderr
    world.start()
    assert {space: _certificate(world, space) for space in world.certificates} == world.certificates
    assert world.get(f"/spaces/{world.space}/audio")[0] == 410
    assert world.manage_json("web", "replay_log")["findings"] == []
    return world.manage("web", "verify_log").strip()


def _checkpoint_covers_all(world: World) -> bool:
    with world.superuser() as superuser:
        (count,) = superuser.execute("SELECT count(*) FROM archive_logentry").fetchone() or (0,)
    return world.get("/log/checkpoint")[2].split()[1] == str(count).encode()


@step
def stop(world: World) -> str:
    """Stop each process: it must end in time. Each line of its log must be JSON, and none an error."""
    world.stop()
    lines = world.lines()
    wrong = [(name, line) for name, line in lines if level(line) not in ("info", "warning", "debug")]
    assert not wrong, wrong[:3]
    warnings = sum(level(line) == "warning" for _, line in lines)
    return f"{len(lines)} lines in the logs, {warnings} of them warnings"
