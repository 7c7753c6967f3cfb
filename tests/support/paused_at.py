"""Pause other processes when they write a log entry."""

from uuid import UUID

import psycopg
from django.db import connection

from tests import plugin
from tests.support.waiting import wait_until


class PausedAt:
    """Block every transaction that writes a log entry `event` (of `space_id`, if given) while the context is open.

    This is an exact point for killing or stopping a process. Each insert takes a shared lock on the event's name, and
    this context holds the exclusive lock.
    """

    LOCKS = 7465
    HASH = "hashtext(%s || coalesce(%s::uuid::text, ''))"

    def __init__(self, event: str, space_id: UUID | None = None) -> None:
        self.name = (event, space_id)

    def __enter__(self) -> "PausedAt":
        # The portal's role may not create triggers. The superuser may also terminate its connections.
        name = str(connection.settings_dict["NAME"])
        self.connection = psycopg.connect(plugin.engines.postgres.superuser_url(name), autocommit=True)
        self.connection.execute(
            f"""
            CREATE OR REPLACE FUNCTION tests_pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                PERFORM pg_advisory_xact_lock_shared({self.LOCKS}, hashtext(NEW.event));
                PERFORM pg_advisory_xact_lock_shared({self.LOCKS}, hashtext(NEW.event || NEW.space_id));
                RETURN NEW;
            END $$
            """
        )
        present = "SELECT 1 FROM pg_trigger WHERE tgname = 'tests_pause'"
        if not self.connection.execute(present).fetchone():
            self.connection.execute(
                "CREATE TRIGGER tests_pause BEFORE INSERT ON archive_logentry FOR EACH ROW "
                "EXECUTE FUNCTION tests_pause()"
            )
        self.connection.execute(f"SELECT pg_advisory_lock({self.LOCKS}, {self.HASH})", self.name)
        return self

    def __exit__(self, *args: object) -> None:
        """Terminate connections that still wait: the transaction of a killed client would keep its row locks."""
        self._waiting("pg_terminate_backend(pid)")
        self.connection.close()

    def reached(self) -> bool:
        """Return whether a transaction waits at this point."""
        return bool(self._waiting("pid"))

    def wait(self) -> None:
        wait_until(self.reached, f"somebody writes {self.name[0]}")

    def release(self) -> None:
        """Let waiting transactions continue. A stopped process (SIGSTOP) keeps its transaction open."""
        self.connection.execute(f"SELECT pg_advisory_unlock({self.LOCKS}, {self.HASH})", self.name)

    def _waiting(self, what: str) -> list[tuple[object, ...]]:
        return self.connection.execute(
            f"SELECT {what} FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
            f"AND classid = {self.LOCKS} AND objid = ({self.HASH}::bigint & 4294967295)::oid",
            self.name,
        ).fetchall()


def dsn() -> str:
    settings = connection.settings_dict
    return psycopg.conninfo.make_conninfo(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname=settings["NAME"],
    )
