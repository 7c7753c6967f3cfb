"""The portal's database role may read and write rows and append to the log, but nothing else."""

import re
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.models.signals import pre_migrate

from archive import database_roles, dbtime
from archive.management.commands import migrate
from archive.models import DeletionCertificate, LogEntry, RoleMembership, Rule, User, Violation
from tests.support.factory import make_row
from tests.support.paused_at import dsn

LOG = "archive_logentry"
ADDED_TO = (
    "archive_deletioncertificate",
    *("archive_logleaf", "archive_lognode", "archive_logcheckpoint", "archive_logcosignature"),
    *("archive_checkpointcopy", "archive_checkpointtimestamp"),
    "archive_signingkeyevent",
)
FORBIDDEN = [
    *(f"UPDATE {table} SET {column} = {column}" for table, column in ((LOG, "detail"), (LOG, "at"))),
    f"INSERT INTO {LOG} (id, event, premis, actor_kind, detail) "
    "VALUES (1000000, 'space.deleted', '', 'system', '{}')",
    f"INSERT INTO {LOG} (id, event, premis, actor_kind, detail) OVERRIDING SYSTEM VALUE "
    "VALUES (1000000, 'space.deleted', '', 'system', '{}')",
    "UPDATE archive_deletioncertificate SET document = document",
    "UPDATE django_migrations SET name = name",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('archive', '0003_nothing', now())",
    *(f"DELETE FROM {table}" for table in (LOG, "archive_deletioncertificate", "django_migrations")),
    *(f"TRUNCATE {table}" for table in (LOG, *ADDED_TO, "archive_notice")),
    *(f"ALTER TABLE {LOG} {change}" for change in ("DISABLE TRIGGER ALL", "DROP COLUMN detail", "OWNER TO spacekeep")),
    *(f"DROP TABLE {table}" for table in (LOG, *ADDED_TO, "archive_notice")),
    f"DROP TRIGGER archive_log_append_only ON {LOG}",
    f"CREATE TRIGGER mine BEFORE INSERT ON {LOG} FOR EACH ROW EXECUTE FUNCTION archive_log_receives_entry()",
    f"CREATE RULE mine AS ON INSERT TO {LOG} DO INSTEAD NOTHING",
    f"CREATE INDEX mine ON {LOG} (event)",
    f"LOCK TABLE {LOG} IN ACCESS EXCLUSIVE MODE",
    f"SELECT setval(pg_get_serial_sequence('{LOG}', 'id'), 1)",
    "CREATE OR REPLACE FUNCTION archive_log_is_append_only() RETURNS trigger LANGUAGE sql AS ''",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE TABLE mine (word text)",
    "CREATE TEMPORARY TABLE mine (word text)",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
    "SET ROLE spacekeep_owner",
    "SET SESSION AUTHORIZATION spacekeep_owner",
    "SET session_replication_role = replica",
    "COPY archive_rule TO PROGRAM 'true'",
    "COPY archive_rule FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT * FROM pg_authid",
]
# Columns that record decisions by two people.
IMMUTABLE = [
    "UPDATE archive_rolemembership SET granted_at = granted_at - interval '1 year'",
    "UPDATE archive_rolemembership SET user_id = (SELECT max(id) FROM archive_user)",
    "UPDATE archive_violation SET flagged_at = flagged_at + interval '1 year'",
    "UPDATE archive_violation SET flagged_by_id = (SELECT max(id) FROM archive_user)",
]
# All privileges of the portal's role on a table.
ROWS = ["DELETE", "INSERT", "SELECT", "UPDATE"]
PRIVILEGES = """
SELECT c.relname, array_agg(p ORDER BY p) FROM pg_class c,
    unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN']) p
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND has_table_privilege('spacekeep', c.oid, p)
GROUP BY c.relname
"""


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def privileges() -> dict[str, list[str]]:
    with connection.cursor() as cursor:
        cursor.execute(PRIVILEGES)
        return dict(cursor.fetchall())


@pytest.mark.usefixtures("db")
def test_tests_run_as_the_role_of_the_portal() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user")

        assert cursor.fetchall() == [("spacekeep", False, False)]


@pytest.mark.usefixtures("db")
def test_the_portals_role_is_refused() -> None:
    answers = {statement: find_answer(statement) for statement in FORBIDDEN}

    refusals = re.compile("permission denied|must be owner|must be able to SET ROLE")
    assert {statement: answer for statement, answer in answers.items() if not refusals.search(answer)} == {}


def find_answer(statement: str) -> str:
    """Run a statement, roll it back, and return PostgreSQL's error; "" if there was none."""
    try:
        with transaction.atomic():
            execute(statement)
            transaction.set_rollback(True)
    except ProgrammingError as error:
        return str(error)
    return ""


@pytest.mark.usefixtures("db")
def test_the_portals_role_is_refused_outside_of_transactions() -> None:
    with psycopg.connect(dsn(), autocommit=True) as other:
        for statement in ("CREATE DATABASE mine", "ALTER SYSTEM SET fsync = off", "DROP DATABASE postgres"):
            with pytest.raises(psycopg.Error, match=r"permission|must be owner"):
                other.execute(statement)


@pytest.mark.usefixtures("db")
def test_what_decisions_rest_on_never_changes(admin: User, alice: User) -> None:
    space = make_row(alice)
    Violation.objects.create(space=space, rule=Rule.objects.get(code="spam"), flagged_by=admin)

    for statement in IMMUTABLE:
        with pytest.raises(IntegrityError, match="never change"), transaction.atomic():
            execute(statement)

    Violation.objects.update(reason="Another reason.")


@pytest.mark.usefixtures("db")
def test_given_times_of_roles_and_flags_do_not_count(admin: User, alice: User) -> None:
    before, old = dbtime.now(), datetime(2020, 1, 1, tzinfo=UTC)
    group = Group.objects.get(name="admins")

    role = RoleMembership.objects.create(user=alice, group=group, granted_at=old)
    rule = Rule.objects.get(code="spam")
    flag = Violation.objects.create(space=make_row(alice), rule=rule, flagged_by=admin, flagged_at=old)

    role.refresh_from_db()
    flag.refresh_from_db()
    assert role.granted_at >= before
    assert flag.flagged_at >= before


@pytest.mark.usefixtures("db")
def test_the_portals_role_grants_itself_nothing() -> None:
    execute("GRANT UPDATE ON archive_logentry TO spacekeep")  # PostgreSQL only warns "no privileges were granted"

    assert privileges()["archive_logentry"] == ["SELECT"]  # and INSERT on all columns except the number


@pytest.mark.usefixtures("db")
def test_the_portals_role_has_the_same_privileges_for_every_other_table() -> None:
    found = privileges()

    assert found.pop("archive_logentry") == ["SELECT"]  # and INSERT on all columns except the number
    for table in ADDED_TO:
        assert found.pop(table) == ["INSERT", "SELECT"]
    assert found.pop("django_migrations") == ["SELECT"]
    assert {"archive_space", "auth_group", "django_session", "cache"} <= set(found)
    assert {*found, *ADDED_TO, "archive_logentry", "django_migrations"} == tables()
    assert [table for table, granted in found.items() if granted != ROWS] == []


def tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.usefixtures("db")
def test_every_table_with_a_trigger_against_changes_is_append_only() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%no_truncate'")

        assert {name for (name,) in cursor.fetchall()} == set(database_roles.APPEND_ONLY)


@pytest.mark.usefixtures("owner", "db")
def test_a_table_of_a_later_migration_is_granted_by_default() -> None:
    execute("CREATE TABLE later (id bigint GENERATED BY DEFAULT AS IDENTITY)")

    assert privileges()["later"] == ROWS


@pytest.mark.usefixtures("owner", "db")
def test_migrate_takes_what_was_granted_by_hand() -> None:
    execute("GRANT ALL ON archive_logentry, archive_notice TO spacekeep")
    execute("GRANT UPDATE ON archive_logentry TO PUBLIC")
    assert len(privileges()["archive_notice"]) == 8

    database_roles.grant_privileges(connection)

    assert privileges()["archive_logentry"] == ["SELECT"]  # and INSERT on all columns except the number
    assert privileges()["archive_notice"] == ROWS


@pytest.mark.usefixtures("committed")
def test_migrate_runs_as_the_owner_and_leaves_the_portals_connection() -> None:
    call_command("migrate", verbosity=0)  # the portal's role may not even read the sequence of its own table

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("spacekeep",)
    assert privileges()["archive_logentry"] == ["SELECT"]  # and INSERT on all columns except the number


@pytest.mark.usefixtures("committed")
def test_migrate_gives_up_a_table_that_somebody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """While `migrate` waits for a lock, every page that needs the table would queue behind it."""

    def change_a_table(**kwargs: Any) -> None:
        execute("ALTER TABLE archive_rule ADD COLUMN seats int")

    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0.2)
    pre_migrate.connect(change_a_table, sender=apps.get_app_config("archive"))
    try:
        with psycopg.connect(dsn()) as reader:
            reader.execute("SELECT FROM archive_rule")
            with pytest.raises(CommandError, match="It changed nothing: run migrate again"):
                call_command("migrate", verbosity=0)
    finally:
        pre_migrate.disconnect(change_a_table, sender=apps.get_app_config("archive"))

    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


@pytest.mark.usefixtures("committed")
def test_migrate_without_a_database_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASE_OWNER, "PORT", "1")

    with pytest.raises(CommandError, match=r"^The database can't be reached: .*refused"):
        call_command("migrate", verbosity=0)


@pytest.mark.usefixtures("db")
def test_a_given_time_of_an_entry_does_not_count() -> None:
    before = dbtime.now()
    entry = LogEntry.objects.create(event="space.deleted", actor_kind="system", at=datetime(2020, 1, 1, tzinfo=UTC))
    LogEntry.objects.bulk_create(
        [LogEntry(event="space.deleted", actor_kind="system", at=datetime(2020, 1, 1, tzinfo=UTC))]
    )

    entry.refresh_from_db()
    assert entry.at >= before
    assert all(entry.at >= before for entry in LogEntry.objects.all())


@pytest.mark.usefixtures("db")
def test_two_roles_raise_no_warning() -> None:
    assert database_roles.role_may_not_change_the_log(databases=["default"]) == []


@pytest.mark.usefixtures("owner", "db")
def test_an_owner_as_the_role_of_the_portal_is_a_warning() -> None:
    (warning,) = database_roles.role_may_not_change_the_log(databases=["default"])

    assert warning.id == "spacekeep.W103"
    assert warning.msg == (
        "The role in DATABASE_URL may create tables and owns archive_checkpointcopy and owns "
        "archive_checkpointtimestamp and owns archive_deletioncertificate and owns archive_logcheckpoint and owns "
        "archive_logcosignature and owns archive_logentry and owns archive_logleaf and owns archive_lognode and owns "
        "archive_signingkeyevent, so it could change the retention log."
    )


@pytest.mark.usefixtures("db")
def test_an_idle_transaction_still_ends_by_itself() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)
    assert DeletionCertificate.objects.count() == 0
