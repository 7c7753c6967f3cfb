"""What can't be taken in is refused with its reason, and leaves nothing."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archive.errors import Refused, TooLate, Unreadable
from archive.intake.ingest import ingest
from archive.intake.request import Request
from archive.models import LogEntry, Space
from archive.storage import store

NOON = datetime(2020, 5, 1, 12, 0, tzinfo=UTC)
REFUSED: list[tuple[type[Refused], str, dict[str, Any]]] = [
    (Refused, "has no time zone: write the end as in 2026-11-22T14:05:00Z", {"ended_at": NOON.replace(tzinfo=None)}),
    (Refused, "that is in the future", {"ended_at": datetime(2999, 1, 1, tzinfo=UTC)}),
    (
        TooLate,
        r"ended at 2020-05-01 12:00 UTC, and its deadline was 2020-05-31 12:00 UTC\. "
        r"Every recording is kept for 30 days after its Space ended\.",
        {"ended_at": NOON},
    ),
    (Refused, "The title has 301 characters", {"title": "x" * 301}),
    (Refused, "is not a language tag", {"language": "english!"}),
    (Refused, "at most 2 co-hosts and 10 speakers", {"cohosts": ("a", "b", "c")}),
    (Refused, "at most 2 co-hosts and 10 speakers", {"speakers": ("a",) * 11}),
    (Refused, "1 to 100 characters", {"speakers": (" ",)}),
    (Refused, "whole numbers from 0 on", {"listeners_total": -1}),
    (Refused, "is not valid text", {"title": "caf\udce9"}),
]


@pytest.mark.parametrize(("error", "words", "wrong"), REFUSED)
def test_what_can_not_be_taken_in(
    talk: Callable[..., Request], error: type[Refused], words: str, wrong: dict[str, Any]
) -> None:
    with pytest.raises(error, match=words):
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


def test_a_bad_transcript_keeps_the_recording_out(talk: Callable[..., Request], tmp_path: Path) -> None:
    bad = tmp_path / "bad.vtt"
    bad.write_text("nothing of use")

    with pytest.raises(Unreadable, match=r"bad\.vtt: it has no times .* or --skip-bad-transcript"):
        ingest(talk(transcript=bad))

    assert not Space.objects.exists()


def test_unless_asked(talk: Callable[..., Request], tmp_path: Path) -> None:
    bad = tmp_path / "bad.vtt"
    bad.write_text("nothing of use")

    done = ingest(talk(transcript=bad, skip_bad_transcript=True))

    assert done.notes == [
        "bad.vtt: it has no times in a form that is known: WebVTT, SRT, Podcasting 2.0 JSON, captions of X (JSON "
        "lines), or text with a time like [00:12:34] in each line. It was left out; the recording was taken in."
    ]
    assert done.space.state == "available"
    assert not done.space.transcripts.exists()
