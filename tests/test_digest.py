"""The weekly digest has everything that was not mailed, and is sent once a week, even if a process dies at any step."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import transaction

from archive import dbtime, notices
from archive.errors import MailUncertain
from archive.models import Digest, LogEntry, Notice, Space, User
from archive.moderation.violations import flag
from archive.notices import digests, smtp
from archive.notices.deliver import MAX_ATTEMPTS
from archive.notices.unsubscribe import one_click_url
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client
from tests.support.mail_server import Mailbox, give_address, html_body, text_body

pytestmark = pytest.mark.usefixtures("db")
DAY = timedelta(days=1)


@pytest.fixture
def host(alice: User, mailbox: Mailbox) -> User:
    """A user who chose the digest a month ago."""
    give_address(alice)
    alice.digest_since = dbtime.now() - 30 * DAY
    alice.save()
    return alice


def ready(space: Space) -> Notice:
    with transaction.atomic():
        notices.tell(Notice.Kind.BUNDLE_READY, space.host, space, make_contents(space).pk)
    return Notice.objects.get(space=space)


def create_and_send() -> list[bool]:
    digests.create_digests()
    return [digests.send_digest(pk) for pk in Digest.objects.filter(state="pending").values_list("pk", flat=True)]


def states() -> list[str]:
    return list(Digest.objects.order_by("week").values_list("state", flat=True))


def test_a_digest_has_what_happened_and_what_is_deleted_soon(host: User, admin: User, mailbox: Mailbox) -> None:
    flagged = make_row(host, title="Seeds")
    violation = flag(flagged.pk, "spam", "Watches.", admin)
    ready(make_row(host, title="Beans"))
    soon = make_row(host, title="Peas", ended_ago=27 * DAY)
    assert set(Notice.objects.values_list("state", flat=True)) == {"web-only"}

    assert create_and_send() == [True]

    (message,) = mailbox.to("alice@example.org")
    assert message["Subject"] == "Your week at Spacekeep"
    text = text_body(message)
    for body in (text, html_body(message)):
        assert "Flagged: Seeds" in body
        assert f"http://127.0.0.1:8000/spaces/{flagged.pk}/#appeal-{violation.pk}" in body
        assert "Your bundle is ready: Beans" in body
        assert "You have not downloaded this one yet." in body
        assert f"http://127.0.0.1:8000/spaces/{soon.pk}/#bundle" in body
    assert text.index("What happened") < text.index("Deleted within 7 days") < text.index("Peas")
    assert "\n\n\n" not in text.replace("\r", "")
    assert states() == ["sent"]
    assert LogEntry.objects.get(event="digest.sent").detail["user"] == host.pk


def test_there_is_one_a_week(host: User, mailbox: Mailbox) -> None:
    ready(make_row(host))

    assert (create_and_send(), create_and_send()) == ([True], [])
    ready(make_row(host))
    assert (digests.create_digests(), create_and_send()) == (0, [])

    assert len(mailbox.received) == 1
    Digest.objects.update(week=Digest.objects.get().week - 7 * DAY)  # a week passes
    assert create_and_send() == [True]
    assert "Your bundle is ready" in text_body(mailbox.to("alice@example.org")[1])


def test_what_was_in_the_last_one_or_was_seen_is_not_repeated(host: User, mailbox: Mailbox) -> None:
    ready(make_row(host, title="Seeds"))
    create_and_send()
    Digest.objects.update(week=Digest.objects.get().week - 7 * DAY)
    seen = make_row(host, title="Beans")
    ready(seen)
    notices.retire(host, [seen.pk])

    assert create_and_send() == [False]

    assert states() == ["sent", "empty"]
    assert len(mailbox.received) == 1


def test_reminders_are_mailed_at_once_and_single_mails_are_not(host: User, mailbox: Mailbox) -> None:
    ready(make_row(host, title="Beans"))
    make_row(host, title="Seeds", ended_ago=28 * DAY)
    notices.create_reminders()

    for pk in Notice.objects.filter(state="pending").values_list("pk", flat=True):
        notices.send(pk)

    (subject,) = mailbox.subjects
    assert subject.endswith(": Seeds")


def test_unwanted_kinds_are_not_in_it(host: User, mailbox: Mailbox) -> None:
    User.objects.update(unmailed_kinds=["bundle-ready"])
    host.refresh_from_db()
    ready(make_row(host))

    assert create_and_send() == [False]
    assert mailbox.received == []


def test_who_chose_it_this_week_gets_the_first_one_next_week(host: User, bob: User, mailbox: Mailbox) -> None:
    User.objects.update(digest_since=dbtime.now())

    assert digests.create_digests() == 0
    assert digests._monday(datetime(2026, 11, 29, 23, 59, tzinfo=UTC)) == datetime(2026, 11, 23, tzinfo=UTC)
    assert digests._monday(datetime(2026, 11, 30, 0, 0, tzinfo=UTC)) == datetime(2026, 11, 30, tzinfo=UTC)


def dies(*args: Any, **options: Any) -> None:
    raise KeyboardInterrupt


def test_a_process_that_dies_before_handing_it_over_sends_none_later(
    host: User, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(make_row(host))
    monkeypatch.setattr(smtp, "send_message", dies)
    with pytest.raises(KeyboardInterrupt):
        create_and_send()
    monkeypatch.undo()
    assert states() == ["sent"]

    Digest.objects.update(lease_until=None, retry_at=None)
    assert create_and_send() == []
    assert mailbox.received == []


def test_a_process_that_dies_after_handing_it_over_sends_no_second_one(
    host: User, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(make_row(host))
    real = smtp.send_message

    def hand_over_and_die(*args: Any, **options: Any) -> None:
        real(*args, **options)
        dies()

    monkeypatch.setattr(smtp, "send_message", hand_over_and_die)
    with pytest.raises(KeyboardInterrupt):
        create_and_send()
    monkeypatch.undo()
    Digest.objects.update(lease_until=None, retry_at=None)

    assert create_and_send() == []
    assert len(mailbox.received) == 1


def test_a_process_that_dies_before_it_is_marked_sends_it_later(
    host: User, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(make_row(host))
    monkeypatch.setattr(digests, "render_digest", dies)
    with pytest.raises(KeyboardInterrupt):
        create_and_send()
    monkeypatch.undo()
    assert states() == ["pending"]

    Digest.objects.update(lease_until=None, retry_at=None)
    assert create_and_send() == [True]
    assert len(mailbox.received) == 1


@pytest.mark.parametrize(("reply", "state"), [("451 Later", "pending"), ("550 Never", "failed")])
def test_what_the_server_did_not_take_is_not_sent(host: User, mailbox: Mailbox, reply: str, state: str) -> None:
    ready(make_row(host))
    mailbox.answers["DATA"] = reply

    assert create_and_send() == [False]
    assert states() == [state]
    assert Digest.objects.get().problem != {}

    mailbox.answers.clear()
    Digest.objects.update(retry_at=None)
    assert create_and_send() == ([True] if state == "pending" else [])


def test_temporary_refusals_are_counted_logged_once_and_end(
    host: User, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    ready(make_row(host))
    mailbox.answers["DATA"] = "451 Later"
    digests.create_digests()
    row = Digest.objects.get()

    for attempt in (1, 2, 3):
        assert digests.send_digest(row.pk) is False
        row.refresh_from_db()
        assert (row.state, row.attempts, row.unforeseen) == ("pending", attempt, 0)
        Digest.objects.update(retry_at=None)
    (line,) = [record.getMessage() for record in caplog.records if "work_retried" in record.getMessage()]
    assert "'attempt': 1," in line

    Digest.objects.update(attempts=MAX_ATTEMPTS - 1)
    assert digests.send_digest(row.pk) is False
    row.refresh_from_db()
    assert (row.state, row.sent_at) == ("failed", None)
    assert f"'attempt': {MAX_ATTEMPTS}," in caplog.records[-1].getMessage()
    assert "work_failed" in caplog.records[-1].getMessage()


def test_an_answer_that_was_lost_ends_it(host: User, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(make_row(host))
    real = smtp.send_message

    def lose_the_answer(*args: Any, **options: Any) -> None:
        real(*args, **options)
        raise MailUncertain("mail.not_taken", error="ConnectionResetError 104")

    monkeypatch.setattr(smtp, "send_message", lose_the_answer)
    assert create_and_send() == [False]
    monkeypatch.undo()

    assert states() == ["failed"]
    assert create_and_send() == []
    assert len(mailbox.received) == 1


def test_the_account_page_chooses_it(alice: User, mailbox: Mailbox) -> None:
    give_address(alice)
    client = make_client(alice)
    form = {"display_name": "Alice", "time_zone": "", "mailed_kinds": ["flagged"]}

    client.post("/account/", {**form, "weekly": "on"})
    alice.refresh_from_db()
    chosen = alice.digest_since
    assert chosen is not None
    assert 'id="mail-weekly" name="weekly" value="on" checked' in client.get("/account/").content.decode()
    client.post("/account/", {**form, "weekly": "on"})
    alice.refresh_from_db()
    assert alice.digest_since == chosen
    client.post("/account/", {**form, "weekly": ""})
    alice.refresh_from_db()
    assert alice.digest_since is None


def test_unsubscribing_from_it_brings_no_single_mails_back(host: User) -> None:
    make_client().post(urlsplit(one_click_url(host, "digest")).path, {"List-Unsubscribe": "One-Click"})

    host.refresh_from_db()
    assert host.digest_since is None
    assert sorted(host.unmailed_kinds) == [
        "appeal-denied", "bundle-failed", "bundle-ready", "deleted", "flagged", "hold-placed", "hold-released",
        "lifted",
    ]  # fmt: skip
