"""Migrations after 1.0 only expand the schema (tests/support/expand_only.py). Each rule is tested with a migration that
it must refuse."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.contrib.postgres import operations as postgres
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState
from django.db.models import Q
from django.db.models.functions import Now, Random

from tests.support.expand_only import check

ROOT = Path(__file__).parents[1]
# Until 1.0, these two are edited by hand. From then on they never change.
FIRST = ("0001_initial", "0002_triggers_and_roles")
RELEASES = re.findall(r"^## (\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_migrations_after_the_first_two_only_expand() -> None:
    files = sorted(path.stem for path in (ROOT / "archive/migrations").glob("[0-9]*.py"))
    assert files[:2] == list(FIRST)
    problems = {}
    for name in files[2:]:
        migration = import_module(f"archive.migrations.{name}").Migration(name, "archive")
        before = MigrationLoader(None).project_state(("archive", name), at_end=False)
        problems[name] = check(migration, before, RELEASES)

    assert not {name: lines for name, lines in problems.items() if lines}


def key(**options: Any) -> Any:
    return models.ForeignKey("archive.Room", models.CASCADE, **options)


ROOM: dict[str, Any] = {
    "id": models.BigAutoField(primary_key=True),
    "name": models.CharField(max_length=10, choices=[("a", "A")]),
    "code": models.CharField(max_length=10, unique=True),
    "size": models.IntegerField(null=True),
    "state": models.CharField(max_length=10, db_default="open"),
    "other": key(db_constraint=False, db_index=False, null=True),
}
STATES = models.CheckConstraint(name="room_state", condition=Q(state__in=["open"]))
MORE_STATES = models.CheckConstraint(name="room_state", condition=Q(state__in=["open", "shut"]))
ONCE = models.UniqueConstraint(name="room_once", fields=["name"])
INDEX = models.Index(name="room_names", fields=["name"])
TABLE = migrations.CreateModel("Chair", [("id", models.BigAutoField(primary_key=True))])


def planted(*operations: Any, **marks: str) -> list[str]:
    """Return what the rules say about these operations on a table of rooms."""
    before = ProjectState()
    made = migrations.CreateModel("Room", list(ROOM.items()), options={"constraints": [STATES, ONCE]})
    made.state_forwards("archive", before)
    before.models["archive", "room"].options.setdefault("indexes", []).append(INDEX)
    migration = Migration("0003_planted", "archive")
    vars(migration).update(marks, operations=list(operations))
    return check(migration, before, ["1.2.0"])


def add(field: Any) -> Any:
    return migrations.AddField("room", "added", field)


def alter(name: str, field: Any) -> Any:
    return migrations.AlterField("room", name, field)


def forget(name: str) -> Any:
    """Stop using the column in new code; the column stays for the previous release."""
    return migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("room", name)])


EXPANDS = [
    [TABLE],
    [TABLE, migrations.AddField("chair", "added", models.IntegerField()), migrations.AddIndex("chair", INDEX)],
    [TABLE, migrations.AddConstraint("chair", ONCE)],
    [add(models.IntegerField(null=True))],
    [add(models.CharField(max_length=9, default="", db_default=""))],
    [add(models.JSONField(default=list, db_default=[]))],
    [add(models.DateTimeField(db_default=Now()))],
    [add(models.ManyToManyField("archive.Room"))],
    [add(key(null=True, db_index=False))],
    [alter("name", models.CharField(max_length=20, choices=[("a", "A"), ("b", "B")]))],
    [alter("name", models.CharField(max_length=10, help_text="Shown."))],
    [alter("name", models.TextField())],
    [alter("name", models.CharField(max_length=10, null=True))],
    [alter("name", models.CharField(max_length=10, db_default=""))],
    [postgres.AddIndexConcurrently("room", models.Index(name="room_sizes", fields=["size"]))],
    [postgres.RemoveIndexConcurrently("room", "room_names")],
    [migrations.RemoveConstraint("room", "room_state")],
    [postgres.ValidateConstraint("room", "room_state")],
    [migrations.AlterModelOptions("room", {"ordering": ["name"]})],
    [forget("size")],
    [forget("state")],
]
NARROWS = [
    ([add(models.CharField(max_length=9, default=""))], "INSERTs of the release before lack it"),
    ([add(models.BooleanField(default=False))], "INSERTs of the release before lack it"),
    ([add(models.FloatField(db_default=Random()))], "rewrites the table"),
    ([add(models.IntegerField(null=True, db_index=True))], "its index locks the table"),
    ([add(key(null=True))], "its index locks the table"),
    ([add(models.IntegerField(null=True, unique=True))], "its unique index locks the table"),
    ([migrations.RemoveField("room", "size")], "the release before uses it"),
    ([TABLE, migrations.RemoveField("room", "size")], "the release before uses it"),
    ([migrations.RenameField("room", "size", "seats")], "the release before uses it"),
    ([migrations.RenameModel("room", "hall")], "the release before uses it"),
    ([migrations.DeleteModel("room")], "the release before uses it"),
    ([migrations.AlterModelTable("room", "halls")], "the release before uses it"),
    ([forget("name")], "INSERTs leave name out"),
    ([alter("size", models.IntegerField())], "writes NULL"),
    ([alter("name", models.CharField(max_length=5))], "may only get wider"),
    ([alter("name", models.IntegerField())], "may only get wider"),
    ([alter("size", models.BigIntegerField(null=True))], "may only get wider"),
    ([alter("name", models.CharField(max_length=10, db_collation="C"))], "may only get wider"),
    ([alter("size", key(db_constraint=False, db_index=False, null=True))], "may only get wider"),
    ([alter("state", models.CharField(max_length=10))], "keep db_default"),
    ([alter("size", models.IntegerField(null=True, db_column="seats"))], "the column's old name"),
    ([alter("code", models.CharField(max_length=10))], "rely on its uniqueness"),
    ([alter("name", models.CharField(max_length=10, unique=True))], "its unique index locks the table"),
    ([alter("size", models.IntegerField(null=True, db_index=True))], "its index locks the table"),
    ([alter("other", key(db_index=False, null=True))], "the foreign key refuses"),
    ([migrations.AddIndex("room", models.Index(name="room_sizes", fields=["size"]))], "AddIndexConcurrently"),
    ([migrations.RemoveIndex("room", "room_names")], "RemoveIndexConcurrently"),
    ([migrations.RemoveConstraint("room", "room_once")], "ON CONFLICT"),
    ([migrations.AddConstraint("room", ONCE)], "AddConstraintNotValid"),
    ([postgres.AddConstraintNotValid("room", MORE_STATES)], "`reviewed` says why"),
    ([migrations.RunSQL("UPDATE archive_room SET size = 0")], "`reviewed` says why"),
    ([migrations.RunPython(migrations.RunPython.noop)], "`reviewed` says why"),
    ([postgres.TrigramExtension()], "does not know it"),
    (
        [migrations.SeparateDatabaseAndState(database_operations=[migrations.RunSQL("DROP TABLE archive_room")])],
        "`reviewed` says why",
    ),
]


@pytest.mark.parametrize("operations", EXPANDS)
def test_what_expands_is_allowed(operations: list[Any]) -> None:
    assert planted(*operations) == []


@pytest.mark.parametrize(("operations", "problem"), NARROWS)
def test_what_narrows_or_locks_is_refused(operations: list[Any], problem: str) -> None:
    (found,) = planted(*operations)
    assert problem in found


@pytest.mark.parametrize(
    "operation",
    [
        migrations.RemoveField("room", "size"),
        migrations.DeleteModel("room"),
        migrations.RemoveConstraint("room", "room_once"),
        alter("size", models.IntegerField()),
    ],
)
def test_a_contract_names_the_release_that_made_it_safe(operation: Any) -> None:
    assert planted(operation, contracts="1.2.0") == []
    assert planted(operation, contracts="1.3.0") == ["contracts is '1.3.0', which is no release of CHANGELOG.md"]
    assert len(planted(operation, reviewed="Nobody reads it.")) == 1


def test_a_new_state_is_a_wider_constraint_that_somebody_has_reviewed() -> None:
    wider = [migrations.RemoveConstraint("room", "room_state"), postgres.AddConstraintNotValid("room", MORE_STATES)]

    assert len(planted(*wider)) == 1
    assert planted(*wider, reviewed="Older code takes a room in a state that it does not know for open.") == []
    assert len(planted(*wider, reviewed=" ")) == 1


def test_a_review_allows_no_lock_and_a_contract_neither() -> None:
    for marks in ({"reviewed": "It is small."}, {"contracts": "1.2.0"}):
        assert len(planted(migrations.AddIndex("room", INDEX), **marks)) == 1
        assert len(planted(add(models.IntegerField()), **marks)) == 1
