"""Invalid requests are refused with a reason, and leave nothing behind."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archive import dbtime
from archive.errors import Refused, TooLate, Unreadable
from archive.intake.ingest import ingest
from archive.intake.request import Request, validate_ended_at
from archive.models import LogEntry, Space
from archive.storage import store
from tests.support.errors import raises_error

NOON = datetime(2020, 5, 1, 12, 0, tzinfo=UTC)
REFUSED: list[tuple[type[Refused], str, dict[str, Any]]] = [
    (Refused, "intake.no_time_zone", {"ended_at": NOON.replace(tzinfo=None)}),
    (Refused, "intake.end_in_future", {"ended_at": datetime(2999, 1, 1, tzinfo=UTC)}),
    (
        TooLate,
        "intake.deadline_passed",
        {"ended_at": NOON},
    ),
    (Refused, "intake.title_too_long", {"title": "x" * 301}),
    (Refused, "upload.bad_language", {"language": "english!"}),
    (Refused, "intake.too_many_participants", {"cohosts": ("a", "b", "c")}),
    (Refused, "intake.too_many_participants", {"speakers": ("a",) * 11}),
    (Refused, "intake.name_invalid", {"speakers": (" ",)}),
    (Refused, "intake.listeners_invalid", {"listeners_total": -1}),
    (Refused, "intake.invalid_text", {"title": "caf\udce9"}),
]


@pytest.mark.parametrize(("error", "code", "wrong"), REFUSED)
def test_invalid_requests_are_refused(
    talk: Callable[..., Request], error: type[Refused], code: str, wrong: dict[str, Any]
) -> None:
    with raises_error(error, code):
        ingest(talk(**wrong))

    assert not Space.objects.exists()


def test_unreadable_audio_leaves_nothing(talk: Callable[..., Request], tmp_path: Path) -> None:
    fake, before = tmp_path / "talk.mp3", store().listing("spaces/")
    fake.write_text("not a sound")

    with pytest.raises(Unreadable):
        ingest(talk(recording=fake))

    assert not Space.objects.exists()
    assert not LogEntry.objects.exists()
    assert store().listing("spaces/") == before


def test_a_bad_transcript_refuses_the_recording(talk: Callable[..., Request], tmp_path: Path) -> None:
    bad = tmp_path / "bad.vtt"
    bad.write_text("nothing of use")

    with raises_error(Unreadable, "transcript.give_option"):
        ingest(talk(transcript=bad))

    assert not Space.objects.exists()


def test_a_bad_transcript_can_be_skipped(talk: Callable[..., Request], tmp_path: Path) -> None:
    bad = tmp_path / "bad.vtt"
    bad.write_text("nothing of use")

    done = ingest(talk(transcript=bad, skip_bad_transcript=True))

    assert done.notes == [
        "bad.vtt: The file has no times in a known format. Known are WebVTT, SRT, SBV, JSON of Podcasting 2.0 and of "
        "Whisper, WhisperX and whisper.cpp, TSV of Whisper, TTML, ASS and SSA, LRC, text of Otter, captions of X (JSON "
        "lines), and text with a time like [00:12:34] in each line. Export the transcript in one of them, WebVTT for "
        "example. It was left out; the recording was taken in."
    ]
    assert done.space.state == "available"
    assert not done.space.transcripts.exists()


@pytest.mark.usefixtures("db")
def test_an_end_of_a_clock_that_is_a_little_ahead_is_now() -> None:
    now = dbtime.now()

    assert now <= validate_ended_at(now + timedelta(seconds=55)) <= dbtime.now()
    assert validate_ended_at(now - timedelta(seconds=1)) == now - timedelta(seconds=1)
    with raises_error(Refused, "intake.end_in_future"):
        validate_ended_at(now + timedelta(seconds=90))
