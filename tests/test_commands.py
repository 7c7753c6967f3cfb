"""Commands that manage.py and the documentation list, and databases in which `demo` refuses to run."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, transaction
from django.db.migrations.recorder import MigrationRecorder

from archive.management.base import Command
from archive.management.commands.demo import ACCOUNTS, refuse_other_databases
from archive.management.overview import GROUPS, Utility
from archive.models import Space, User
from tests.support.factory import make_user
from tests.support.mail_server import give_address

ROOT = Path(__file__).parents[1]
OURS = {path.stem for path in ROOT.glob("*/management/commands/[a-z]*.py")}
DJANGOS = {"check", "collectstatic"}


def test_help_lists_every_command_of_ours_in_a_group() -> None:
    grouped = [name for names in GROUPS.values() for name in names]

    assert sorted(grouped) == sorted(OURS | DJANGOS)


def test_help_has_a_line_for_each() -> None:
    text = Utility(["manage.py", "help"]).main_help_text()

    for name in OURS | DJANGOS:
        (line,) = re.findall(rf"^    {name} +(\S.*)$", text, re.MULTILINE)
        assert line.endswith("."), name
        assert line[0].isupper(), name
    assert "startapp" not in text


def test_help_needs_no_path() -> None:
    """cron and systemd may start it with only our settings in the environment."""
    env = {name: value for name, value in os.environ.items() if name != "PATH"}

    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "help"], env=env, text=True, capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "The retention log" in done.stdout


@pytest.mark.parametrize("name", sorted(OURS - {"createsuperuser", "changepassword", "migrate"}))
def test_each_argument_says_what_it_is_and_django_s_own_hide_none(name: str) -> None:
    parser = Utility(["manage.py"]).fetch_command(name).create_parser("manage.py", name)

    assert [action.dest for action in parser._actions if not action.help] == []
    assert "--pythonpath" not in parser.format_help()


def test_the_documentation_lists_the_same() -> None:
    section = (ROOT / "docs/operations.md").read_text().partition("\n## Commands\n")[2].partition("\n## ")[0]
    table = section.partition("\n| for | commands |\n")[2]
    rows = [line for line in table.splitlines() if line.startswith("| ") and "`" in line]

    documented = {
        row.split(" | ")[0].removeprefix("| "): re.findall(r"`([a-z_]+)`", row.split(" | ")[1]) for row in rows
    }
    assert documented == {title: list(names) for title, names in GROUPS.items()}


class Broken(Command):
    """A command that uses a table whose migration did not run."""

    def run(self, **options: Any) -> None:
        with transaction.atomic():
            Space.objects.raw("SELECT seats FROM archive_space")[0]


@pytest.mark.usefixtures("owner", "db")
def test_a_database_before_its_migrations_is_one_line() -> None:
    with pytest.raises(ProgrammingError):
        call_command(Broken())
    MigrationRecorder.Migration.objects.filter(app="archive", name__startswith="0002").delete()

    with pytest.raises(CommandError) as error:
        call_command(Broken())
    assert str(error.value) == (
        "The database lacks a migration of this version: archive.0002_triggers_and_roles. "
        "Run `manage.py migrate` with this version, then start this again: nothing was changed."
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("names", "address", "is_refused"),
    [
        ([], "", False),
        (["nora", "ada"], "", False),  # `demo` was interrupted
        ([name for name, *_ in ACCOUNTS], "", False),
        ([*(name for name, *_ in ACCOUNTS), "guest"], "", False),
        (["guest"], "", True),
        (["nora", "guest"], "", True),
        ([name for name, *_ in ACCOUNTS], "ada@people.example", True),
    ],
)
def test_demo_refuses_a_database_of_people(names: list[str], address: str, is_refused: bool) -> None:
    """It would take over the account of a real user called ada."""
    for name in names:
        give_address(make_user(name))
    if address:
        User.objects.filter(username="ada").update(email=address)

    if is_refused:
        with pytest.raises(CommandError, match="accounts of people"):
            refuse_other_databases()
    else:
        refuse_other_databases()
