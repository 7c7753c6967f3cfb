"""While a legal hold is in place, a Space has no deadline. A second admin releases the hold, and the policy applies at
once."""

import json
from datetime import timedelta

import pytest
from pytest_django import Settings

from archive import lifecycle, notices
from archive.errors import Conflict, Refused, TooLate
from archive.log import SYSTEM
from archive.models import Hold, Space, User
from archive.moderation.holds import if_released, place, release
from archive.moderation.violations import flag, lift
from archive.retention.due import due_spaces
from archive.retention.purge import purge
from tests.support.deadlines import retention_period
from tests.support.errors import raises_error
from tests.support.factory import make_held, make_row, make_user
from tests.support.http_clients import make_client
from tests.support.log_entries import entries, events

pytestmark = pytest.mark.usefixtures("db")
REASON = "A court asked for it."


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice, ended_ago=timedelta(days=10))


@pytest.fixture
def second() -> User:
    return make_user("sven", role="admins")


def no_deadline(space: Space) -> bool:
    space.refresh_from_db()
    return space.expires_at is None


def test_a_hold_removes_the_deadline(space: Space, admin: User) -> None:
    hold = place(space.pk, REASON, admin)

    assert no_deadline(space)
    assert space.deadline_reasons == [{"code": "hold"}]
    assert (hold.state, hold.reason, hold.placed_by) == ("standing", REASON, admin)
    (placed, detail), (moved, how) = entries(space)
    assert (placed, detail["hold"], moved, how["after"]) == ("hold.placed", hold.pk, "deadline.moved", None)


def test_the_host_is_told_when_the_deadline_ends_and_when_there_is_one_again(
    space: Space, admin: User, second: User
) -> None:
    first = place(space.pk, REASON, admin, case_number="Az. 4711")
    other = place(space.pk, "Another case.", admin)

    (notice,) = notices.visible_notices(space.host)
    assert (notice.kind, notice.subject_id) == ("hold-placed", str(first.pk))
    page = make_client(space.host).get("/notices/").content.decode()
    assert "is on legal hold: it is not deleted until the hold is released." in page
    assert (REASON in page, "4711" in page) == (False, False)

    release(first.pk, "Closed.", second)
    assert [one.kind for one in notices.visible_notices(space.host)] == ["hold-placed"]
    release(other.pk, "Closed.", second)
    assert [one.kind for one in notices.visible_notices(space.host)] == ["hold-released"]
    page = make_client(space.host).get("/notices/").content.decode()
    assert "is no longer on legal hold: it will be deleted on <time" in page

    again = place(space.pk, REASON, admin)
    assert [one.subject_id for one in notices.open_notices(space.host)] == [str(again.pk)]


def test_nothing_moves_the_deadline_of_a_held_space(space: Space, admin: User) -> None:
    place(space.pk, REASON, admin)

    flag(space.pk, "spam", "Watches.", admin)
    assert no_deadline(space)
    lift(space.pk, "In error.", admin)
    assert no_deadline(space)


def test_a_release_restores_the_deadline(space: Space, admin: User, second: User) -> None:
    hold = place(space.pk, REASON, admin)
    flag(space.pk, "spam", "Watches.", admin)
    would_be = if_released(space)

    released = release(hold.pk, "The case is closed.", second)

    assert retention_period(space) == timedelta(days=120)
    assert would_be.at == space.expires_at
    assert (released.state, released.release_reason, released.released_by) == (
        "released",
        "The case is closed.",
        second,
    )
    assert events(space)[-2:] == ["hold.released", "deadline.moved"]


def test_a_late_release_makes_the_space_due_at_once(alice: User, admin: User, second: User) -> None:
    space = make_held(alice, ended_ago=timedelta(days=400))
    assert not list(due_spaces())

    release(Hold.objects.get().pk, "The case is closed.", second)

    assert [row.id for row in due_spaces()] == [space.pk]
    assert purge(space.pk)


def test_every_hold_has_to_be_released(space: Space, admin: User, second: User) -> None:
    one, other = place(space.pk, REASON, admin), place(space.pk, "Another court.", admin)

    release(one.pk, "Closed.", second)
    assert no_deadline(space)
    release(other.pk, "Closed.", second)

    assert retention_period(space) == timedelta(days=30)


def test_a_release_needs_a_second_admin(space: Space, admin: User, settings: Settings) -> None:
    hold = place(space.pk, REASON, admin)

    with raises_error(Refused, "hold.own"):
        release(hold.pk, "Closed.", admin)
    assert no_deadline(space)
    settings.HOLD_RELEASE_NEEDS_SECOND_ADMIN = False
    release(hold.pk, "Closed.", admin)

    assert retention_period(space) == timedelta(days=30)


@pytest.mark.parametrize("who", ["alice", "otto"])
def test_only_admins_place_and_release_holds(space: Space, admin: User, auditor: User, who: str) -> None:
    hold = place(space.pk, REASON, admin)
    user = User.objects.get(username=who)

    with raises_error(Refused, "moderation.not_an_admin", user=who):
        place(space.pk, REASON, user)
    with raises_error(Refused, "moderation.not_an_admin"):
        release(hold.pk, REASON, user)


def test_a_hold_and_its_release_need_a_reason(space: Space, admin: User, second: User) -> None:
    with raises_error(Refused, "hold.reason_missing"):
        place(space.pk, " ", admin)
    hold = place(space.pk, REASON, admin)
    with raises_error(Refused, "hold.reason_missing"):
        release(hold.pk, "", second)


def test_a_hold_is_released_once(space: Space, admin: User, second: User) -> None:
    hold = place(space.pk, REASON, admin)
    release(hold.pk, "Closed.", second)

    with raises_error(Conflict, "hold.released"):
        release(hold.pk, "Closed.", second)
    with raises_error(Refused, "hold.not_found"):
        release(hold.pk + 1, "Closed.", second)


def test_a_hold_after_the_deadline_is_refused(space: Space, alice: User, admin: User) -> None:
    overdue = make_row(alice, ended_ago=timedelta(days=31))
    lifecycle.transition(space, Space.State.AVAILABLE, Space.State.EXPIRING, actor=SYSTEM)

    with raises_error(TooLate, "space.deletion_started"):
        place(space.pk, REASON, admin)
    with raises_error(TooLate, "space.deadline_passed"):
        place(overdue.pk, REASON, admin)

    assert not Hold.objects.exists()


def test_no_free_text_reaches_the_log(space: Space, admin: User, second: User) -> None:
    release(place(space.pk, "A secret inquiry.", admin).pk, "It came to nothing.", second)

    log_text = json.dumps(entries(space))

    assert "inquiry" not in log_text
    assert "nothing" not in log_text


def test_the_history_gives_reasons_to_other_admins_and_auditors(
    space: Space, admin: User, second: User, auditor: User
) -> None:
    """Hosts do not see the reasons, even hosts who are admins."""
    hold = place(space.pk, "A letter asked for it.", admin)
    release(hold.pk, "The letter was withdrawn.", second)
    own = make_row(second)
    place(own.pk, "A court asked for it.", admin)

    def reasons(reader: User, of: Space = space) -> list[str]:
        page = make_client(reader).get(f"/spaces/{of.pk}/").content.decode()
        return [text for text in ("letter was withdrawn", "letter asked", "court asked") if text in page]

    assert reasons(admin) == reasons(auditor) == ["letter was withdrawn", "letter asked"]
    assert reasons(space.host) == []
    assert (reasons(admin, own), reasons(second, own)) == (["court asked"], [])
