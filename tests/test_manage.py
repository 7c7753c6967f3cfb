"""manage.py finds its settings by itself, or says in one line where they come from."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from embedded import envfile
from tests.support.processes import ROOT

SHOW = "from django.conf import settings; print(settings.SITE_URL, settings.S3['bucket_name'], settings.RETENTION_DAYS)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout without a .data folder, in a path with a space."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    shutil.copy2(ROOT / "manage.py", folder)
    for name in ("archive", "embedded", "portal", "templates"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def manage(folder: Path, *arguments: str, python: str = sys.executable, **env: str) -> subprocess.CompletedProcess[str]:
    """Run it from another directory, with only the variables in `env`."""
    command = [python, str(folder / "manage.py"), *arguments]
    return subprocess.run(command, cwd="/", env=env, text=True, capture_output=True, check=False)


def write_settings(folder: Path) -> None:
    """Write the settings that `make run` leaves there, with values that a shell would split or expand."""
    (folder / ".data").mkdir()
    names = [name for name in os.environ if name.startswith("S3_")]
    values = {
        name: os.environ[name] for name in (*names, "SECRET_KEY", "CERTIFICATE_KEY", "DATABASE_URL", "BROKER_URL")
    }
    envfile.write(folder / ".data" / "env", {**values, "SITE_URL": "http://127.0.0.1:8123", "S3_BUCKET": "it's $HOME"})


@pytest.mark.parametrize(
    "command",
    [
        ["sweep"],
        *(
            pytest.param(command, marks=pytest.mark.long)
            for command in (["shell", "-c", "print('ran')"], ["migrate", "--no-input"])
        ),
    ],
)
def test_with_nothing_configured_it_says_so_in_a_line(folder: Path, command: list[str]) -> None:
    done = manage(folder, *command)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "manage.py: no settings: start `make run` elsewhere, "
        "or set DATABASE_URL and others (systemd: spacekeep-manage)\n"
    )


@pytest.mark.parametrize(
    "command",
    [["sweep", "--help"], *(pytest.param(command, marks=pytest.mark.long) for command in ([], ["help"], ["version"]))],
)
def test_help_needs_no_settings(folder: Path, command: list[str]) -> None:
    done = manage(folder, *command)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_while_make_run_runs_its_settings_are_used(folder: Path) -> None:
    write_settings(folder)

    with (folder / ".data" / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = manage(folder, "shell", "--no-imports", "-c", SHOW, RETENTION_DAYS="5")

    assert (done.stdout, done.stderr) == ("http://127.0.0.1:8123 it's $HOME 5\n", "")


def test_when_make_run_has_ended_it_says_so_in_a_line(folder: Path) -> None:
    write_settings(folder)
    (folder / ".data" / "run.lock").touch()

    done = manage(folder, "sweep")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "manage.py: the engines are down: start `make run` in another terminal\n"


def test_settings_of_the_environment_leave_the_file_alone(folder: Path) -> None:
    write_settings(folder)
    names = [name for name in os.environ if name.startswith("S3_")]
    env = {name: os.environ[name] for name in (*names, "SECRET_KEY", "CERTIFICATE_KEY", "DATABASE_URL", "BROKER_URL")}

    done = manage(folder, "shell", "--no-imports", "-c", SHOW, **env, SITE_URL="https://spaces.example.org")

    assert (done.stdout, done.stderr) == ("https://spaces.example.org spacekeep 30\n", "")


def test_a_python_without_django_is_enough(folder: Path) -> None:
    plain = str(Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}"))

    done = manage(folder, "version", python=plain)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("5.2")
