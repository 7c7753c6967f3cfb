"""Reminders of one host that are due at the same moment are one mail, which shows what was already downloaded."""

from datetime import timedelta
from typing import Any

import pytest

from archive import dbtime, leases, notices
from archive.models import Bundle, Export, ExportPart, ExportPartEntry, Notice, Space, User
from archive.notices import smtp
from tests.support.factory import make_contents, make_row
from tests.support.mail_server import Mailbox, give_address, html_body, text_body
from tests.support.rows import update_space

pytestmark = pytest.mark.usefixtures("db")
DAY = timedelta(days=1)


@pytest.fixture
def host(alice: User, mailbox: Mailbox) -> User:
    return give_address(alice)


def due_in(host: User, left: timedelta, title: str) -> Space:
    return make_row(host, ended_ago=30 * DAY - left, title=title)


def pending() -> list[Any]:
    return list(Notice.objects.filter(state="pending").order_by("-pk").values_list("pk", flat=True))


def send_all() -> list[bool]:
    return [notices.send(pk) for pk in pending()]


def test_several_reminders_are_one_mail(host: User, bob: User, mailbox: Mailbox) -> None:
    give_address(bob)
    for left, title in ((5 * DAY, "Beans"), (2 * DAY, "Seeds"), (4 * DAY, "Peas")):
        due_in(host, left, title)
    due_in(bob, 3 * DAY, "Bread")
    notices.create_reminders()

    assert sorted(send_all()) == [False, False, True, True]

    (message,) = mailbox.to("alice@example.org")
    assert message["Subject"] == "3 Spaces will be deleted within 7 days"
    text = text_body(message)
    assert "3 of your Spaces will be deleted soon." in text
    assert text.index("Seeds") < text.index("Peas") < text.index("Beans")
    assert "http://127.0.0.1:8000/?filter=due" in text
    assert mailbox.to("bob@example.org")[0]["Subject"].endswith(": Bread")
    assert set(Notice.objects.values_list("state", "attempts")) == {("sent", 0)}


def test_a_space_with_hours_left_leads_the_mail(host: User, mailbox: Mailbox) -> None:
    due_in(host, 5 * DAY, "Beans")
    due_in(host, timedelta(hours=3), "Seeds")
    notices.create_reminders()

    send_all()

    assert mailbox.subjects == ["Less than a day left: Seeds and 1 more"]


def test_a_reminder_says_whether_its_space_was_downloaded(host: User, mailbox: Mailbox) -> None:
    spaces = [due_in(host, n * DAY, title) for n, title in ((2, "Seeds"), (3, "Beans"), (4, "Peas"), (5, "Bread"))]
    fetched = {"fetched_at": dbtime.now(), "host_fetched_at": dbtime.now()}
    Bundle.objects.filter(pk=make_contents(spaces[0]).pk).update(**fetched)
    export = Export.objects.create(host=host, max_part_size=2 * 10**9)
    ready = {"state": "removed", "key": "x", "size": 1, "etag": "e", "name": "x.zip", "ready_at": dbtime.now()}
    part = ExportPart.objects.create(export=export, number=1, content_digest="a", **ready, **fetched)
    ExportPartEntry.objects.create(export_part=part, space=spaces[1])
    ExportPartEntry.objects.create(export_part=part, space=spaces[2], excluded=True)
    Bundle.objects.filter(pk=make_contents(spaces[3]).pk).update(fetched_at=dbtime.now())  # downloaded by an admin
    notices.create_reminders()

    send_all()

    (message,) = mailbox.to("alice@example.org")
    for body in (text_body(message), html_body(message)):
        parts = [body.partition(title)[2][:900] for title in ("Seeds", "Beans", "Peas", "Bread")]
        assert [part.index("ownloaded") > 0 for part in parts] == [True] * 4
        assert ["You downloaded it on" in part.partition("/#bundle")[0] for part in parts[:2]] == [True, True]
    text = text_body(message)
    assert text.count("You downloaded it on") == 2
    assert text.count("You have not downloaded this one yet.") == 2


def test_one_reminder_says_so_in_a_sentence(host: User, mailbox: Mailbox) -> None:
    due_in(host, 2 * DAY, "Seeds")
    notices.create_reminders()

    send_all()

    (message,) = mailbox.to("alice@example.org")
    assert "“Seeds” will be deleted on" in text_body(message)
    assert "You have not downloaded this one yet." in text_body(message)
    assert "List-Unsubscribe" not in message


def test_a_mail_says_how_much_time_is_left(host: User, mailbox: Mailbox) -> None:
    """Not simply 7 days: the Space may have been uploaded long after it ended."""
    due_in(host, timedelta(hours=47, minutes=30), "Seeds")
    notices.create_reminders()
    send_all()

    for body in (text_body, html_body):
        assert "47 hours left" in body(mailbox.to("alice@example.org")[0])

    for days, title in ((4, "Beans"), (6, "Peas")):
        due_in(host, days * DAY + timedelta(minutes=30), title)
    notices.create_reminders()
    send_all()

    assert "4 days left for the first one" in text_body(mailbox.to("alice@example.org")[1])


def test_a_reminder_that_is_no_longer_true_is_left_out(host: User, mailbox: Mailbox) -> None:
    due_in(host, 2 * DAY, "Seeds")
    moved = due_in(host, 3 * DAY, "Beans")
    notices.create_reminders()
    update_space(moved, expires_at=moved.expires_at + 50 * DAY)  # type: ignore[operator]

    send_all()

    (message,) = mailbox.to("alice@example.org")
    assert "Beans" not in text_body(message)
    assert Notice.objects.get(space=moved).state == "obsolete"


def test_a_worker_does_not_mail_the_half_that_another_one_has_not_claimed_yet(host: User, mailbox: Mailbox) -> None:
    for n in (2, 3):
        due_in(host, n * DAY, f"Seeds {n}")
    notices.create_reminders()
    first, second = sorted(pending())
    claim = leases.claim(Notice, first, [Notice.State.PENDING])  # another worker, between the two claims of this one
    assert claim is not None

    assert not notices.send(second)

    assert mailbox.received == []
    claim.release_for_retry({}, at_once=True)
    Notice.objects.update(retry_at=None)
    send_all()
    assert mailbox.subjects == ["2 Spaces will be deleted within 7 days"]


def test_a_refused_address_ends_all_of_them(host: User, mailbox: Mailbox) -> None:
    for n in (2, 3):
        due_in(host, n * DAY, f"Seeds {n}")
    notices.create_reminders()
    mailbox.answers["alice@example.org"] = "550 No such user"

    send_all()

    assert set(Notice.objects.values_list("state", flat=True)) == {"failed"}


def test_a_killed_worker_has_all_of_them_sent_later_with_the_same_id(
    host: User, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gap that cannot be closed: the server accepted the message, and the worker died before its commit."""
    for n in (2, 3):
        due_in(host, n * DAY, f"Seeds {n}")
    notices.create_reminders()
    real = smtp.send_message

    def die(*args: Any, **options: Any) -> None:
        real(*args, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(smtp, "send_message", die)
    with pytest.raises(KeyboardInterrupt):
        notices.send(pending()[0])
    monkeypatch.undo()
    assert set(Notice.objects.values_list("state", flat=True)) == {"pending"}
    Notice.objects.update(retry_at=None, lease_until=None)

    send_all()

    first, again = mailbox.to("alice@example.org")
    assert first["Message-ID"] == again["Message-ID"]
    assert set(Notice.objects.values_list("state", flat=True)) == {"sent"}
