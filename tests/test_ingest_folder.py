"""`manage.py ingest` on folders, archives and several files."""

import json
import shutil
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archive import dbtime
from archive.models import Space, User
from tests.support.ingest_command import Run, make_runner

pytestmark = pytest.mark.usefixtures("committed")

NAME = "(Nora)Seeds-1ypKdEXvkMLGW"
COMPANIONS = [f"{NAME}.json: metadata of {NAME}.m4a.", f"{NAME}.vtt: transcript of {NAME}.m4a."]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return make_runner(capsys, "--host", "alice")


@pytest.fixture
def ended_at() -> datetime:
    return (dbtime.now() - timedelta(days=1)).replace(microsecond=250_000)


@pytest.fixture
def spaces(tmp_path: Path, tone: Path, ended_at: datetime) -> Path:
    """A folder of twspace-dl with captions as WebVTT, and another recording without metadata."""
    folder = tmp_path / "spaces"
    folder.mkdir()
    metadata: dict[str, Any] = {
        "title": "Seeds",
        "rest_id": "1ypKdEXvkMLGW",
        "ended_at": str(int(ended_at.timestamp() * 1000)),
        "conversation_controls": 2,
        "total_live_listeners": 435,
    }
    participants = {"admins": [{"display_name": "Felix"}], "speakers": [{"display_name": "Ida"}]}
    answer = {"data": {"audioSpace": {"metadata": metadata, "participants": participants}}}
    shutil.copy(tone, folder / "(Nora)Seeds-1ypKdEXvkMLGW.m4a")
    (folder / "(Nora)Seeds-1ypKdEXvkMLGW.json").write_text(json.dumps(answer))
    (folder / "(Nora)Seeds-1ypKdEXvkMLGW.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\n<v Ida>Beans.\n")
    shutil.copy(tone, folder / "talk.m4a")
    return folder


def without_talk(spaces: Path) -> Path:
    (spaces / "talk.m4a").unlink()
    return spaces


def test_a_folder_is_ingested_with_its_metadata(run: Run, alice: User, spaces: Path, ended_at: datetime) -> None:
    status, out, err = run(str(without_talk(spaces)))

    space = Space.objects.get()
    assert (status, out) == (0, f"{space.pk}\n")
    assert err.splitlines() == [f"{NAME}.m4a: accepted.", *COMPANIONS]
    assert (space.title, space.audience, space.ended_at) == ("Seeds", "everyone", ended_at)
    assert (space.listeners_total, space.listeners_peak) == (435, None)
    assert [p.name for p in space.participants.order_by("role")] == ["Felix", "Alice", "Ida"]
    assert space.transcripts.get().cues[0]["text"] == "Beans."


def test_missing_facts_of_one_file_do_not_stop_the_others(run: Run, alice: User, spaces: Path) -> None:
    status, out, err = run(str(spaces))

    assert (status, out) == (1, f"{Space.objects.get().pk}\n")
    assert err.splitlines() == [
        f"{NAME}.m4a: accepted.",
        "talk.m4a: refused. When did the Space end? Give --ended-at: its deadline counts from there.",
        *COMPANIONS,
        "CommandError: 1 of 2 recordings were refused: see above.",
    ]


def test_json_of_several_is_one_object(run: Run, alice: User, spaces: Path) -> None:
    status, out, _ = run(str(spaces), "--json")

    document = json.loads(out)
    assert status == 1
    assert [(one["id"], one["file"], one["state"]) for one in document["spaces"]] == [
        (str(Space.objects.get().pk), "(Nora)Seeds-1ypKdEXvkMLGW.m4a", "available")
    ]
    assert [one["file"] for one in document["rejected"]] == ["talk.m4a"]


def test_options_override_metadata(run: Run, alice: User, spaces: Path) -> None:
    end = datetime(2020, 1, 1, tzinfo=UTC).replace(year=dbtime.now().year) - timedelta(hours=1)
    end = max(end, dbtime.now() - timedelta(days=2)).replace(microsecond=0)

    status, _, err = run(str(without_talk(spaces)), "--title", "Peas", "--ended-at", end.isoformat(), "--cohost", "Jo")

    space = Space.objects.get()
    assert (status, space.title, space.ended_at) == (0, "Peas", end)
    assert space.participants.get(role="cohost").name == "Jo"
    assert "By its files it ended on " in err
    assert "; --ended-at was used." in err


def test_one_end_for_files_with_their_own_is_refused(run: Run, alice: User, spaces: Path) -> None:
    status, _, err = run(str(spaces), "--ended-at", (dbtime.now() - timedelta(days=2)).isoformat())

    assert status == 1
    assert err == (
        "CommandError: --ended-at is for recordings whose end is not known, but (Nora)Seeds-1ypKdEXvkMLGW.m4a has one. "
        "Omit the option.\n"
    )
    assert not Space.objects.exists()


def test_a_dry_run_shows_and_does_nothing(run: Run, alice: User, spaces: Path) -> None:
    status, out, err = run(str(spaces), "--dry-run")

    assert (status, Space.objects.count()) == (1, 0)
    assert err == "CommandError: 1 of 2 recordings would be refused.\n"
    lines = out.splitlines()
    assert lines[:2] == ["Seeds", "  (Nora)Seeds-1ypKdEXvkMLGW.m4a (twspace-dl), with (Nora)Seeds-1ypKdEXvkMLGW.vtt"]
    assert lines[3:] == [
        "  could talk: everyone",
        "  co-hosts: Felix",
        "  speakers: Ida",
        "  435 listeners",
        "talk",
        "  talk.m4a (file)",
        "  ended: unknown",
        "  REFUSED: When did the Space end? Give --ended-at: its deadline counts from there.",
        *COMPANIONS,
    ]


def test_a_dry_run_as_json(run: Run, alice: User, spaces: Path, ended_at: datetime) -> None:
    status, out, _ = run(str(without_talk(spaces)), "--dry-run", "--json")

    assert (status, Space.objects.count()) == (0, 0)
    assert json.loads(out) == {
        "spaces": [
            {
                "file": "(Nora)Seeds-1ypKdEXvkMLGW.m4a",
                "transcript": "(Nora)Seeds-1ypKdEXvkMLGW.vtt",
                "source": "twspace-dl",
                "title": "Seeds",
                "ended_at": ended_at.isoformat(),
                "audience": "everyone",
                "cohosts": ["Felix"],
                "speakers": ["Ida"],
                "listeners_peak": None,
                "listeners_total": 435,
                "language": "",
                "notes": [],
                "problem": "",
            }
        ],
        "rejected": [],
        "companions": [
            {"file": f"{NAME}.json", "recording": f"{NAME}.m4a", "kind": "metadata", "language": ""},
            {"file": f"{NAME}.vtt", "recording": f"{NAME}.m4a", "kind": "transcript", "language": ""},
        ],
        "left_out": [],
    }


def test_an_archive_is_ingested_and_leaves_no_files(
    run: Run, alice: User, spaces: Path, tmp_path: Path, settings: Any
) -> None:
    (tmp_path / "work").mkdir()
    settings.SPOOL_DIR = str(tmp_path / "work")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in without_talk(spaces).iterdir():
            archive.write(file, f"all/{file.name}")

    status, out, _ = run(str(tmp_path / "all.zip"))

    assert (status, out) == (0, f"{Space.objects.get().pk}\n")
    assert Space.objects.get().transcripts.count() == 1
    assert list((tmp_path / "work").iterdir()) == []


def test_a_file_uses_the_metadata_beside_it(run: Run, alice: User, spaces: Path) -> None:
    status, out, _ = run(str(spaces / "(Nora)Seeds-1ypKdEXvkMLGW.m4a"), "--json")

    assert (status, json.loads(out)["id"]) == (0, str(Space.objects.get().pk))
    assert Space.objects.get().title == "Seeds"


def test_an_invalid_recording_does_not_stop_the_others(run: Run, alice: User, spaces: Path) -> None:
    (spaces / "(Nora)Seeds-1ypKdEXvkMLGW.mp3").write_text("not sound")

    status, out, err = run(str(without_talk(spaces)))

    assert (status, out) == (1, f"{Space.objects.get().pk}\n")
    assert "(Nora)Seeds-1ypKdEXvkMLGW.mp3: " in err
    assert err.endswith("CommandError: 1 of 2 recordings were refused: see above.\n")


def test_an_empty_folder(run: Run, alice: User, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()

    status, out, err = run(str(tmp_path / "nothing"))

    assert (status, out) == (1, "")
    assert err.startswith("CommandError: nothing: It contains no recording: no file with sound")
