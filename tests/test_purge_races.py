"""A flag and the deletion at the same moment: the first to commit wins, and the other one fails."""

from contextlib import suppress
from datetime import timedelta

import pytest

from archive import dbtime
from archive.errors import TooLate
from archive.models import Space, User
from archive.moderation.violations import flag
from archive.retention.purge import begin
from tests.support.deadlines import approaching_deadlines
from tests.support.errors import raises_error
from tests.support.factory import make_row
from tests.support.threads import commit_first
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def space(committed: None, alice: User) -> Space:
    return make_row(alice, expires_at=dbtime.now() - timedelta(seconds=1))


def test_a_flag_that_commits_first_wins(space: Space, admin: User) -> None:
    def flag_in_time() -> None:
        flag(space.pk, "spam", "An axolotl.", admin)
        wait_until(lambda: dbtime.now() >= deadline, "the deadline passes before the commit")

    for deadline in approaching_deadlines(space, first_seconds=1):  # noqa: B007  # flag_in_time reads it
        with suppress(TooLate):  # a slow machine set the flag after the deadline
            began = commit_first(flag_in_time, lambda: begin(space.pk))
            break

    assert began.result(timeout=PATIENCE) is False
    space.refresh_from_db()
    assert (space.state, space.violations.count()) == ("available", 1)


def test_a_deletion_that_commits_first_wins(space: Space, admin: User) -> None:
    flagged = commit_first(lambda: begin(space.pk), lambda: flag(space.pk, "spam", "An axolotl.", admin))

    with raises_error(TooLate, "space.deletion_started"):
        flagged.result(timeout=PATIENCE)
    space.refresh_from_db()
    assert (space.state, space.violations.count()) == ("expiring", 0)
