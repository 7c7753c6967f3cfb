"""`manage.py ingest`: its output and exit status."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from archive import dbtime
from archive.models import Space, User
from tests.support.audio_files import make_tone
from tests.support.ingest_command import Run, make_runner

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return make_runner(capsys)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    return make_tone(tmp_path / "A talk.m4a", "m4a", seconds=1)


def yesterday() -> str:
    return (dbtime.now() - timedelta(days=1)).isoformat()


def test_the_command_prints_only_the_id(run: Run, alice: User, talk: Path) -> None:
    status, out, err = run(str(talk), "--host", "alice", "--ended-at", yesterday())

    space = Space.objects.get()
    assert (status, out, err) == (0, f"{space.pk}\n", "")
    assert (space.title, space.state) == ("A talk", "available")


def test_json_output_is_one_object(run: Run, alice: User, talk: Path) -> None:
    ended_at = yesterday()

    status, out, err = run(str(talk), "--host", "alice", "--ended-at", ended_at, "--json")

    assert (status, err) == (0, "")
    space = Space.objects.get()
    assert space.expires_at is not None
    assert json.loads(out) == {
        "id": str(space.pk),
        "created": True,
        "state": "available",
        "ended_at": ended_at,
        "expires_at": space.expires_at.isoformat(),
        "notes": [],
        "companions": [],
        "left_out": [],
    }


def test_a_repeated_command_prints_the_same_id(run: Run, alice: User, talk: Path) -> None:
    call = (str(talk), "--host", "alice", "--ended-at", yesterday())
    run(*call)

    status, out, err = run(*call)

    assert (status, out) == (0, f"{Space.objects.get().pk}\n")
    assert err == "This recording is in the archive already: nothing was added.\n"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"host": "nobody"}, "There is no user 'nobody'. Invite people under People, or create a superuser"),
        ({"file": "gone.m4a"}, "gone.m4a: no such file."),
        ({"file": "archive/policy.py/x"}, "archive/policy.py/x: no such file."),
        ({"end": "yesterday"}, "“yesterday” is not a time. Write it as in 2026-11-22T14:05:00Z."),
        ({"end": "2020-05-01T12:00:00"}, "2020-05-01T12:00:00 has no time zone. Write the end as in"),
        ({"end": "2020-05-01T12:00:00Z"}, "The Space ended on 1 May 2020, 12:00 UTC."),
        ({"end": "2999-05-01T12:00:00Z"}, "The Space can't have ended on 1 May 2999, 12:00 UTC"),
        ({"end": ""}, "When did the Space end? Give --ended-at"),
        ({"file": __file__}, "test_ingest_command.py: No audio could be read from this file"),
    ],
    ids=lambda value: next(iter(value.values())) if isinstance(value, dict) else "",
)
def test_an_error_is_one_line(run: Run, alice: User, talk: Path, wrong: dict[str, str], words: str) -> None:
    given = {"file": str(talk), "host": "alice", "end": yesterday()} | wrong

    status, out, err = run(given["file"], "--host", given["host"], "--ended-at", given["end"])

    assert (status, out) == (1, "")
    assert err.startswith(f"CommandError: {words}")
    assert err.count("\n") == 1
    assert not Space.objects.exists()
