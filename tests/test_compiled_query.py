"""Queries with precompiled SQL return the same rows as their QuerySets, for each value."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from archive import dbtime, notices
from archive.models import Notice, Space, User
from archive.models.compiled_query import MARKERS, CompiledCounts, CompiledQuery
from archive.notices.open import open_notices
from portal.access import has_spoken, spaces_spoken_in
from tests.support.factory import make_row

pytestmark = pytest.mark.django_db


def of_host(host_id: Any) -> Any:
    return (
        Space.objects.filter(host=host_id, title__contains=F("title"))
        .exclude(title="100 % new, 'quoted' \\ %s")
        .order_by("title")
    )


def test_each_value_gives_its_own_rows(alice: User, admin: User) -> None:
    make_row(alice, title="B")
    make_row(alice, title="A")
    make_row(alice, title="100 % new, 'quoted' \\ %s")
    make_row(admin, title="C")
    titles = CompiledQuery(lambda host: of_host(host).values_list("title"), int)
    rows = CompiledQuery(of_host, int)

    assert titles.tuples(alice.pk) == [("A",), ("B",)]
    assert titles.tuples(admin.pk) == [("C",)]
    assert [space.title for space in rows.objects(alice.pk)] == ["A", "B"]
    assert titles.tuples(0) == []


def test_the_query_is_built_once(alice: User) -> None:
    built = []

    def build(host: Any) -> Any:
        built.append(host)
        return of_host(host).values_list("pk")

    query = CompiledQuery(build, int)
    query.tuples(alice.pk)
    with CaptureQueriesContext(connection) as queries:
        query.tuples(alice.pk)

    assert built == [MARKERS[int](0)]
    assert len(queries) == 1


def test_values_of_one_type_are_told_apart(alice: User, admin: User) -> None:
    now = dbtime.now()
    for days in (1, 2, 3):
        make_row(alice, title=f"{days}", expires_at=now + timedelta(days=days))

    def between(host: Any, first: Any, last: Any) -> Any:
        return Space.objects.filter(expires_at__lte=last, host=host, expires_at__gt=first)

    kinds = (int, datetime, datetime)
    titles = CompiledQuery(lambda *values: between(*values).values_list("title"), *kinds)
    counts = CompiledCounts(lambda *values: {"one": between(*values), "none": Space.objects.none()}, 2, *kinds)

    assert titles.tuples(alice.pk, now + timedelta(days=1), now + timedelta(days=2)) == [("2",)]
    assert counts.count(alice.pk, now + timedelta(days=1), now + timedelta(days=2)) == {"one": 1, "none": 0}
    assert counts.count(alice.pk, now, now + timedelta(days=9)) == {"one": 2, "none": 0}
    assert counts.count(admin.pk, now, now + timedelta(days=9)) == {"one": 0, "none": 0}


def test_a_query_that_does_not_depend_on_the_value_is_refused() -> None:
    with pytest.raises(AssertionError, match="does not depend"):
        CompiledQuery(lambda _: Space.objects.values_list("pk"), int).tuples(1)


def test_the_bell_counts_what_the_list_of_open_notices_has(alice: User, admin: User) -> None:
    for user, count in ((alice, 3), (admin, 1)):
        for _ in range(count):
            Notice.objects.create(kind="bundle-failed", user=user, space=make_row(user), subject_id="1")

    assert notices.count_open(alice) == open_notices(alice).count() == 3
    assert notices.count_open(admin) == open_notices(admin).count() == 1


def test_who_spoke_sees_own_lines_until_the_deadline(alice: User, admin: User) -> None:
    served, gone = make_row(admin), make_row(admin, state="expiring")
    gone.participants.create(role="speaker", seat=1, name="Alice", user=alice)
    assert has_spoken(alice) is spaces_spoken_in(alice).exists() is False
    served.participants.create(role="speaker", seat=1, name="Alice", user=alice)

    assert has_spoken(alice) is spaces_spoken_in(alice).exists() is True
    assert has_spoken(admin) is False
