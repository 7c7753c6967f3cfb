"""Many Spaces, some on hold, some flagged, some due; and what people know about them, whatever the rows say."""

import hashlib
import os
import random
import struct
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID, uuid4

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from archive import dbtime
from archive.models import (
    Recording,
    Space,
    Transcript,
    User,
)
from archive.moderation import holds
from archive.storage import keys, store, write
from tests.faults import ForkServer
from tests.faults.tables import promised
from tests.support import speech_samples
from tests.support.factory import make_row

DAY = timedelta(days=1)
SPEECH_SECONDS = 4.5  # "It was the best of times, it was the worst of times"
LEAST = 6  # Spaces without a legal hold


@dataclass
class Known:
    """What the archive has acknowledged. `recordings`: the SHA-256 of each. `words`: words of transcripts. `due`:
    Spaces whose deadline has passed; no others may be deleted. `held`: Spaces whose hold is never released."""

    recordings: dict[UUID, str] = field(default_factory=dict)
    words: dict[UUID, set[str]] = field(default_factory=dict)
    due: set[UUID] = field(default_factory=set)
    held: set[UUID] = field(default_factory=set)


class World:
    def __init__(self, fork_server: ForkServer, chance: random.Random, alice: User, tone: Path, folder: Path) -> None:
        self.fork_server, self.chance, self.alice, self.folder = fork_server, chance, alice, folder
        self.tone = tone.read_bytes()
        self.speech = speech_samples.first_seconds(speech_samples.extract_reading(folder), SPEECH_SECONDS)
        self.known = Known()
        for _ in range(2):
            held = make_row(alice, title=f"Held {uuid4()}")
            self._fill(held)
            holds.place(held.pk, "A court asks.", User.objects.get(username="ada"))
            Space.objects.filter(pk=held.pk).update(ended_at=dbtime.now() - 200 * DAY)
            self.known.held.add(held.pk)
        # Long enough for the store to copy a part: the worker uploads 5 MiB itself, and a part has at least 5 MiB.
        self._fill(make_row(alice, title=f"Long {uuid4()}"), size=11 * 1024**2)

    def refill(self) -> None:
        while self.plain().count() < LEAST:
            self._fill(make_row(self.alice, title=f"Plain {uuid4()}"))

    def _fill(self, space: Space, size: int = 3000) -> None:
        self._record(space, os.urandom(size), duration_ms=60_000)
        words = keys.transcript(space.pk, "1", "en")
        stored = write(store(), words, BytesIO(space.title.encode()), "text/vtt", check=lambda: None)
        cue = {"start_ms": 0, "end_ms": 2000, "speaker": "Ida", "text": space.title}
        Transcript.objects.create(space=space, language="en", cues=[cue], **vars(stored))

    def _record(self, space: Space, sound: bytes, duration_ms: int) -> None:
        facts = {"extension": "wav", "content_type": "audio/wav", "codec": "pcm_s16le", "duration_ms": duration_ms}
        stored = write(store(), keys.recording(space.pk, 1, "wav"), BytesIO(sound), "audio/wav", check=lambda: None)
        Recording.objects.create(space=space, **vars(stored), **facts, sample_rate=48000, channels=1)
        self.known.recordings[space.pk] = hashlib.sha256(sound).hexdigest()

    def speech_space(self) -> Space:
        """Create a Space with speech and without a transcript."""
        space = make_row(self.alice, title=f"Spoken {uuid4()}")
        self._record(space, self.speech + os.urandom(16), duration_ms=round(1000 * SPEECH_SECONDS))
        return space

    def plain(self) -> QuerySet[Space]:
        return self.living().filter(state="available")

    def living(self) -> QuerySet[Space]:
        """Return Spaces without a hold and before their deadline."""
        available = Q(state__in=["available", "rejected"], expires_at__gt=Now())
        return Space.objects.filter(available).exclude(title__startswith="Long").order_by("pk")

    def one(self, condition: Q | None = None) -> Space | None:
        """Return a random available Space that meets the condition, or None."""
        spaces = list(self.plain().filter(condition or Q()).distinct())
        return self.chance.choice(spaces) if spaces else None

    def recording(self) -> tuple[str, str]:
        """Write a new, unique recording and return it with its SHA-256."""
        path = self.folder / f"{uuid4()}.m4a"
        data = self.tone + struct.pack(">I4s", 8 + 16, b"free") + os.urandom(16)
        path.write_bytes(data)
        return str(path), hashlib.sha256(data).hexdigest()

    def text(self, words: str, ending: str) -> str:
        path = self.folder / f"{uuid4()}.{ending}"
        path.write_text(words)
        return str(path)

    def stray(self, space: Space) -> None:
        """Create what a restored backup may bring back: an object, and an open multipart upload."""
        client, bucket = store().client, store().bucket
        client.put_object(Bucket=bucket, Key=f"{keys.prefix(space.pk)}stray/{uuid4()}", Body=b"back")
        client.create_multipart_upload(Bucket=bucket, Key=f"{keys.prefix(space.pk)}stray/{uuid4()}")

    def pass_deadline(self, space: Space) -> None:
        """Move the end of the Space so far back that its deadline has passed."""
        space.refresh_from_db()
        lifted = list(space.violations.values_list("lifted_at", flat=True))
        ended_at = dbtime.now() - 121 * DAY
        Space.objects.filter(pk=space.pk).update(ended_at=ended_at, expires_at=promised(ended_at, lifted, held=False))
        self.known.due.add(space.pk)

    def acknowledge_words(self, space: Space, words: str) -> None:
        """Record words of a transcript whose upload was confirmed."""
        self.known.words.setdefault(space.pk, set()).add(words)

    def acknowledge_recording(self, title: str, sha256: str) -> None:
        self.known.recordings[Space.objects.get(title=title).pk] = sha256


def a_day_ago(moment: datetime) -> datetime:
    return moment - timedelta(hours=25)
