"""X data archives: the metadata of each Space, or the timestamps in a recording if metadata is missing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import pytest

from archive.errors import Unreadable
from archive.intake.importers import ImportCandidate, _survey, find, survey
from archive.intake.importers.tree import Folder
from tests.support.errors import raises_error

SPACE: dict[str, Any] = {
    "id": "1ypKdEXvkMLGW",
    "creatorUserId": "12497",
    "hostUserIds": ["12497"],
    "speakers": [{"userId": "12497"}, {"userId": "6844292"}],
    "createdAt": "2026-11-22T19:00:00.000Z",
    "endedAt": "2026-11-22T20:05:10.250Z",
    "totalParticipating": "0",
    "totalParticipated": "435",
    "invitedUserIds": [],
}


def make_archive(root: Path, *spaces: object, script: str = "window.YTD.spaces_metadata.part0 = ") -> Path:
    media = root / "data" / "spaces_media"
    media.mkdir(parents=True)
    (media / "space-1ypKdEXvkMLGW_0.ts").write_bytes(b"ID3 and raw AAC")
    (root / "data" / "spaces-metadata.js").write_text(script + json.dumps(spaces))
    (root / "data" / "tweets_media").mkdir()
    (root / "data" / "tweets_media" / "1504604448202518529-cat.mp4").write_bytes(b"a film")
    (root / "Your archive.html").write_text("<html>")
    return root


def only(path: Path) -> ImportCandidate:
    (candidate,) = find(path)
    return candidate


@pytest.mark.parametrize(
    "wrap", [lambda space: space, lambda space: {"spacesMetadata": space}], ids=["plain", "wrapped"]
)
def test_a_recording_is_matched_with_its_metadata(tmp_path: Path, wrap: Any) -> None:
    candidate = only(make_archive(tmp_path, wrap({"id": "1other", "endedAt": 1}), wrap(SPACE)))

    assert candidate.recording == "data/spaces_media/space-1ypKdEXvkMLGW_0.ts"
    assert candidate.facts.source == "X data archive"
    assert candidate.facts.ended_at == datetime(2026, 11, 22, 20, 5, 10, 250_000, tzinfo=UTC)
    assert (candidate.facts.title, candidate.facts.listeners_total, candidate.facts.listeners_peak) == ("", 435, None)
    assert candidate.facts.notes == ("spaces-metadata.js: it lists 2 speakers by account number only, not by name.",)
    assert candidate.missing == ()


@pytest.mark.parametrize("ended_at", [1795377910250, "1795377910250"])
def test_an_end_in_milliseconds_is_understood(tmp_path: Path, ended_at: object) -> None:
    candidate = only(make_archive(tmp_path, SPACE | {"endedAt": ended_at}))

    assert candidate.facts.ended_at == datetime(2026, 11, 22, 20, 5, 10, 250_000, tzinfo=UTC)


@pytest.mark.parametrize("ended_at", ["2026-11-22T20:05:10", "22/11/2026", 17, True, [], {}, "1" * 400, -5])
def test_an_invalid_end_is_asked_for(tmp_path: Path, ended_at: object) -> None:
    candidate = only(make_archive(tmp_path, SPACE | {"endedAt": ended_at}))

    assert candidate.facts.ended_at is None
    assert candidate.missing == ("--ended-at",)
    assert candidate.facts.notes[0].startswith("spaces-metadata.js: its endedAt is ")


def test_a_missing_end_is_reported(tmp_path: Path) -> None:
    candidate = only(make_archive(tmp_path, {"id": "1ypKdEXvkMLGW"}))

    assert candidate.facts.notes == ("spaces-metadata.js: it doesn't say when the Space ended (endedAt is missing).",)


def test_the_recordings_timestamps_give_the_end(tmp_path: Path) -> None:
    """3856965984 seconds since 1900 are 2022-03-22 19:26:24 UTC."""
    root = make_archive(tmp_path)
    pieces = [b'ID3 JSONMetadata {"HydraVersion":4,"ntp":%d.391}' % second for second in (3856965984, 3856969810)]
    recording = root / "data" / "spaces_media" / "space-1ypKdEXvkMLGW_0.ts"
    recording.write_bytes(pieces[0] + bytes(600_000) + pieces[1] + bytes(1000))

    candidate = only(root)

    assert candidate.facts.ended_at == datetime(2022, 3, 22, 20, 30, 10, tzinfo=UTC)
    assert candidate.facts.notes[-1] == (
        "space-1ypKdEXvkMLGW_0.ts: the end was taken from the recording's own clock, which stops at 20:30:10 UTC."
    )


@pytest.mark.parametrize("last", [3856965984, 3856965000, 3857965984], ids=["the same", "earlier", "days later"])
def test_implausible_timestamps_are_ignored(tmp_path: Path, last: int) -> None:
    root = make_archive(tmp_path)
    pieces = [b'{"ntp":%d.391}' % second for second in (3856965984, last)]
    (root / "data" / "spaces_media" / "space-1ypKdEXvkMLGW_0.ts").write_bytes(bytes(10).join(pieces))

    assert only(root).facts.ended_at is None


def test_a_damaged_metadata_file_is_reported_and_the_recording_kept(tmp_path: Path) -> None:
    root = make_archive(tmp_path)
    (root / "data" / "spaces-metadata.js").write_text('window.YTD.spaces_metadata.part0 = [{"id": "1ypK')

    candidate = only(root)

    assert candidate.missing == ("--ended-at",)
    assert candidate.facts.notes == ("spaces-metadata.js: The file is not JSON, or its end is missing.",)


def test_videos_of_posts_are_not_spaces(tmp_path: Path) -> None:
    root = make_archive(tmp_path, SPACE)
    (root / "data" / "spaces_media" / "space-1ypKdEXvkMLGW_0.ts").unlink()

    with raises_error(Unreadable, "import.no_recording"):
        find(root)


def test_two_recordings_of_one_space_are_reported(tmp_path: Path) -> None:
    root = make_archive(tmp_path, SPACE)
    (root / "data" / "spaces_media" / "space-1ypKdEXvkMLGW_1.ts").write_bytes(b"ID3 and more")

    candidates = find(root)

    assert [one.name for one in candidates] == ["space-1ypKdEXvkMLGW_0.ts", "space-1ypKdEXvkMLGW_1.ts"]
    assert "the archive has this Space in 2 files" in candidates[0].facts.notes[-1]


def test_each_file_of_an_archive_is_accounted_for(tmp_path: Path) -> None:
    root = make_archive(tmp_path, SPACE)
    for number in range(30):
        (root / "data" / "tweets_media" / f"{number}.jpg").write_bytes(b"\xff\xd8\xff")
    (root / "data" / "account.js").write_text("window.YTD.account.part0 = []")
    (root / "data" / "spaces_media" / "space-1ypKdEXvkMLGW_0.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nx\n")

    found = survey(root)

    recording = "data/spaces_media/space-1ypKdEXvkMLGW_0.ts"
    assert [(one.file, one.recording) for one in found.companions] == [
        ("data/spaces-metadata.js", recording),
        ("data/spaces_media/space-1ypKdEXvkMLGW_0.vtt", recording),
    ]
    assert [(one.file, one.count, one.problem["code"]) for one in found.left_out] == [
        ("Your archive.html", 1, "import.text"),
        ("data/account.js", 1, "import.not_about_spaces"),
        ("data/tweets_media/", 31, "import.not_about_spaces"),
    ]


def test_files_that_are_not_about_spaces_are_not_opened(tmp_path: Path) -> None:
    root = make_archive(tmp_path, SPACE)
    opened: list[str] = []

    class Watched(Folder):
        @contextmanager
        def open(self, name: str) -> Iterator[IO[bytes]]:
            opened.append(name)
            with super().open(name) as file:
                yield file

    _survey(Watched(root))

    assert {name for name in opened if name.startswith("data/")} == {
        "data/spaces-metadata.js",
        "data/spaces_media/space-1ypKdEXvkMLGW_0.ts",
    }


def test_metadata_without_its_recording_is_listed_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "talk.m4a").write_bytes(b"bytes")
    (tmp_path / "spaces-metadata.js").write_text("window.YTD.spaces_metadata.part0 = " + json.dumps([SPACE]))

    found = survey(tmp_path)

    assert [one.recording for one in found.candidates] == ["talk.m4a"]
    assert [(one.file, one.problem["code"]) for one in found.left_out] == [
        ("spaces-metadata.js", "import.metadata_of_others")
    ]
