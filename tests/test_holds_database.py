"""The database itself ensures that a Space on hold has no deadline and cannot be deleted."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from archive import dbtime, lifecycle
from archive.log import SYSTEM
from archive.models import Hold, Space, User
from tests.support.factory import make_held, make_row

pytestmark = pytest.mark.usefixtures("db")
TOMORROW = timedelta(days=1)


def commit() -> None:
    """Check the deferred constraints, as a commit does."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def committed(change: Callable[[], object]) -> None:
    with transaction.atomic():
        change()
        commit()


CHANGES: dict[str, Callable[[Space, Space, User], object]] = {
    "no deadline": lambda free, held, by: Space.objects.filter(pk=free.pk).update(expires_at=None),
    "made without one": lambda free, held, by: make_row(by, expires_at=None),
    "a hold alone": lambda free, held, by: Hold.objects.create(space=free, reason="A court.", placed_by=by),
    "a deadline": lambda free, held, by: Space.objects.filter(pk=held.pk).update(expires_at=dbtime.now() + TOMORROW),
    "released": lambda free, held, by: Hold.objects.update(state="released", released_at=dbtime.now(), released_by=by),
    "its hold gone": lambda free, held, by: Hold.objects.all().delete(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_hold_and_a_deadline_exclude_each_other(
    alice: User, admin: User, change: Callable[[Space, Space, User], object]
) -> None:
    free, held = make_row(alice), make_held(alice)
    commit()

    with pytest.raises(IntegrityError, match='"space_no_deadline_iff_held"'):
        committed(lambda: change(free, held, admin))


def test_a_hold_and_its_deadline_change_together(alice: User, admin: User) -> None:
    space = make_row(alice)

    committed(lambda: [CHANGES["a hold alone"](space, space, admin), CHANGES["no deadline"](space, space, admin)])
    committed(lambda: [CHANGES["released"](space, space, admin), CHANGES["a deadline"](space, space, admin)])

    assert Hold.objects.get().state == "released"


def test_a_held_space_cannot_start_its_deletion(alice: User) -> None:
    space = make_held(alice, ended_ago=timedelta(days=400))

    with pytest.raises(IntegrityError, match='"space_never_deleted_while_held"'), transaction.atomic():
        lifecycle.transition(space, Space.State.AVAILABLE, Space.State.EXPIRING, actor=SYSTEM)
