"""A drill: `pg_dump`, a day of decisions and deletions, `pg_restore` into a new database, and every command that
docs/operations.md gives for it, as an operator runs them. `make drill` prints their output."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection
from psycopg import sql
from pytest_django import Settings

from archive.models import DeletionCertificate, LogCheckpoint, LogCosignature, LogEntry, User
from archive.transparency.verify_log import Checkpoint
from embedded.postgres import OWNER, find_programs
from tests import plugin
from tests.support.deadlines import make_due
from tests.support.log_rounds import run_round
from tests.support.processes import MANAGE, ROOT, Services
from tests.support.restored import decide, facts, leaves, make_spaces
from tests.support.rows import reload_space
from tests.support.running_witness import Running

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("committed", "empty_bucket")]
RESTORED = "spacekeep_restored"
NO_SPACES = "Deleted 0 Spaces."


@pytest.fixture
def witness(tmp_path: Path, settings: Settings) -> Iterator[Running]:
    started = Running(tmp_path)
    settings.LOG_WITNESSES = [(f"http://127.0.0.1:{started.port}", str(started.key))]
    settings.LOG_CHECKPOINT_SECONDS = 0
    yield started
    started.stop()


@pytest.fixture
def new_database() -> Iterator[None]:
    """An empty database for the restore, dropped afterwards."""
    statements = ("DROP DATABASE IF EXISTS {name} WITH (FORCE)", "CREATE DATABASE {name} OWNER {owner}")
    names = {"name": sql.Identifier(RESTORED), "owner": sql.Identifier(OWNER)}
    with psycopg.connect(plugin.engines.postgres.superuser_url("postgres"), autocommit=True) as superuser:
        for statement in statements:
            superuser.execute(sql.SQL(statement).format(**names))
        yield
        superuser.execute(sql.SQL(statements[0]).format(**names))


@dataclass(frozen=True)
class Operator:
    """Runs manage.py on the restored database, and prints its output."""

    services: Services

    def run(self, *arguments: str, fails: bool = False) -> str:
        urls = {name: at(os.environ[name], RESTORED) for name in ("DATABASE_URL", "DATABASE_OWNER_URL")}
        started = time.monotonic()
        done = subprocess.run(
            [*MANAGE, *arguments], env=self.services.env | urls, cwd=ROOT, text=True, capture_output=True, check=False
        )
        said = f"{done.stdout}{done.stderr}".strip()
        sys.stdout.write(f"\n$ manage.py {' '.join(arguments)}    ({time.monotonic() - started:.1f} s)\n{said}\n")
        assert bool(done.returncode) == fails, said
        return said


def at(url: str, database: str) -> str:
    return urlsplit(url)._replace(path=f"/{database}").geturl()


def pg(program: str, *arguments: str) -> None:
    started = time.monotonic()
    subprocess.run([str(find_programs() / "bin" / program), *arguments], check=True, capture_output=True)
    sys.stdout.write(f"\n$ {program}    ({time.monotonic() - started:.1f} s)\n")


@contextmanager
def connected_to(database: str) -> Iterator[None]:
    """Connect this process to the database, as workers that were started after the restore."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = database
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@pytest.mark.usefixtures("new_database")
def test_a_restore_as_operators_do_it(
    services: Services, witness: Running, tmp_path: Path, alice: User, admin: User, second_admin: User
) -> None:
    spaces, dump = make_spaces(alice, admin), str(tmp_path / "spacekeep.dump")
    run_round()
    source = plugin.engines.postgres.superuser_url(str(connection.settings_dict["NAME"]))
    pg("pg_dump", "--format=custom", f"--file={dump}", f"--dbname={source}")
    decide(spaces, alice, admin, second_admin)
    run_round()
    signed, log_before = Checkpoint.parse(LogCheckpoint.objects.latest("id").note), leaves()
    assert LogCosignature.objects.filter(checkpoint__size=signed.size).exists(), "the witness has it"
    now = {name: facts(space) for name, space in spaces.items()}
    certificate = DeletionCertificate.objects.get(pk=spaces["deleted"].pk).document

    target = plugin.engines.postgres.superuser_url(RESTORED)
    pg("pg_restore", "--no-owner", f"--role={OWNER}", "--exit-on-error", f"--dbname={target}", dump)
    operator = Operator(services)
    operator.run("migrate", "--verbosity=0")
    with connected_to(RESTORED):
        for space in spaces.values():
            assert reload_space(space).state == "available"
        make_due(spaces["held"])
        make_due(spaces["flagged"])
    assert "restore_check" in operator.run("sweep", fails=True)
    assert "older database was restored" in operator.run("reconcile", "--apply", fails=True)
    assert "space.deleted" in operator.run("restore_check", fails=True)
    operator.run("restore_check", "--confirm", "--by=ada", "--reason=A drill.", fails=True)
    assert "--confirm" in operator.run("restore_check", "--apply", fails=True)
    assert "restore_check" in operator.run("sweep", fails=True)
    with connected_to(RESTORED):
        assert {name: facts(space) for name, space in spaces.items()} == now
        assert leaves() == log_before
        assert DeletionCertificate.objects.get(pk=spaces["deleted"].pk).document == certificate
    operator.run("restore_check", "--confirm", "--by=ada", "--reason=A drill.")
    assert NO_SPACES in operator.run("sweep"), "the hold and the flag stand"
    operator.run("restore_check")
    with connected_to(RESTORED):
        run_round()
        newest = Checkpoint.parse(LogCheckpoint.objects.latest("id").note)
        assert newest.size == LogEntry.objects.count() > signed.size
        assert LogCosignature.objects.filter(checkpoint__size=newest.size).exists(), "the witness cosigned what extends"
    operator.run("verify_log")
