"""Create users and Spaces, as rows or with their files in the object store."""

import hashlib
import os
import zlib
from datetime import timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from archive import dbtime, search
from archive.bundles.contents import content_id
from archive.intake.ingest import ingest
from archive.intake.request import Request
from archive.models import Bundle, Hold, Recording, Space, Transcript, User
from archive.storage import keys, store, write
from archive.storage.multipart import Written
from tests.support.measured_once import measured_once

DEMO = Path(__file__).parents[2] / "archive" / "demo"
PASSWORD = "correct horse battery"


@cache
def _hashed() -> str:
    """Hash the password once for all tests, because hashing is slow on purpose."""
    return make_password(PASSWORD)


def make_user(name: str, role: str = "") -> User:
    """Create a user with the password PASSWORD. `role`: "admins", "auditors" or "" for none."""
    user = User.objects.create(username=name, password=_hashed(), first_name=name.capitalize())
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


def make_space(host: User, *, ended_ago: timedelta = timedelta(days=6), **options: Any) -> Space:
    """Ingest a Space with the demo recording, and its transcript unless `transcript=None`.

    Tests with the same recording share its decoding.
    """
    options.setdefault("transcript", DEMO / "transcript.vtt")
    options.setdefault("title", "The seed library room")
    options.setdefault("language", "en")
    request = Request(
        recording=options.pop("recording", DEMO / "recording.m4a"),
        host=host,
        ended_at=options.pop("ended_at", None) or dbtime.now() - ended_ago,
        **options,
    )
    with measured_once():
        return ingest(request).space


def make_row(host: User, *, ended_ago: timedelta = timedelta(days=6), **fields: Any) -> Space:
    """Create the row of a Space in any state, with nothing in the object store."""
    ended_at = fields.pop("ended_at", None) or dbtime.now() - ended_ago
    fields.setdefault("expires_at", ended_at + timedelta(days=30))
    fields.setdefault("deadline_reasons", [{"code": "base", "days": 30}])
    fields.setdefault("title", "A row")
    fields.setdefault("state", Space.State.AVAILABLE)
    space = Space.objects.create(host=host, ended_at=ended_at, **fields)
    search.index_spaces(space.pk)
    return space


def make_held(host: User, **fields: Any) -> Space:
    """Create the row of a Space on legal hold, which has no deadline."""
    hold = [{"code": "hold"}]
    space = make_row(host, expires_at=None, deadline_reasons=hold, **fields)
    Hold.objects.create(space=space, reason="A court asked for it.", placed_by=host)
    return space


def make_contents(space: Space) -> Bundle:
    """Store a recording, a transcript and a ready bundle of a few bytes for a row: enough for pages."""
    sound = {"extension": "m4a", "content_type": "audio/mp4", "codec": "aac", "sample_rate": 48000, "channels": 1}
    stored = _put(keys.recording(space.id, 1, "m4a"), b"sound")
    Recording.objects.create(space=space, duration_ms=74_000, **sound, **vars(stored))
    cue = {"start_ms": 0, "end_ms": 2000, "speaker": "Ida", "text": "Beans first."}
    stored = _put(keys.transcript(space.id, "1", "en"), b"words")
    Transcript.objects.create(space=space, language="en", cues=[cue], **vars(stored))
    bundle = Bundle(space=space, content_digest=content_id(space), state=Bundle.State.READY, name="A row.zip")
    stored = _put(keys.bundle(space.id, bundle.id), b"everything")
    bundle.key, bundle.size, bundle.etag, bundle.ready_at = stored.key, stored.size, stored.etag, dbtime.now()
    bundle.save()
    return bundle


def make_noise(host: User, *, megabytes: int, title: str = "Noise", **fields: Any) -> Space:
    """Create a Space whose recording is random bytes that no test decodes."""
    space = make_row(host, title=title, **fields)
    noise = BytesIO(b"".join(os.urandom(1024**2) for _ in range(megabytes)))
    stored = write(store(), keys.recording(space.id, 1, "wav"), noise, "audio/wav", check=lambda: None)
    sound = {"extension": "wav", "content_type": "audio/wav", "codec": "pcm_s16le", "duration_ms": 3_600_000}
    Recording.objects.create(space=space, **vars(stored), **sound, sample_rate=48000, channels=1)
    return space


def _put(key: str, data: bytes) -> Written:
    """Upload in one request. The archive itself makes a multipart upload of three."""
    bucket = store()
    answer = bucket.client.put_object(Bucket=bucket.bucket, Key=key, Body=data)
    return Written(key, len(data), hashlib.sha256(data).hexdigest(), zlib.crc32(data), answer["ETag"])
