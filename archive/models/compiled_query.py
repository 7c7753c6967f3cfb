"""Queries whose SQL a process compiles once, because compiling in Django takes longer than the answer of PostgreSQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Field, Lookup, Model, QuerySet
from psycopg import sql

from archive.models.space_queries import counting_statement

M = TypeVar("M", bound=Model)
K = TypeVar("K")
# Stand-ins for the values while the SQL is compiled, by number. No row has these values.
MARKERS: dict[type, Callable[[int], Any]] = {
    int: lambda number: -7_046_029_254_386_353_131 + number,
    str: lambda number: f"text 0x9E3779B97F4A4C158BF58476D1CE4E5B {number}",
    UUID: lambda number: UUID(int=0x9E3779B97F4A4C158BF58476D1CE4E5B + number),
    list: lambda number: [UUID(int=0xBF58476D1CE4E5B9E3779B97F4A4C158 + number)],  # of ids, for AnyOf
    datetime: lambda number: datetime(1066, 10, 14, tzinfo=UTC) + timedelta(seconds=number),
}


@Field.register_lookup
class AnyOf(Lookup):
    """`pk__any=ids`: like `pk__in`, but the SQL does not depend on the number of ids."""

    lookup_name = "any"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", (*params, self.rhs)


@dataclass(frozen=True)
class _Statement:
    """`places`: for each placeholder, the index of its value."""

    text: str
    places: list[int]

    def execute(self, cursor: Any, values: Sequence[Any]) -> None:
        cursor.execute(self.text, [values[place] for place in self.places])


class CompiledQuery(Generic[M]):
    """A QuerySet that is run with other values each time. `build` returns it for values of these types (int, str, UUID,
    datetime, or list for a list of ids).

    The SQL must depend on nothing else: `build` must read no clock, no language, and no settings that tests change.
    """

    def __init__(self, build: Callable[..., QuerySet[M, Any]], *kinds: type) -> None:
        self._build = build
        self._markers = _markers(kinds)
        self._reader: _Reader[M] | None = None

    @cached_property
    def _compiled(self) -> tuple[type[M], _Statement]:
        """Compile on first use. Two threads may do so at the same time, with the same result."""
        rows = self._build(*self._markers)
        return rows.model, _compile(*rows.query.sql_with_params(), self._markers)

    def objects(self, *values: Any) -> list[M]:
        """Return the rows as instances, with annotations. `build` must not use `values` or `select_related`."""
        model, statement = self._compiled
        with connection.cursor() as cursor:
            statement.execute(cursor, values)
            rows = cursor.fetchall()
            if self._reader is None:
                self._reader = _Reader(model, [column.name for column in cursor.description])
        return [self._reader.read(row) for row in rows]

    def first(self, *values: Any) -> M | None:
        """Return the first row as an instance. `build` must set a limit of one."""
        return next(iter(self.objects(*values)), None)

    def tuples(self, *values: Any) -> list[tuple[Any, ...]]:
        """Return the columns as the database returns them. `build` must use `values_list`."""
        _model, statement = self._compiled
        with connection.cursor() as cursor:
            statement.execute(cursor, values)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


class _Reader(Generic[M]):
    """Makes instances of rows. `raw` does the same, but examines the columns again each time."""

    def __init__(self, model: type[M], columns: Sequence[str]) -> None:
        fields = {field.column: field for field in model._meta.concrete_fields}
        self._model = model
        # `from_db` takes the values in the order of the fields.
        order = [column for column in fields if column in columns]
        self._names = [fields[column].attname for column in order]
        self._places = [columns.index(column) for column in order]
        converters = [(place, getattr(fields.get(name), "from_db_value", None)) for place, name in enumerate(columns)]
        self._converters = [(place, convert) for place, convert in converters if convert]
        self._annotations = [(place, name) for place, name in enumerate(columns) if name not in fields]

    def read(self, row: Sequence[Any]) -> M:
        values = list(row)
        for place, convert in self._converters:
            values[place] = convert(values[place], None, connection)
        instance = self._model.from_db(connection.alias, self._names, [values[place] for place in self._places])
        for place, name in self._annotations:
            setattr(instance, name, values[place])
        return instance


class CompiledCounts(Generic[K]):
    """`count_up_to` for QuerySets that are run with other values each time; see CompiledQuery."""

    def __init__(self, build: Callable[..., Mapping[K, QuerySet[Any, Any]]], limit: int, *kinds: type) -> None:
        self._build = build
        self._limit = limit
        self._markers = _markers(kinds)

    @cached_property
    def _compiled(self) -> tuple[list[K], _Statement]:
        rows = self._build(*self._markers)
        return list(rows), _compile(*counting_statement(self._limit, list(rows.values())), self._markers)

    def count(self, *values: Any) -> dict[K, int]:
        names, statement = self._compiled
        with connection.cursor() as cursor:
            statement.execute(cursor, values)
            return dict(zip(names, cursor.fetchone(), strict=True))


def _markers(kinds: Sequence[type]) -> list[Any]:
    return [MARKERS[kind](number) for number, kind in enumerate(kinds)]


def _compile(statement: str, params: Sequence[Any], markers: Sequence[Any]) -> _Statement:
    """Return the statement with placeholders only for the markers. The other parameters become literals: there may be
    hundreds of them."""
    places = [markers.index(param) if param in markers else None for param in params]
    unused = set(range(len(markers))) - set(places)
    assert not unused, f"{statement} does not depend on the value"
    written = ["%s" if place is not None else _literal(param) for place, param in zip(places, params, strict=True)]
    text = statement.replace("%%", "%%%%") % tuple(written)
    return _Statement(text, [place for place in places if place is not None])


def _literal(value: Any) -> str:
    connection.ensure_connection()
    return sql.Literal(value).as_string(connection.connection).replace("%", "%%")
