"""A Space's `is_flagged` and `is_appealed`, by which lists filter, are right whichever process changes a violation: one
of an older release may not know these columns."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection, transaction

from archive.models import Rule, Space, User, Violation
from tests.support.factory import make_row
from tests.support.paused_at import dsn
from tests.support.waiting import wait_until


@pytest.fixture
def space(db: None, alice: User) -> Space:
    return make_row(alice)


def make_violation(space: Space, admin: User) -> Violation:
    return Violation.objects.create(space=space, rule=Rule.objects.get(code="spam"), flagged_by=admin)


def shown(space: Space) -> tuple[bool, bool]:
    """Return whether lists show it as flagged, and as appealed."""
    return Space.objects.values_list("is_flagged", "is_appealed").get(pk=space.pk)


LIFT = "UPDATE archive_violation SET state = 'lifted', lifted_at = now(), lifted_by_id = flagged_by_id WHERE id = %s"


def test_a_space_shows_what_its_violations_are(space: Space, alice: User, admin: User) -> None:
    other = make_row(alice)
    violations = [make_violation(space, admin) for _ in range(2)]
    assert shown(space) == (True, False)

    steps: dict[str, tuple[bool, bool]] = {
        "UPDATE archive_violation SET state = 'appealed'": (True, True),
        LIFT.replace("%s", str(violations[0].pk)): (True, True),
        "UPDATE archive_violation SET state = 'standing' WHERE state = 'appealed'": (True, False),
        LIFT.replace("%s", str(violations[1].pk)): (False, False),
        "UPDATE archive_violation SET state = 'standing', lifted_at = NULL, lifted_by_id = NULL": (True, False),
        "DELETE FROM archive_violation": (False, False),
    }
    for statement, expected in steps.items():
        with connection.cursor() as cursor:
            cursor.execute(statement)
        assert shown(space) == expected, statement
        assert shown(other) == (False, False)


def is_waited_for() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


@pytest.mark.usefixtures("committed")
def test_two_changes_at_once_leave_what_both_made(alice: User, admin: User) -> None:
    """Neither process sees what the other one has not committed."""
    space = make_row(alice)
    first, second = [make_violation(space, admin) for _ in range(2)]

    with psycopg.connect(dsn(), autocommit=True) as other, ThreadPoolExecutor(1) as pool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LIFT, [first.pk])
            lifted = pool.submit(other.execute, LIFT, [second.pk])
            wait_until(is_waited_for, "the other one waits for the Space")
        lifted.result()

    assert shown(space) == (False, False)
