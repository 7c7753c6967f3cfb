"""Check that migrations after 1.0 only do what processes of the previous release can work with.

These run beside a new schema in two cases: while an upgrade restarts one process after the other, and after a
roll-back, which keeps the schema. So migrations only expand the schema. What narrows it must wait until one release
after the last code that needs it, and declares that (docs/how-to/change-a-table.md):

    class Migration(migrations.Migration):
        contracts = "1.2.0"  # the first release that does not use what this removes or narrows
        reviewed = "..."  # why the previous release works beside it: for SQL, Python and changed constraints
"""

from collections.abc import Collection, Iterator
from typing import Any

from django.contrib.postgres import operations as postgres
from django.db import connection, migrations, models
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import ModelOptionOperation
from django.db.migrations.state import ProjectState
from django.db.models.expressions import Value
from django.db.models.functions import Now

HARMLESS = (
    migrations.CreateModel,
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
    migrations.AlterModelTableComment,
    postgres.AddIndexConcurrently,
    postgres.RemoveIndexConcurrently,
    postgres.ValidateConstraint,
)
NARROWS = (
    migrations.RemoveField,
    migrations.RenameField,
    migrations.DeleteModel,
    migrations.RenameModel,
    migrations.AlterModelTable,
    migrations.AlterUniqueTogether,
    migrations.AlterIndexTogether,
    migrations.AlterOrderWithRespectTo,
)


def check(migration: Migration, before: ProjectState, releases: Collection[str]) -> list[str]:
    """Return a line for each problem of the migration. `before`: the state before it. `releases`: the versions that
    were released."""
    contracts, reviewed = getattr(migration, "contracts", ""), getattr(migration, "reviewed", "")
    if contracts and contracts not in releases:
        return [f"contracts is {contracts!r}, which is no release of CHANGELOG.md"]
    checker = _Checker(migration.app_label, is_reviewed=bool(reviewed.strip()), is_contract=bool(contracts))
    state, problems = before.clone(), []
    for operation in migration.operations:
        problems += [f"{operation.describe()}: {problem}" for problem in checker.problems(operation, state)]
        operation.state_forwards(migration.app_label, state)
    return problems


class _Checker:
    def __init__(self, app: str, *, is_reviewed: bool, is_contract: bool) -> None:
        self.app, self.is_reviewed, self.is_contract = app, is_reviewed, is_contract
        self.new_models: set[str] = set()  # created by this migration, so that no process uses their tables yet

    def problems(self, operation: Operation, state: ProjectState) -> Iterator[str]:
        if isinstance(operation, migrations.CreateModel):
            self.new_models.add(operation.name_lower)
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from self._separate(operation, state)
        elif self._is_of_new_model(operation) or isinstance(operation, HARMLESS):
            return
        elif isinstance(operation, NARROWS):
            if not self.is_contract:
                yield "the release before uses it; `contracts` names the first release that does not"
        elif isinstance(operation, migrations.AddField):
            yield from _added(operation.field)
        elif isinstance(operation, migrations.AlterField):
            if not self.is_contract:
                old = state.models[self.app, operation.model_name_lower].get_field(operation.name)
                yield from _altered(old, operation.field)
        else:
            yield from self._other(operation, state)

    def _other(self, operation: Operation, state: ProjectState) -> Iterator[str]:
        if isinstance(operation, migrations.AddIndex | migrations.RemoveIndex | migrations.RenameIndex):
            yield "it locks the table: AddIndexConcurrently, RemoveIndexConcurrently (atomic = False)"
        elif isinstance(operation, migrations.RemoveConstraint):
            if not self.is_contract and not _is_check(operation, state, self.app):
                yield "the release before may rely on it (ON CONFLICT); `contracts` names the first that does not"
        elif isinstance(operation, migrations.AddConstraint) and not isinstance(
            operation, postgres.AddConstraintNotValid
        ):
            yield "it locks the table while all rows are read: AddConstraintNotValid, then ValidateConstraint"
        elif isinstance(operation, postgres.AddConstraintNotValid | migrations.RunSQL | migrations.RunPython):
            if not self.is_reviewed and not self.is_contract:
                yield "nothing can tell whether the release before works beside it: `reviewed` says why it does"
        else:
            yield "this check does not know it (tests/support/expand_only.py)"

    def _separate(self, operation: migrations.SeparateDatabaseAndState, state: ProjectState) -> Iterator[str]:
        for one in operation.database_operations:
            yield from self.problems(one, state)
        for one in operation.state_operations:
            if isinstance(one, migrations.RemoveField):  # the column stays, but new code does not write it
                field = state.models[self.app, one.model_name_lower].get_field(one.name)
                if not field.null and not field.has_db_default():
                    yield f"INSERTs leave {one.name} out from now on: give it null or db_default first"

    def _is_of_new_model(self, operation: Operation) -> bool:
        name = getattr(operation, "model_name_lower", "")
        if isinstance(operation, ModelOptionOperation):
            name = operation.name_lower
        return name in self.new_models and not isinstance(operation, NARROWS)


def _is_check(operation: migrations.RemoveConstraint, state: ProjectState, app: str) -> bool:
    model = state.models[app, operation.model_name_lower]
    return isinstance(model.get_constraint_by_name(operation.name), models.CheckConstraint)


def _added(field: Any) -> Iterator[str]:
    if field.many_to_many:
        return
    if not field.null and not field.has_db_default():
        yield "INSERTs of the release before lack it: give it null or db_default (`default` is Django's alone)"
    if field.has_db_default() and not _is_constant(field):
        yield "PostgreSQL rewrites the table for a db_default that is not constant: null first, then AlterField"
    if getattr(field, "generated", False):
        yield "PostgreSQL rewrites the table for a stored generated column"
    yield from _index(field)


def _is_constant(field: Any) -> bool:
    return isinstance(field._db_default_expression, Value | Now)


def _index(field: Any) -> Iterator[str]:
    if field.unique:
        yield "its unique index locks the table: add the column, AddIndexConcurrently, then a constraint"
    elif field.db_index:
        yield "its index locks the table: db_index=False, and AddIndexConcurrently (atomic = False)"


def _altered(old: Any, new: Any) -> Iterator[str]:
    if old.many_to_many or new.many_to_many:
        if old.many_to_many != new.many_to_many or old.remote_field.through != new.remote_field.through:
            yield "the release before uses the other table"
        return
    if not _is_widened(old, new):
        yield "the column's type may only get wider: varchar(10) to varchar(20) or text"
    if old.null and not new.null:
        yield "the release before writes NULL"
    if old.has_db_default() and not new.has_db_default() and not new.null:
        yield "INSERTs of the release before may lack it: keep db_default"
    if old.db_column != new.db_column:
        yield "the release before uses the column's old name"
    if old.unique and not new.unique:
        yield "the release before may rely on its uniqueness (ON CONFLICT)"
    if _references(new) - _references(old):
        yield "the release before may write what the foreign key refuses"
    if (new.unique and not old.unique) or (new.db_index and not old.db_index):
        yield from _index(new)


def _is_widened(old: Any, new: Any) -> bool:
    """Return whether no row is rewritten, and old values still fit. `choices` and the like affect only Python."""
    if old.remote_field is not None or new.remote_field is not None:
        return _target(old) == _target(new)  # a foreign key has the type of the column that it refers to
    before, after = (field.db_parameters(connection) for field in (old, new))
    if before.get("collation") != after.get("collation"):
        return False
    if before["type"] == after["type"]:
        return True
    if isinstance(old, models.CharField) and isinstance(new, models.CharField):
        return bool(new.max_length is None or (old.max_length is not None and old.max_length <= new.max_length))
    return isinstance(old, models.CharField) and type(new) is models.TextField


def _target(field: Any) -> str:
    """Return the model that the field refers to, or "" for other fields."""
    return str(field.remote_field.model).lower() if field.remote_field is not None else ""


def _references(field: Any) -> set[str]:
    """Return the model whose table the column refers to by a constraint of the database, or an empty set."""
    return {_target(field)} if field.remote_field is not None and field.db_constraint else set()
