"""Secrets may come from files, and a process starts without secrets that only other processes need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from pytest_django import Settings

from archive.models import Space, User
from archive.retention.purge import purge
from portal import env, processes
from tests.support.deadlines import make_due
from tests.support.factory import make_row
from tests.support.processes import ROOT, database_url

START = "import django; django.setup(); from portal import checks; checks.stop_if_wrong(); print('started')"
SECRETS = sorted(processes.NEEDED_BY)


@pytest.fixture
def problems(monkeypatch: pytest.MonkeyPatch) -> list[env.Problem]:
    monkeypatch.setattr(env, "problems", [])
    return env.problems


def start(process: str, folder: Path, *missing: str) -> subprocess.CompletedProcess[str]:
    """Start a process with its secrets in files, but without those in `missing`, and without those of other
    processes."""
    values = {name: os.environ[name] for name in SECRETS if name in os.environ} | {"DATABASE_URL": database_url()}
    variables = {name: value for name, value in os.environ.items() if name not in values}
    for name, value in values.items():
        variables[f"{name}_FILE"] = str(folder / name.lower())
        if process in processes.NEEDED_BY[name] and name not in missing:
            (folder / name.lower()).write_text(f"{value}\n")
    variables |= {"PROCESS": process, "DJANGO_SETTINGS_MODULE": "portal.settings"}
    command = [sys.executable, "-c", START]
    return subprocess.run(command, env=variables, cwd=ROOT, text=True, capture_output=True, check=False)


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    "process", ["web", *(pytest.param(name, marks=pytest.mark.long) for name in processes.ALL if name != "web")]
)
def test_a_process_starts_with_its_own_secrets(process: str, tmp_path: Path) -> None:
    done = start(process, tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "started\n", "")
    assert (tmp_path / "certificate_key").exists() == (process == "deleter")
    assert (tmp_path / "secret_key").exists() == (process in {"web", "worker"})


def test_a_missing_secret_of_its_own_stops_a_process(tmp_path: Path) -> None:
    done = start("deleter", tmp_path, "CERTIFICATE_KEY")

    assert (done.returncode, done.stdout) == (3, "")
    assert "spacekeep.E091: CERTIFICATE_KEY_FILE can't be read: No such file or directory." in done.stderr
    assert "spacekeep.E040: CERTIFICATE_KEY is not set." in done.stderr
    assert "SECRET_KEY" not in done.stderr


@pytest.mark.parametrize(
    ("process", "ids"),
    [("", ["x"]), ("deleter", ["x"]), ("web", []), ("transcriber", []), ("beat", []), ("health", [])],
)
def test_who_needs_the_key_of_certificates(
    process: str, ids: list[str], problems: list[env.Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(env, "PROCESS", process)
    monkeypatch.delenv("CERTIFICATE_KEY")

    assert env.seed("CERTIFICATE_KEY", id="x", hint="Make one.") == b""
    assert [problem.id for problem in problems] == ids


def test_what_is_no_secret_is_needed_by_all(problems: list[env.Problem], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "PROCESS", "beat")
    monkeypatch.delenv("SITE_URL")

    assert env.origin("SITE_URL", id="x", hint="An address.") == ""
    assert [problem.id for problem in problems] == ["x"]


def test_a_value_counts_before_a_file(
    tmp_path: Path, problems: list[env.Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "word").write_text("  from the file \n")
    monkeypatch.setenv("WORD_FILE", str(tmp_path / "word"))
    assert env.text("WORD") == "from the file"

    monkeypatch.setenv("WORD", "given")
    assert env.text("WORD") == "given"
    assert problems == []


def test_a_file_that_is_no_text_is_a_problem(
    tmp_path: Path, problems: list[env.Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "word").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("WORD_FILE", str(tmp_path / "word"))

    assert env.text("WORD", "") == ""
    assert [(problem.id, problem.message) for problem in problems] == [
        ("spacekeep.E091", "WORD_FILE can't be read: it is no text.")
    ]


@pytest.mark.usefixtures("db")
def test_without_its_key_no_deletion_starts(alice: User, settings: Settings) -> None:
    space = make_row(alice)
    make_due(space)
    settings.CERTIFICATE_KEY = b""

    with pytest.raises(ImproperlyConfigured, match="CERTIFICATE_KEY is not set: this process can sign no certificate"):
        purge(space.pk)
    with pytest.raises(CommandError, match="CERTIFICATE_KEY is not set"):
        call_command("sweep")

    assert Space.objects.get().state == "available"


@pytest.mark.long
def test_other_processes_know_by_the_sender_that_mail_is_sent(tmp_path: Path) -> None:
    code = "import django; django.setup(); from django.conf import settings; print(settings.MAIL_ON)"
    variables = {**os.environ, "PROCESS": "deleter", "DJANGO_SETTINGS_MODULE": "portal.settings"}
    sender = {"MAIL_FROM": "Spacekeep <no-reply@spaces.example.org>"}

    done = subprocess.run(
        [sys.executable, "-c", code], env=variables | sender, cwd=ROOT, text=True, capture_output=True, check=False
    )

    assert done.stdout == "True\n"
