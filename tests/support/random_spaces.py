"""Hypothesis strategies for Spaces with random content, and functions that create their rows and objects."""

import random
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO

from hypothesis import strategies as st

from archive import cues, dbtime
from archive.cues import Cue
from archive.models import Participant, Recording, Space, Transcript, User
from archive.storage import keys, store, write
from tests.support.factory import make_row

MIB = 1024**2

letters = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")  # PostgreSQL accepts neither
nasty = st.sampled_from(["", ".", "../../x", "CON", "con.txt", "🌱" * 300, "\u202eexe.pdf", "e\u0301", "  x. "])
titles = nasty | st.text(letters, max_size=300)
spoken = st.text(letters, max_size=60).map(cues.plain)
names = st.text(letters, min_size=1, max_size=100)

# The worker uploads a recording's bytes itself until they fill a part (5 MiB): sizes around it change the plan.
# The ZIP header and the small members count too, so the limit is slightly lower.
edges = st.builds(int.__add__, st.sampled_from([5 * MIB, 10 * MIB, 16 * MIB]), st.integers(-3000, 3000) | st.just(0))
small = st.integers(1, 100_000)
sizes = st.one_of(small, small, small, edges)


@dataclass(frozen=True)
class RecordingShape:
    size: int
    extension: str
    seed: int

    def data(self) -> bytes:
        return random.Random(self.seed).randbytes(self.size)


@dataclass(frozen=True)
class TranscriptShape:
    language: str
    cues: list[Cue]


@dataclass(frozen=True)
class SpaceShape:
    """A generated Space. `sounds`: its recordings in order; `words`: its transcripts in order."""

    title: str
    ended_at: datetime
    participants: list[tuple[str, str]]
    sounds: list[RecordingShape]
    words: list[TranscriptShape]


spans = st.tuples(st.integers(0, 90_000_000), st.integers(1, 600_000))
lines = st.builds(lambda span, who, what: Cue(span[0], sum(span), who, what), spans, spoken, spoken.filter(bool))
shapes = st.builds(
    SpaceShape,
    titles,
    st.datetimes(datetime(1970, 1, 2), datetime(2026, 10, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.lists(st.tuples(st.sampled_from(["cohost", "speaker"]), names), max_size=2),
    st.lists(
        st.builds(RecordingShape, sizes, st.sampled_from(["m4a", "mp3", "ogg", "wav", "ts"]), st.integers(0, 2**32)),
        min_size=1,
        max_size=3,
    ),
    st.lists(
        st.builds(TranscriptShape, st.sampled_from(["en", "und", "pt-BR", "zh-Hant-TW"]), st.lists(lines, max_size=8)),
        max_size=3,
    ),
)


def make_random_space(host: User, shape: SpaceShape) -> tuple[Space, dict[str, bytes]]:
    """Create the Space. Return it with the bytes of its recordings by key."""
    space = make_row(host, title=shape.title, ended_at=shape.ended_at, expires_at=dbtime.now() + timedelta(days=10))
    for seat, (role, name) in enumerate(shape.participants, 1):
        Participant.objects.create(space=space, role=role, seat=seat, name=name)
    stored = {}
    for number, sound in enumerate(shape.sounds, 1):
        recording = make_recording(space, sound, number)
        stored[recording.key] = sound.data()
    for number, words in enumerate(shape.words, 1):
        _transcript(space, words, number)
    return space, stored


def make_recording(space: Space, sound: RecordingShape, number: int = 1) -> Recording:
    key, kind = keys.recording(space.id, number, sound.extension), "application/octet-stream"
    data = sound.data()
    written = write(store(), key, BytesIO(data), kind, check=lambda: None)
    assert written.crc32 == zlib.crc32(data)
    facts = {"codec": "pcm_s16le", "duration_ms": 1, "sample_rate": 48000, "channels": 1}
    known = {"number": number, "extension": sound.extension, "content_type": kind}
    return Recording.objects.create(space=space, **vars(written), **known, **facts)


def _transcript(space: Space, words: TranscriptShape, number: int) -> None:
    key = keys.transcript(space.id, str(number), words.language)
    written = write(store(), key, BytesIO(cues.to_vtt(words.cues).encode()), "text/vtt", check=lambda: None)
    rows = cues.dump(words.cues)
    Transcript.objects.create(space=space, **vars(written), number=number, language=words.language, cues=rows)
