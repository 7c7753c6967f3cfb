"""Queries whose SQL is written once in a process, for conditions that Django takes longer to write than PostgreSQL to
answer."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model, QuerySet
from psycopg import sql

M = TypeVar("M", bound=Model)
# What stands for a value of this type while the SQL is written. No row has them.
MARKERS: dict[type, Any] = {int: -7_046_029_254_386_353_131, UUID: UUID("9e3779b9-7f4a-4c15-8bf5-8476d1ce4e5b")}


class CompiledQuery(Generic[M]):
    """A QuerySet with one value that differs each time: `build` returns it for a value of type `kind` (int or UUID).

    The SQL depends on nothing else: `build` must read no clock, no settings that tests change, and no language.
    """

    def __init__(self, build: Callable[[Any], QuerySet[M, Any]], kind: type) -> None:
        self._build = build
        self._marker = MARKERS[kind]

    @cached_property
    def _compiled(self) -> tuple[type[M], str, int]:
        """The model, the SQL, and how often the value is in it. Two threads may write it at the same time: both write
        the same."""
        rows = self._build(self._marker)
        statement, params = rows.query.sql_with_params()
        places = [param == self._marker for param in params]
        assert any(places), f"{statement} does not depend on the value"
        # The others are written into the SQL, since there may be hundreds of them.
        written = ["%s" if here else _literal(param) for here, param in zip(places, params, strict=True)]
        return rows.model, statement.replace("%%", "%%%%") % tuple(written), sum(places)

    def objects(self, value: Any) -> list[M]:
        """The rows as instances, with their annotations. `build` must return instances, without `select_related`."""
        model, statement, places = self._compiled
        return list(model._default_manager.raw(statement, [value] * places))

    def tuples(self, value: Any) -> list[tuple[Any, ...]]:
        """The columns as the database returns them: `build` uses `values_list`."""
        _model, statement, places = self._compiled
        with connection.cursor() as cursor:
            cursor.execute(statement, [value] * places)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _literal(value: Any) -> str:
    connection.ensure_connection()
    return sql.Literal(value).as_string(connection.connection).replace("%", "%%")
