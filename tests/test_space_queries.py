"""Each condition on deadlines gives the same result as a query and on a row in memory."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import QuerySet
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from archive import dbtime, policy
from archive.errors import make_problem
from archive.models import Notice, Space, User
from archive.models.space_queries import is_gone, is_kept, is_served
from tests.support.factory import make_row

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ENDED = NOW - timedelta(days=40)
STEP = timedelta(microseconds=1)
OFFSETS = st.integers(-5, 5).map(lambda steps: steps * STEP) | st.timedeltas(timedelta(days=-39), timedelta(days=39))
# A Space that is being deleted, or was deleted, had a deadline.
ROWS = st.tuples(st.sampled_from(Space.KEPT), st.none() | OFFSETS) | st.tuples(st.sampled_from(Space.State), OFFSETS)


def row(host: User, state: str, offset: timedelta | None, **fields: Any) -> Space:
    expires_at = None if offset is None else NOW + offset
    if state == "deleted":
        fields |= {"deleted_at": NOW, "title": "", "salt": "", "fingerprint": ""}
    if state == "rejected":
        fields |= {"problem": make_problem("audio.no_sound")}
    return Space(host=host, state=state, ended_at=ENDED, expires_at=expires_at, **fields)


def ids(spaces: QuerySet[Space]) -> set[UUID]:
    return set(spaces.values_list("pk", flat=True))


@pytest.mark.django_db
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, min_size=1, max_size=12), OFFSETS)
@example([(Space.State.AVAILABLE, timedelta())], timedelta())
@example([(Space.State.AVAILABLE, STEP), (Space.State.AVAILABLE, -STEP), (Space.State.AVAILABLE, None)], timedelta())
@example([(state, STEP) for state in Space.State], timedelta())
def test_querysets_and_instances_agree(alice: User, rows: list[tuple[str, timedelta | None]], at: timedelta) -> None:
    moment = NOW + at
    with transaction.atomic():
        spaces = Space.objects.bulk_create([row(alice, *one) for one in rows])

        assert ids(Space.objects.served(moment)) == {space.pk for space in spaces if space.is_served(moment)}
        assert ids(Space.objects.gone(moment)) == {space.pk for space in spaces if space.is_gone(moment)}
        assert ids(Space.objects.kept(moment)) == {space.pk for space in spaces if not space.is_gone(moment)}
        overdue = {space.pk for space in spaces if space.is_gone(moment) and space.state in Space.KEPT}
        assert ids(Space.objects.due(moment)) >= overdue

        transaction.set_rollback(True)  # a trigger would refuse the commit, because the legal holds are missing


@pytest.mark.django_db
@pytest.mark.parametrize(("left", "served"), [(timedelta(hours=1), True), (-timedelta(seconds=1), False)])
def test_the_default_time_is_that_of_the_database(alice: User, left: timedelta, served: bool) -> None:
    space = make_row(alice, expires_at=dbtime.now() + left)

    assert Space.objects.served().filter(pk=space.pk).exists() == served
    assert Space.objects.kept().filter(pk=space.pk).exists() == served
    assert Space.objects.gone().filter(pk=space.pk).exists() == (not served)
    assert Space.objects.due().filter(pk=space.pk).exists() == (not served)


@pytest.mark.django_db
def test_conditions_over_rows_that_refer_to_a_space(alice: User) -> None:
    space = make_row(alice, ended_at=ENDED, expires_at=NOW)
    Notice.objects.create(kind=Notice.Kind.FLAGGED, user=alice, space=space, subject_id="1")

    def matches(condition: Any) -> bool:
        return Notice.objects.filter(condition).exists()

    assert matches(is_gone(NOW, prefix="space__"))
    assert not matches(is_gone(NOW - STEP, prefix="space__"))
    assert matches(is_kept(NOW - STEP, prefix="space__"))
    assert not matches(is_kept(NOW, prefix="space__"))
    assert matches(is_served(NOW - STEP, prefix="space__"))
    assert not matches(is_served(NOW, prefix="space__"))


@pytest.mark.django_db
@pytest.mark.parametrize(("age", "due"), [(policy.ABANDONED_AFTER, False), (policy.ABANDONED_AFTER + STEP, True)])
def test_an_abandoned_upload_is_due(alice: User, age: timedelta, due: bool) -> None:
    space = make_row(alice, state=Space.State.RECEIVING, ended_at=ENDED, expires_at=NOW + timedelta(days=1))
    Space.objects.filter(pk=space.pk).update(created_at=NOW - age)

    assert Space.objects.due(NOW).exists() == due


@pytest.mark.django_db
def test_who_may_see_and_who_may_read(alice: User, admin: User, auditor: User) -> None:
    ours, theirs = make_row(alice), make_row(admin)

    assert ids(Space.objects.visible_to(alice)) == ids(Space.objects.readable_by(alice)) == {ours.pk}
    assert ids(Space.objects.visible_to(admin)) == ids(Space.objects.readable_by(admin)) == {ours.pk, theirs.pk}
    assert ids(Space.objects.visible_to(auditor)) == {ours.pk, theirs.pk}
    assert ids(Space.objects.readable_by(auditor)) == set()
