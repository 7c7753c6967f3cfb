"""Reminders before deletion: one per deadline, at a cost that depends on the number of due reminders only."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive import dbtime, notices
from archive.errors import make_problem
from archive.models import Notice, Space, User
from archive.moderation.holds import place
from archive.moderation.violations import flag
from archive.notices.deliver import MAX_ATTEMPTS
from tests.support.factory import make_row
from tests.support.log_entries import events
from tests.support.mail_server import Mailbox, give_address, reload_notice, text_body
from tests.support.rows import update_space

pytestmark = pytest.mark.usefixtures("db")
DAY = timedelta(days=1)


@pytest.fixture
def host(alice: User, mailbox: Mailbox) -> User:
    return give_address(alice)


def with_left(host: User, left: timedelta, **fields: Any) -> Space:
    return make_row(host, ended_ago=30 * DAY - left, **fields)


def made(space: Space) -> list[tuple[str, datetime | None]]:
    return list(Notice.objects.filter(space=space).order_by("created_at").values_list("kind", "deadline"))


def send_all() -> None:
    for pk in Notice.objects.filter(state="pending").values_list("pk", flat=True):
        notices.send(pk)


@pytest.mark.parametrize(
    ("left", "kinds"),
    [
        (timedelta(days=7, minutes=1), []),
        (timedelta(days=6, hours=23), ["due-7-days"]),
        (timedelta(days=1, minutes=1), ["due-7-days"]),
        (timedelta(hours=23), ["due-1-day"]),
        (timedelta(minutes=1), ["due-1-day"]),
        (timedelta(minutes=-1), []),
    ],
)
def test_reminders_by_time_left(host: User, left: timedelta, kinds: list[str]) -> None:
    space = with_left(host, left)

    notices.create_reminders()

    assert made(space) == [(kind, space.expires_at) for kind in kinds]


@pytest.mark.parametrize("state", ["receiving", "processing", "rejected", "expiring"])
def test_only_downloadable_spaces_have_reminders(host: User, state: str) -> None:
    space = with_left(host, 2 * DAY, state=state, problem=make_problem("audio.empty") if state == "rejected" else {})

    notices.create_reminders()

    assert made(space) == []


def test_held_spaces_have_no_reminders(host: User, admin: User) -> None:
    place(with_left(host, 2 * DAY).pk, "A court asks for it.", admin)

    assert notices.create_reminders() == 0


def test_reminders_are_idempotent(host: User, mailbox: Mailbox) -> None:
    with_left(host, 2 * DAY, title="Seeds")

    assert (notices.create_reminders(), notices.create_reminders()) == (1, 0)
    send_all()
    assert notices.create_reminders() == 0
    send_all()

    (message,) = mailbox.to("alice@example.org")
    until = Space.objects.get().expires_at
    assert message["Subject"] == f"Will be deleted on {until:%-d %B %Y}: Seeds"
    assert f"will be deleted on {until:%-d %B %Y, %H:%M} UTC" in text_body(message)


def test_both_reminders_are_sent(host: User, mailbox: Mailbox) -> None:
    space = with_left(host, 2 * DAY)
    notices.create_reminders()
    update_space(
        space, ended_at=space.ended_at - DAY - timedelta(hours=1), expires_at=dbtime.now() + timedelta(hours=23)
    )

    notices.create_reminders()
    send_all()

    assert [notice.kind for notice in Notice.objects.filter(state="sent")] == ["due-1-day"]
    assert [subject.partition(":")[0] for subject in mailbox.subjects] == ["Less than a day left"]


def test_a_reminder_that_goes_along_ends_after_its_last_attempt_too(host: User, mailbox: Mailbox) -> None:
    for days in (2, 3):
        with_left(host, days * DAY)
    notices.create_reminders()
    first, second = Notice.objects.order_by("pk").values_list("pk", flat=True)
    Notice.objects.filter(pk=second).update(attempts=MAX_ATTEMPTS - 1)
    mailbox.answers["DATA"] = "451 Later"

    assert notices.send(first) is False

    states = dict(Notice.objects.values_list("pk", "state"))
    assert states == {first: "pending", second: "failed"}


def test_a_moved_deadline_gets_a_new_reminder(host: User, admin: User, mailbox: Mailbox) -> None:
    space = with_left(host, 2 * DAY)
    notices.create_reminders()
    flag(space.pk, "spam", "It sold watches.", admin)

    send_all()

    first = Notice.objects.get(kind="due-7-days")
    assert (first.state, first.problem) == ("obsolete", make_problem("notice.deadline_moved"))
    assert mailbox.subjects == ["Flagged: A row"]

    update_space(space, ended_at=dbtime.now() - 117 * DAY, expires_at=dbtime.now() + 3 * DAY)
    notices.create_reminders()
    send_all()

    assert Notice.objects.filter(kind="due-7-days", state="sent").count() == 1
    assert len(mailbox.received) == 2


def test_a_restored_deadline_gets_its_reminder_again(host: User, mailbox: Mailbox) -> None:
    """A hold that is placed and released restores the deadline."""
    space = with_left(host, 2 * DAY)
    until = space.expires_at
    notices.create_reminders()
    update_space(space, expires_at=None)
    send_all()
    notice = Notice.objects.get()
    assert (notice.state, mailbox.received) == ("obsolete", [])
    assert notices.create_reminders() == 0

    update_space(space, expires_at=until)
    assert notices.create_reminders() == 1
    send_all()

    assert (reload_notice(notice).state, reload_notice(notice).problem, len(mailbox.received)) == ("sent", {}, 1)
    assert events(space) == ["notice.obsolete", "notice.requeued", "notice.sent"]
    assert notices.create_reminders() == 0


def test_a_sent_reminder_is_not_repeated_for_a_restored_deadline(host: User, mailbox: Mailbox) -> None:
    space = with_left(host, 2 * DAY)
    until = space.expires_at
    notices.create_reminders()
    send_all()
    update_space(space, expires_at=None)
    notices.create_reminders()
    update_space(space, expires_at=until)

    assert notices.create_reminders() == 0
    assert len(mailbox.received) == 1


def test_reminders_are_created_in_batches(host: User, admin: User) -> None:
    counts = []
    for number in (6, 30):
        for hours in range(number):
            with_left(host, timedelta(hours=2 + 5 * hours))
        with CaptureQueriesContext(connection) as queries:
            assert notices.create_reminders(batch=1000) == number
        counts.append(len(queries))
    assert counts[0] == counts[1]

    Notice.objects.all().delete()
    assert notices.create_reminders(batch=2) == 36
    assert Notice.objects.values("space").distinct().count() == 36


@pytest.mark.usefixtures("owner")  # ANALYZE
def test_creating_reminders_scans_no_other_spaces(host: User) -> None:
    now = dbtime.now()
    rows = [
        Space(host=host, title="x", state="available", ended_at=now, expires_at=now + 30 * DAY, deadline_reasons=[])
        for _ in range(5000)
    ]
    Space.objects.bulk_create(rows)
    with_left(host, 2 * DAY)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE archive_space")
        cursor.execute("ANALYZE archive_notice")
    with CaptureQueriesContext(connection) as queries:
        notices.create_reminders()

    selects = [q["sql"] for q in queries if q["sql"].startswith("SELECT") and '"expires_at" >' in q["sql"]]
    selects = [select for select in selects if 'FROM "archive_space"' in select]
    assert len(selects) == 2  # two windows
    for select in selects:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {select}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Index Scan using space_due" in plan, plan
