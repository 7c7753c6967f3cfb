"""Only due Spaces are deleted."""

from datetime import timedelta

import pytest

from archive import dbtime
from archive.models import Space, User
from archive.moderation.violations import flag
from archive.retention.purge import begin, purge, sweep_all
from archive.storage import keys, store
from tests.support.factory import make_held, make_row
from tests.support.log_entries import event_detail, events
from tests.support.rows import reload_space, update_space
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(zebrafish: Space) -> Space:
    return zebrafish


def test_not_purged_before_the_deadline(space: Space) -> None:
    assert not purge(space.pk)

    space.refresh_from_db()
    assert (space.state, space.title) == ("available", "Zebrafish")
    assert len(store().listing(keys.prefix(space.pk)).versions) == 3
    assert "deletion.started" not in events(space)


def test_not_purged_on_the_day_before(alice: User) -> None:
    space = make_row(alice, ended_ago=timedelta(days=29, hours=1))

    assert not purge(space.pk)
    assert list(sweep_all()) == []
    assert reload_space(space).state == "available"


def test_purged_once_due(alice: User) -> None:
    space = make_row(alice, ended_ago=timedelta(days=30))

    assert list(sweep_all()) == [space.pk]
    assert reload_space(space).state == "deleted"


def test_not_purged_on_hold(alice: User) -> None:
    space = make_held(alice, ended_ago=timedelta(days=400))

    assert not purge(space.pk)
    assert Space.objects.get(pk=space.pk).state == "available"


def test_an_abandoned_upload_on_hold_is_not_purged(alice: User) -> None:
    space = make_held(alice, state="receiving", ended_ago=timedelta(days=400))
    update_space(space, created_at=dbtime.now() - timedelta(days=2))

    assert not purge(space.pk)
    assert reload_space(space).state == "receiving"


@pytest.mark.parametrize(
    ("created", "lease", "discarded"), [(25, None, True), (23, None, False), (25, 1, False), (50, 25, True)]
)
def test_an_abandoned_space_is_purged_after_a_day(
    alice: User, created: int, lease: int | None, discarded: bool
) -> None:
    space, now = make_row(alice, state="receiving"), dbtime.now()
    lease_until = None if lease is None else now - timedelta(hours=lease)
    Space.objects.filter(pk=space.pk).update(created_at=now - timedelta(hours=created), lease_until=lease_until)

    assert purge(space.pk) is discarded

    assert Space.objects.get(pk=space.pk).state == ("deleted" if discarded else "receiving")
    if discarded:
        assert event_detail(space, "deletion.started")["why"] == "abandoned"


def test_an_earlier_flag_prevents_the_purge(space: Space, admin: User) -> None:
    deadline = dbtime.now() + timedelta(seconds=3)
    Space.objects.filter(pk=space.pk).update(expires_at=deadline)
    flag(space.pk, "spam", "An axolotl.", admin)
    wait_until(lambda: dbtime.now() >= deadline, "the old deadline passes")

    assert not begin(space.pk)
    assert not purge(space.pk)

    space.refresh_from_db()
    assert space.state == "available"
    assert len(store().listing(keys.prefix(space.pk)).versions) == 3
