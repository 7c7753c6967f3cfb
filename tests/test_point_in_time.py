"""The commands in docs/operations.md, "Point-in-time recovery", on a PostgreSQL of this test's own."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from embedded.postgres import Postgres, find_programs
from embedded.state import State
from tests.support.processes import ROOT
from tests.support.waiting import wait_until

pytestmark = pytest.mark.long
SECTION = (ROOT / "docs" / "operations.md").read_text().split("### Point-in-time recovery")[1].split("\n### ")[0]
BLOCKS = [[line[4:] for line in block.splitlines()] for block in re.findall(r"(?:^    .*\n)+", SECTION, re.MULTILINE)]


class Cluster:
    """`archive` and `base` are what the document calls ARCHIVE and BASE."""

    def __init__(self, folder: Path) -> None:
        self.archive, self.base = folder / "archive", folder / "base"
        self.archive.mkdir()
        self.postgres = Postgres(
            folder / "data", State(folder / "state.json"), folder / "logs", lambda: None, fast=False
        )
        self.postgres.start()

    @property
    def data(self) -> Path:
        return self.postgres._data

    @property
    def url(self) -> str:
        return self.postgres.superuser_url("spacekeep")

    def fill_in(self, line: str, at: str = "") -> str:
        words = {"ARCHIVE": self.archive, "BASE": self.base, "DATA": self.data, "SUPERUSER_URL": self.url}
        for word, value in words.items():
            line = line.replace(word, str(value))
        return line.replace("2026-11-30 12:00:00+00", at)

    def execute(self, *statements: str) -> list[tuple[str, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def run(self, line: str) -> None:
        program, *arguments = self.fill_in(line).split()
        found = find_programs() / "bin" / program
        subprocess.run([str(found if found.exists() else program), *arguments], check=True, capture_output=True)

    def restart(self) -> None:
        self.postgres.stop(lambda: False)
        self.postgres.start()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    started = Cluster(tmp_path)
    yield started
    started.postgres.stop(lambda: True)


@pytest.mark.parametrize("to_the_end", [True, False])
def test_the_commands_of_the_document(cluster: Cluster, to_the_end: bool) -> None:
    """A row before the base backup, one after it, and one after the moment to which it goes back."""
    settings, backup, restore, recovery = BLOCKS
    cluster.execute(*map(cluster.fill_in, settings), "CREATE TABLE notes (text text)", "INSERT INTO notes VALUES ('a')")
    cluster.restart()
    for line in backup:
        cluster.run(line)
    cluster.execute("INSERT INTO notes VALUES ('b')")
    time.sleep(1.1)
    ((moment,),) = cluster.execute("SELECT clock_timestamp()::text")
    time.sleep(1.1)
    cluster.execute("INSERT INTO notes VALUES ('c')")
    ((segment,),) = cluster.execute("SELECT pg_walfile_name(pg_current_wal_lsn())")
    cluster.execute("SELECT pg_switch_wal()")
    wait_until((cluster.archive / segment).exists, "the last segment is archived")

    cluster.postgres.stop(lambda: False)
    shutil.move(cluster.data, cluster.data.with_name("broken"))
    for line in restore:
        cluster.run(line)
    lines = [line for line in recovery if not (to_the_end and line.startswith("recovery_target_time"))]
    with (cluster.data / "postgresql.auto.conf").open("a") as file:
        file.writelines(cluster.fill_in(line, moment) + "\n" for line in lines)
    cluster.postgres.start()

    wait_until(lambda: cluster.execute("SELECT pg_is_in_recovery()::text") == [("false",)], "it is promoted")
    assert sorted(text for (text,) in cluster.execute("SELECT text FROM notes")) == [
        *"ab",
        *("c" if to_the_end else ""),
    ]
    cluster.execute("INSERT INTO notes VALUES ('d')")
