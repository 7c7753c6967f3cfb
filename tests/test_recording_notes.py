"""Unusual properties of a recording are stored as codes, and shown on the page, by the command and by the API."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from archive.intake.publish import finish
from archive.models import Space, User
from tests.corpus.recordings import SHAPED
from tests.corpus.single_recordings import SINGLES
from tests.support.api_client import ApiClient
from tests.support.factory import make_row, make_space
from tests.support.uploads import store_upload

pytestmark = pytest.mark.usefixtures("db")

CASES = {case.name: case for case in SHAPED + SINGLES}


@pytest.fixture
def muted(tmp_path: Path) -> Path:
    """A recording that was muted for six seconds."""
    return CASES["gap 6 s: opus.webm"].make(tmp_path / "muted.webm")


def test_a_gap_is_noted_and_no_refusal(alice: User, muted: Path) -> None:
    space = make_row(alice, state="processing")
    store_upload(space, muted)

    assert finish(space.pk)

    recording = space.recordings.get()
    assert 9_950 <= recording.duration_ms <= 10_050
    assert 5_800 <= recording.silent_ms <= 6_200
    (note,) = recording.notes
    assert note["code"] == "audio.gaps"
    assert {name: round(value, 1) for name, value in note["params"].items()} == {
        "first": 2.0, "longest": 6.0, "total": 6.0,
    }  # fmt: skip
    assert all(round(value, 2) == value for value in note["params"].values())  # 5.9999 s would be shown as 0:05
    assert space.derived.get(kind="access-copy").reason == "audio.copy_gaps"
    assert space.derived.get(kind="peaks").reason == ""
    assert [note["code"] for note in recording.list_notes()] == ["audio.gaps", "audio.copy"]


def test_the_page_says_why_browsers_get_a_copy(alice: User, client: Client, muted: Path) -> None:
    space = make_space(alice, recording=muted, transcript=None)
    client.force_login(alice)

    page = client.get(f"/spaces/{space.pk}/").content.decode()

    assert "About this recording" in page
    assert "The timestamps of the file have gaps" in page
    assert "the first at 0:02" in page


def test_a_plain_recording_has_no_notes(alice: User, client: Client, tone: Path) -> None:
    space = make_space(alice, recording=tone, transcript=None)
    client.force_login(alice)

    assert space.recordings.get().list_notes() == []
    assert "About this recording" not in client.get(f"/spaces/{space.pk}/").content.decode()


def test_the_command_reports_the_notes(alice: User, muted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    end = "2026-11-27T10:00:00Z"

    call_command("ingest", str(muted), "--host", "alice", "--title", "Muted", "--ended-at", end, "--json")

    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert len(printed["notes"]) == 2
    assert all(note.startswith("muted.webm: ") for note in printed["notes"])


def test_the_api_reports_codes(alice: User, muted: Path) -> None:
    space: Space = make_space(alice, recording=muted, transcript=None)

    answer = ApiClient(user=alice).get(f"/spaces/{space.pk}").json

    assert [note["code"] for note in answer["notes"]] == ["audio.gaps", "audio.copy"]


def test_the_api_reports_what_was_repaired_in_the_transcript(alice: User, tone: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.vtt"
    words.write_text("WEBVTT\n\n00:00.500 --> 00:00.500\nBeans.\n")
    space: Space = make_space(alice, recording=tone, transcript=words)

    answer = ApiClient(user=alice).get(f"/spaces/{space.pk}").json

    assert [note["code"] for note in answer["notes"]] == ["transcript.no_length"]


def test_the_track_that_was_taken_is_named(alice: User, tmp_path: Path) -> None:
    path = CASES["first track silent.mp4"].make(tmp_path / "obs.mp4")

    recording = make_space(alice, recording=path, transcript=None).recordings.get()

    assert recording.notes == [{"code": "audio.track_chosen", "params": {"tracks": 2, "track": "2", "others": "1"}}]
