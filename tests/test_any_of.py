"""`pk__any` finds the same rows as `pk__in`, but its SQL is the same for any number of ids."""

from typing import Any
from uuid import uuid4

import pytest
from django.db.models import QuerySet

from archive.models import Participant, Space, User
from archive.models.compiled_query import CompiledQuery
from tests.support.factory import make_row, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def spaces() -> list[Space]:
    hosts = [make_user(name) for name in ("alice", "bob", "carol")]
    rows = [make_row(host) for host in hosts]
    for space in rows:
        space.participants.create(role="speaker", seat=1, name="Ines")
    return rows


def choices(ids: list[Any], unknown: Any) -> list[list[Any]]:
    """None, one, some, all, an unknown id, and a duplicate."""
    return [[], ids[:1], ids[1:], ids, [unknown], [ids[2], unknown, ids[2]]]


def sql(rows: QuerySet[Any, Any]) -> str:
    statement: str = rows.query.sql_with_params()[0]
    return statement


def test_it_finds_what_in_finds(spaces: list[Space]) -> None:
    space_ids, user_ids = [space.pk for space in spaces], [space.host_id for space in spaces]
    tables: list[tuple[QuerySet[Any, Any], str, list[list[Any]]]] = [
        (Space.objects.order_by("pk"), "pk", choices(space_ids, uuid4())),
        (User.objects.order_by("pk"), "pk", choices(user_ids, -1)),
        (Participant.objects.order_by("pk"), "space__pk", choices(space_ids, uuid4())),
        (Space.objects.order_by("pk"), "host__pk", choices(user_ids, -1)),
    ]
    for rows, column, lists in tables:
        assert len({sql(rows.filter(**{f"{column}__any": ids})) for ids in lists}) == 1
        for ids in lists:
            assert list(rows.filter(**{f"{column}__any": ids})) == list(rows.filter(**{f"{column}__in": ids}))
            assert list(rows.exclude(**{f"{column}__any": ids})) == list(rows.exclude(**{f"{column}__in": ids}))
    assert Space.objects.filter(pk__any=space_ids).count() == 3


def test_a_compiled_query_takes_any_number_of_ids(spaces: list[Space]) -> None:
    """The SQL is compiled once, and must work for other arguments than those of the first call."""
    of_spaces = CompiledQuery(lambda ids: Space.objects.filter(pk__any=ids).order_by("pk"), list)
    of_users = CompiledQuery(lambda ids: Space.objects.filter(host__pk__any=ids).order_by("pk"), list)
    for query, column, ids in (
        (of_spaces, "pk", [space.pk for space in spaces]),
        (of_users, "host", [space.host_id for space in spaces]),
    ):
        for some in choices(ids, uuid4() if column == "pk" else -1):
            expected = Space.objects.filter(**{f"{column}__in": some}).order_by("pk")
            assert query.objects(some) == list(expected), (column, some)
