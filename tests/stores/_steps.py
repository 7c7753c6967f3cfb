"""The steps of the job, in order. Each raises AssertionError if the site or the store fails it, and returns what is
worth printing."""

import hashlib
import io
import zipfile
from contextlib import suppress
from datetime import timedelta
from email.message import Message
from typing import Any
from urllib.error import URLError
from uuid import UUID, uuid4

from archive import dbtime
from archive.models import Bundle, DeletionCertificate, ExportPart, Space
from archive.storage import keys, trials
from archive.storage.trials import Outcome
from tests.stores import _clock
from tests.stores._world import Job
from tests.support.api_client import MIB, checksum, put_part
from tests.support.http_clients import fetch
from tests.support.main_job import DEMO, Steps, check_bundle, check_certificate, check_ranges, upload_by_example
from tests.support.waiting import wait_until

# Each Space has just ended. One is abandoned after two days, one is due after 30, and the flagged one after 120.
DAYS_TO_DEADLINES = (2, 28, 90)
JUST_NOW = timedelta(seconds=5)

STEPS: Steps[Job] = Steps()
step = STEPS.step


@step
def setup_store(job: Job) -> str:
    table = job.manage("setup_store").stdout.splitlines()
    print("\n".join(f"    {line}" for line in table), flush=True)  # noqa: T201
    facts = job.manage_json("setup_store")
    assert facts["usable"]
    assert not job.stored()
    assert not job.open_uploads()
    labels = {trial.name: trial.label for trial in trials.ALL}
    job.fallbacks = [labels[one["name"]] for one in facts["findings"] if one["outcome"] == Outcome.FALLBACK]
    job.partial = 200 if "ranges are answered with 206" in job.fallbacks else 206
    job.start()
    return f"{len(facts['findings'])} trials"


@step
def upload_interrupted_and_resumed(job: Job) -> str:
    """Store part 1, break the connection in part 2, and let the documentation's example send the rest."""
    ended_at = (dbtime.now() - JUST_NOW).isoformat()
    key = hashlib.sha256(f"{job.recording} alice {ended_at}".encode()).hexdigest()  # the example's own
    space = job.api.post("/spaces", {"host": "alice", "ended_at": ended_at}, Idempotency_Key=key).json
    upload = job.api.begin(space["id"], job.data, name=job.recording.name).json
    size = upload["part_size"]
    job.api.send(upload, job.data, [1])
    second = job.data[size : 2 * size]
    requested = {"parts": [{"number": 2, "sha256": checksum(second)}]}
    (signed,) = job.api.post(f"/uploads/{upload['id']}/parts", requested).json["parts"]
    job.break_off(signed, second)
    stored = [part["number"] for part in job.api.get(f"/uploads/{upload['id']}").json["parts"]]
    assert stored == [1], stored

    trusted = {"SSL_CERT_FILE": str(job.server.ca)} if job.server.ca else {}
    site = {"SPACEKEEP_URL": job.services.url, "SPACEKEEP_TOKEN": job.token}
    assert upload_by_example(job.recording, "alice", ended_at, **site, **trusted) == space["id"]
    job.space = Space.objects.get(pk=space["id"])
    (recording,) = job.space.recordings.all()
    assert recording.sha256 == hashlib.sha256(job.data).hexdigest()
    job.late_part = signed
    return f"{upload['part_count']} parts of {size} bytes"


def _announce(job: Job) -> str:
    return str(job.api.announce("alice", ended_at=(dbtime.now() - JUST_NOW).isoformat()).json["id"])


@step
def wrong_bytes_are_refused_by_part(job: Job) -> str:
    space_id = _announce(job)
    upload = job.api.begin(space_id, job.data, name="talk.wav").json
    size = upload["part_size"]
    job.api.send(upload, job.data, [number for number in range(1, upload["part_count"] + 1) if number != 2])
    second = job.data[size : 2 * size]
    requested = {"parts": [{"number": 2, "sha256": checksum(second)}]}
    (signed,) = job.api.post(f"/uploads/{upload['id']}/parts", requested).json["parts"]
    status = put_part(signed, bytes(size))
    if status != 200:
        assert 400 <= status < 500, status
        refused = job.api.post(f"/uploads/{upload['id']}/complete")
        assert (refused.status, "2" in refused.words) == (409, True), refused.body
        return f"by the store ({status})"
    assert job.api.post(f"/uploads/{upload['id']}/complete").status == 200
    wait_until(lambda: job.state(UUID(space_id))[0] != "processing", "the upload is examined")
    assert job.state(UUID(space_id)) == ("rejected", "upload.part_sha256_differs"), job.state(UUID(space_id))
    assert Space.objects.get(pk=space_id).problem["params"]["parts"] == [2]
    return "by the site, which names the part: the store takes them"


@step
def ingest(job: Job) -> str:
    """Ingest with a command, with a transcript. The export later contains both Spaces."""
    transcript = ("--transcript", str(DEMO / "transcript.vtt"), "--language", "en")
    ended_at = (dbtime.now() - JUST_NOW).isoformat()
    options = ("--host", "alice", "--ended-at", ended_at, "--title", "Seeds", *transcript)
    space_id = job.manage("ingest", str(DEMO / "recording.m4a"), *options).stdout.strip()
    assert job.state(UUID(space_id)) == ("available", "")
    return ""


@step
def play_with_ranges(job: Job) -> str:
    status, headers, _ = fetch(f"{job.services.url}/spaces/{job.space.pk}/audio", job.cookie)
    assert status == 302, status
    job.signed_url = headers["Location"]
    check_ranges(job.get, job.signed_url, job.data, job.partial)
    status, headers, body = job.get(job.signed_url)
    assert (status, body == job.data) == (200, True)
    assert ".wav" in headers["Content-Disposition"], headers["Content-Disposition"]
    return f"type {headers['Content-Type']}"


@step
def bundle(job: Job) -> str:
    path = f"/spaces/{job.space.pk}/bundle"
    assert job.api.post(path).status in (200, 202)
    wait_until(lambda: job.api.get(path).json["state"] in ("ready", "failed"), "the bundle is built")
    answer = job.api.get(path).json
    assert answer["state"] == "ready", answer
    wait_until(lambda: bool(Bundle.objects.get(pk=answer["id"]).verified_by), "the bundle is verified")
    data = _download(job, answer["url"])
    row = Bundle.objects.get(pk=answer["id"])
    assert row.sha256 in ("", hashlib.sha256(data).hexdigest())
    check_bundle(data, job.data, job.folder)
    return f"{len(data)} bytes, verified by {row.verified_by}"


@step
def export(job: Job) -> str:
    export_id = job.api.post("/exports", {"host": "alice", "max_part_size": 2_000_000_000}).json["id"]

    def parts() -> list[dict[str, Any]]:
        return list(job.api.get(f"/exports/{export_id}").json["parts"])

    wait_until(lambda: all(part["state"] in ("ready", "failed") for part in parts()), "the export is built")
    (part,) = parts()
    assert part["state"] == "ready", part
    assert len(part["spaces"]) == 2
    wait_until(lambda: bool(ExportPart.objects.get(pk=part["id"]).verified_by), "the export is verified")
    with zipfile.ZipFile(io.BytesIO(_download(job, part["url"]))) as archive:
        assert archive.testzip() is None
        recordings = sorted(archive.read(name) for name in archive.namelist() if "/recording." in name)
    assert recordings == sorted([job.data, (DEMO / "recording.m4a").read_bytes()])
    return ""


def _download(job: Job, url: str) -> bytes:
    """Follow the site's link to the store."""
    status, headers, _ = fetch(url)
    assert status == 302, status
    status, _, data = job.get(headers["Location"])
    assert status == 200, (status, data[:300])
    return data


@step
def flag(job: Job) -> str:
    reason = ("--rule", "spam", "--reason", "An advertisement.", "--by", "ada")
    facts = job.manage_json("flag", str(job.space.pk), *reason)
    job.space.refresh_from_db()
    assert job.space.expires_at == job.space.ended_at + timedelta(days=120)
    return f"until {facts['expires_at'][:10]}"


@step
def leave_uploads_unfinished(job: Job) -> str:
    """Leave two uploads open: of a transcript for an existing Space, and of a recording that is never completed."""
    words = (DEMO / "transcript.vtt").read_bytes()
    transcript = job.api.begin(str(job.space.pk), words, kind="transcript", name="talk.vtt").json
    job.api.send(transcript, words)
    abandoned = _announce(job)
    job.api.send(job.api.begin(abandoned, job.data, name="talk.wav").json, job.data, [1, 2])
    assert len(job.open_uploads()) == 2, job.open_uploads()
    assert job.large_files() or not job.server.files
    return f"{len(job.open_uploads())} open, {len(job.stored())} objects"


@step
def deadlines_pass(job: Job) -> str:
    """Move the clock to each deadline; beat and worker do the rest by themselves."""
    before, deleted = len(job.stored()), Space.State.DELETED

    for days in DAYS_TO_DEADLINES:
        _clock.move_days(days)
        due = Space.objects.exclude(state=deleted).filter(expires_at__lt=dbtime.now())
        wait_until(lambda due=due: not due.exists(), "the due Space is deleted")  # type: ignore[misc]
    assert {space.state for space in Space.objects.all()} == {deleted}
    wait_until(lambda: not job.open_uploads(), "no upload is open")
    wait_until(lambda: not _of_people(job), "no object of a Space is stored")
    return f"{before} objects before, {len(job.stored())} of the log now"


def _of_people(job: Job) -> list[str]:
    return [key for key in job.stored() if not keys.is_of_log(key)]


@step
def nothing_comes_back(job: Job) -> str:
    """Use URLs that were signed before, for reading and for writing."""
    second = job.data[5 * MIB : 10 * MIB]
    with suppress(URLError):  # the store may close the connection early: what counts is what it has stored then
        assert put_part(job.late_part, second) >= 400
    status = job.get(job.signed_url)[0]
    assert status in (403, 404), status
    assert fetch(f"{job.services.url}/spaces/{job.space.pk}/audio", job.cookie)[0] == 410
    assert not (left := _of_people(job)), left
    assert not job.open_uploads()
    return ""


@step
def bytes_are_gone_from_the_disk(job: Job) -> str:
    """Assert that no file could be a part of a recording; the log and the store's own files are left."""
    if not job.server.files:
        return "it keeps them in memory"
    wait_until(lambda: not job.large_files(), "the store has removed its files", seconds=60)
    return ""


@step
def certificate(job: Job) -> str:
    assert DeletionCertificate.objects.filter(space_id=job.space.pk).exists()

    def get(path: str) -> tuple[int, Message, bytes]:
        return fetch(f"{job.services.url}{path}", job.cookie)

    return check_certificate(get, str(job.space.pk), job.folder)


@step
def reconcile(job: Job) -> str:
    """Plant an object and an upload without rows: reconcile aborts the upload, and removes the object when it finds it
    again a day later."""
    job.stop_workers()  # by the moved clock, files that they write now would look months old
    assert job.manage_json("reconcile") == _found()
    key = f"{keys.prefix(uuid4())}stray"
    job.client.put_object(Bucket=job.bucket, Key=key, Body=b"stray")
    job.client.create_multipart_upload(Bucket=job.bucket, Key=f"{key}-upload")
    uploads = [f"{key}-upload"]
    first = job.manage_json("reconcile", "--apply")
    assert first == _found(orphans=[key], uploads=uploads, ended=uploads), first
    _clock.move_days(2)
    second = job.manage_json("reconcile", "--apply")
    assert second == _found(orphans=[key], removed=[key]), second
    assert job.manage_json("reconcile", "--apply") == _found()
    assert not (left := _of_people(job)), left
    assert not job.open_uploads()
    return ""


def _found(**keys: list[str]) -> dict[str, list[str]]:
    return {"orphans": [], "uploads": [], "unknown": [], "ghosts": [], "removed": [], "ended": [], **keys}


@step
def replay(job: Job) -> str:
    """Verify from the log alone that each deletion was in time; doing it twice changes nothing."""
    first, second = job.manage_json("replay_log"), job.manage_json("replay_log")
    assert first == second
    assert not first["findings"], first
    assert job.manage_json("sweep") == {"deleted": [], "failed": {}}
    job.manage("setup_store")
    assert not (left := _of_people(job)), left
    return f"{first['spaces']} Spaces"
