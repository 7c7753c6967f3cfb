"""Two concurrent transactions: exactly one wins, and the other gets an error."""

import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from io import BytesIO

import pytest

from archive import dbtime
from archive.bundles import build
from archive.errors import Refused, TooLate
from archive.log import SYSTEM
from archive.models import Appeal, Bundle, LogEntry, Rule, Space, User, Violation, WebhookEndpoint
from archive.moderation.appeals import decide
from archive.moderation.holds import place
from archive.moderation.rules import change_rule
from archive.moderation.violations import flag, lift
from archive.retention import purge
from archive.storage import keys, store, write
from tests.support.factory import make_contents, make_row
from tests.support.threads import at_once
from tests.support.waiting import wait_until
from tests.support.webhook_receiver import subscribe

pytestmark = pytest.mark.usefixtures("committed")
ROUNDS = int(os.environ.get("RACE_ROUNDS", "10"))  # races per test; use 1,000 before a release


def logged_events(space: Space) -> list[str]:
    return list(LogEntry.objects.filter(space_id=space.id).order_by("id").values_list("event", flat=True))


def flags(space: Space, by: User) -> object:
    return flag(space.id, "spam", "Watches.", by)


def holds(space: Space, by: User) -> object:
    return place(space.id, "A court asked for it.", by)


def lifts(space: Space, by: User) -> object:
    return lift(space.id, "Flagged in error.", by)


def grants(space: Space, by: User) -> object:
    return decide(Appeal.objects.get(violation__space=space).pk, "So it was.", by, granted=True)


# action -> how long after its end the Space is then kept (None: no deadline), and the log's events
RACES: dict[str, tuple[Callable[[Space, User], object], timedelta | None, list[str]]] = {
    "flag": (flags, timedelta(days=120), ["violation.flagged", "deadline.moved"]),
    "hold": (holds, None, ["hold.placed", "deadline.moved"]),
    "lift": (lifts, timedelta(days=57), ["violation.lifted", "deadline.moved"]),
    "appeal granted": (grants, timedelta(days=57), ["appeal.granted", "violation.lifted", "deadline.moved"]),
}


def make_raced(host: User, admin: User, name: str, number: int) -> Space:
    """A Space that ended 50 days ago, with one object in the store."""
    space = make_row(host, ended_ago=timedelta(days=50), expires_at=dbtime.now() + timedelta(days=1), title=str(number))
    write(store(), keys.recording(space.id, 1, "m4a"), BytesIO(b"sound"), "audio/mp4", check=lambda: None)
    if name in ("lift", "appeal granted"):
        violation = Violation.objects.create(space=space, rule=Rule.objects.get(code="spam"), flagged_by=admin)
        if name != "lift":
            Violation.objects.filter(pk=violation.pk).update(state="appealed")
            Appeal.objects.create(violation=violation, statement="It was a quotation.", created_by=host)
    return space


@pytest.mark.parametrize(
    "name", ["flag", "appeal granted", *(pytest.param(name, marks=pytest.mark.long) for name in ("hold", "lift"))]
)
def test_a_change_races_the_deletion(alice: User, admin: User, second_admin: User, name: str) -> None:
    """Either the change is in time and no byte is lost, or it is too late and the Space is deleted. Never both or
    neither."""
    change, kept_for, text = RACES[name]
    outcomes = set()
    for number in range(ROUNDS):
        space = make_raced(alice, admin, name, number)
        late: list[str] = []
        deadlines: list[datetime] = []

        def comes(space: Space = space, number: int = number, deadlines: list[datetime] = deadlines) -> None:
            deadlines.append(dbtime.now() + timedelta(milliseconds=number % 10 * 10))
            Space.objects.filter(pk=space.pk).update(expires_at=deadlines[0])

        def changed(space: Space = space, late: list[str] = late) -> bool:
            try:
                change(space, second_admin)
            except TooLate as error:
                late.append(str(error))
            return not late

        def deleted(space: Space = space, deadlines: list[datetime] = deadlines) -> bool:
            over = False
            while not over:
                over = dbtime.now() > deadlines[0]  # one more attempt after the deadline
                if purge.purge(space.id):
                    return True
                time.sleep(0.002)
            return False

        in_time, was_deleted = at_once(changed, deleted, first=comes)
        began = "deletion.started" in logged_events(space)
        if began and not was_deleted:  # the loser held the row's lock; the next attempt continues
            wait_until(partial(purge.purge, space.id), "the deletion finishes")

        space.refresh_from_db()
        outcomes.add((in_time, began))
        count_before = len(store().listing(keys.prefix(space.id)).versions)
        if in_time:
            assert (began, space.state, count_before) == (False, "available", 1)
            assert logged_events(space) == text
            if kept_for is None:
                assert space.expires_at is None
            else:
                assert space.expires_at is not None
                assert abs(space.expires_at - space.ended_at - kept_for) < timedelta(minutes=5)
        else:
            assert (began, space.state, count_before) == (True, "deleted", 0)
            assert late[0].startswith("Too late: the de")
            assert logged_events(space) == ["deletion.started", "deletion.inventoried", "space.deleted"]
    assert outcomes == {(True, False), (False, True)}, "each of the two must have won at least once"


def test_two_purges_race(alice: User) -> None:
    for _ in range(ROUNDS // 2):
        space = make_row(alice, ended_ago=timedelta(days=31))
        make_contents(space)

        assert sorted(at_once(*[partial(purge.purge, space.id)] * 2)) == [False, True]

        assert logged_events(space) == ["deletion.started", "bundle.removed", "deletion.inventoried", "space.deleted"]


def test_two_workers_race_for_a_bundle(make_space: Callable[..., Space]) -> None:
    space = make_space()
    bundle = build.request(space.id, SYSTEM)

    assert sorted(at_once(*[partial(build.build, bundle.id)] * 2)) == [False, True]

    expected = ["bundle.requested", "bundle.started", "bundle.ready", "bundle.verified"]
    assert logged_events(space)[-4:] == expected
    bundle.refresh_from_db()
    assert (bundle.state, bundle.fence) == ("ready", 1)


def test_two_bundle_requests_race(alice: User) -> None:
    for _ in range(ROUNDS):
        space = make_row(alice)
        make_contents(space).delete()

        one, two = at_once(*[partial(build.request, space.id, SYSTEM)] * 2)

        assert one.pk == two.pk
        assert Bundle.objects.filter(space=space).count() == 1
        assert logged_events(space) == ["bundle.requested"]


def test_two_changes_of_a_rule_are_two_versions(admin: User) -> None:
    Rule.objects.create(code="racing", name="Racing")
    try:
        versions = at_once(
            lambda: change_rule("racing", "One", "1", admin, active=True).number,
            lambda: change_rule("racing", "Two", "2", admin, active=True).number,
        )

        assert sorted(versions) == [2, 3]
        assert [rule.number for rule in Rule.objects.filter(code="racing", current=True)] == [3]
    finally:
        Rule.objects.filter(code="racing").delete()  # rows of this table are not removed between tests


def test_admins_at_once_create_no_more_endpoints_than_allowed(admin: User) -> None:
    for number in range(19):
        subscribe("https://example.org/events", admin, name=str(number))

    def create() -> str:
        try:
            subscribe("https://example.org/events", admin)
        except Refused as refused:
            return refused.code
        return "created"

    assert sorted(at_once(*[create] * 4)) == ["created", *["webhook.too_many"] * 3]
    assert WebhookEndpoint.objects.count() == 20
