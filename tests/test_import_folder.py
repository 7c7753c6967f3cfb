"""Which files of a folder are imported as recordings, and which files beside them as their metadata."""

from pathlib import Path

import pytest

from archive.errors import Unreadable
from archive.intake.importers import find, survey
from tests.support.errors import raises_error


def names(path: Path) -> list[str]:
    return [one.recording for one in find(path)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "recordings"
    for name in ("a.m4a", "deep/er/b.OPUS", ".hidden.m4a", ".git/c.m4a", "__MACOSX/._a.m4a", "notes.txt", "film.mov"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(b"bytes")
    return place


def test_recordings_in_subfolders_are_found_and_hidden_files_ignored(folder: Path) -> None:
    assert names(folder) == ["a.m4a", "deep/er/b.OPUS", "film.mov"]


def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.m4a").write_bytes(b"bytes")
    (folder / "folder").symlink_to(tmp_path / "elsewhere")
    (folder / "file.m4a").symlink_to(tmp_path / "elsewhere" / "secret.m4a")

    assert names(folder) == ["a.m4a", "deep/er/b.OPUS", "film.mov"]


def test_a_named_file_needs_no_known_extension(tmp_path: Path) -> None:
    (tmp_path / "talk").write_bytes(b"bytes")
    (tmp_path / "talk.vtt").write_text("WEBVTT")
    (tmp_path / "other.m4a").write_bytes(b"bytes")

    (candidate,) = find(tmp_path / "talk")

    assert (candidate.recording, candidate.transcript, candidate.missing) == ("talk", "talk.vtt", ("--ended-at",))


def test_a_files_modification_time_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "talk.m4a").write_bytes(b"bytes")

    (candidate,) = find(tmp_path / "talk.m4a")

    assert (candidate.facts.ended_at, candidate.facts.notes) == (None, ())


def test_a_damaged_metadata_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "talk.m4a").write_bytes(b"bytes")
    (tmp_path / "talk.json").write_text("[" * 10_000)

    (left_out,) = survey(tmp_path).left_out

    assert left_out.as_json() == {
        "file": "talk.json",
        "count": 1,
        "code": "import.json_too_deep",
        "problem": "The JSON is nested too deeply to be read.",
    }


def test_an_empty_folder_is_reported(tmp_path: Path) -> None:
    with raises_error(Unreadable, "import.no_recording"):
        find(tmp_path)
