"""The command reads transcripts like `parse`, keeps their language, and prints their notes."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command

from archive import dbtime
from archive.models import Space, User

pytestmark = pytest.mark.usefixtures("committed")

CASES = Path(__file__).parent / "corpus" / "transcripts" / "cases"


@pytest.mark.parametrize(
    ("name", "lines", "codes", "language"),
    [
        ("srt_name_on_change_only.srt", 5, ["transcript.past_end", "transcript.speakers_carried"], "und"),
        ("vtt_youtube_rolling.vtt", 3, ["transcript.past_end", "transcript.rolling"], "en"),
        ("vtt_of_another_recording_2h.vtt", 1, ["transcript.past_end"], "und"),
        ("whisper.json", 2, ["transcript.past_end"], "en"),
        ("json_cjk_words.json", 2, ["transcript.past_end", "transcript.words_joined"], "und"),
    ],
)
def test_a_transcript_is_ingested_with_its_notes(
    name: str,
    lines: int,
    codes: list[str],
    language: str,
    tone: Path,
    alice: User,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ended_at = (dbtime.now() - timedelta(days=1)).isoformat()

    call_command("ingest", str(tone), host="alice", ended_at=ended_at, transcript=CASES / name, json=True)

    transcript = Space.objects.get().transcripts.get()
    assert (len(transcript.cues), transcript.language) == (lines, language)
    assert sorted(note["code"] for note in transcript.notes) == codes
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert [note for note in notes if note.startswith(f"{name}: It continues until")]
