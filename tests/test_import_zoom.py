"""Zoom: audio and transcript are found, the chat is ignored, and the user must give the end."""

from pathlib import Path

import pytest

from archive.intake.importers import ImportCandidate, find, survey

LOCAL = "2026-11-22 20.05.10 Seeds and beans 98796876123"
CLOUD = "GMT20261122-190510_Recording"


def make(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"bytes")
    return folder


def left_out(path: Path) -> dict[str, str]:
    return {one.file: one.problem["code"] for one in survey(path).left_out}


def by_name(path: Path) -> dict[str, ImportCandidate]:
    return {one.recording: one for one in find(path)}


@pytest.mark.parametrize("sound", ["audio_only.m4a", "audio98796876123.m4a"])
def test_a_local_recording_folder(tmp_path: Path, sound: str) -> None:
    make(tmp_path / LOCAL, sound, "chat.txt", "recording.transcript.vtt", "video98796876123.mp4", "playback.m3u")

    (candidate,) = find(tmp_path)

    assert (candidate.recording, candidate.transcript) == (f"{LOCAL}/{sound}", f"{LOCAL}/recording.transcript.vtt")
    assert (candidate.facts.source, candidate.facts.title, candidate.missing) == (
        "Zoom",
        "Seeds and beans",
        ("--ended-at",),
    )
    assert candidate.facts.notes == (
        "The folder's name has the start in that computer's local time (2026-11-22 20.05.10), without zone.",
    )
    assert left_out(tmp_path) == {
        f"{LOCAL}/chat.txt": "import.chat",
        f"{LOCAL}/playback.m3u": "import.text",
        f"{LOCAL}/video98796876123.mp4": "import.film_of_meeting",
    }


def test_the_folder_itself(tmp_path: Path) -> None:
    (candidate,) = find(make(tmp_path / LOCAL, "audio_only.m4a", "meeting_saved_chat.txt"))

    assert (candidate.recording, candidate.facts.title) == ("audio_only.m4a", "Seeds and beans")


def test_separate_tracks_are_ignored(tmp_path: Path) -> None:
    make(tmp_path / LOCAL, "audio98796876123.m4a", "Audio Record/audioIda198796876123.m4a")

    candidates = by_name(tmp_path)

    assert list(candidates) == [f"{LOCAL}/audio98796876123.m4a"]
    assert left_out(tmp_path) == {f"{LOCAL}/Audio Record/audioIda198796876123.m4a": "import.own_track"}


def test_a_transcript_beside_two_recordings_matches_neither(tmp_path: Path) -> None:
    candidates = by_name(make(tmp_path / LOCAL, "audio_only.m4a", "audio_only_1.m4a", "recording.transcript.vtt"))

    assert [(name, one.transcript) for name, one in candidates.items()] == [
        ("audio_only.m4a", None),
        ("audio_only_1.m4a", None),
    ]


def test_a_cloud_recording(tmp_path: Path) -> None:
    other = "GMT20261123-080000_Recording"
    make(tmp_path, f"{CLOUD}.m4a", f"{CLOUD}_1920x1080.mp4", f"{CLOUD}.cc.vtt", f"{CLOUD}.transcript.vtt")
    make(tmp_path, f"{CLOUD.replace('Recording', 'RecordingnewChat')}.txt", f"{other}.m4a", f"{other}.cc.vtt")

    candidates = by_name(tmp_path)

    assert {name: one.transcript for name, one in candidates.items()} == {
        f"{CLOUD}.m4a": f"{CLOUD}.transcript.vtt",
        f"{other}.m4a": f"{other}.cc.vtt",
    }
    assert candidates[f"{CLOUD}.m4a"].missing == ("--ended-at",)
    assert candidates[f"{CLOUD}.m4a"].facts.notes == (
        "By its name, the recording began on 22 November 2026, 19:05 UTC. Zoom doesn't write when it ended.",
    )


def test_a_video_alone_is_a_recording(tmp_path: Path) -> None:
    make(tmp_path, f"{CLOUD}_1920x1080.mp4")

    assert list(by_name(tmp_path)) == [f"{CLOUD}_1920x1080.mp4"]


def test_an_invalid_date_in_the_name_is_ignored(tmp_path: Path) -> None:
    (candidate,) = find(make(tmp_path, "GMT99999999-999999_Recording.m4a"))

    assert (candidate.facts.source, candidate.facts.notes) == ("Zoom", ())
