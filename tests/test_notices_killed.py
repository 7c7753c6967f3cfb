"""Notices are sent by real processes, with races, kills, and a deadline in between."""

import pytest
from django.db import connection, transaction

from archive import dbtime, notices
from archive.models import LogEntry, Notice, Space, User
from archive.tasks import dispatch
from embedded.process import Process
from tests.support.factory import make_row
from tests.support.leases import expire_leases
from tests.support.mail_server import FROM, Mailbox, give_address, reload_notice, text_body
from tests.support.paused_at import PausedAt
from tests.support.processes import Services
from tests.support.rows import update_space
from tests.support.waiting import dispatch_until

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def space(committed: None, alice: User, mailbox: Mailbox) -> Space:
    return make_row(give_address(alice), title="Seeds")


def tell(space: Space, number: int = 1) -> Notice:
    with transaction.atomic():
        notices.tell(Notice.Kind.LIFTED, space.host, space, number)
    return Notice.objects.get(subject_id=str(number))


def start_worker(services: Services, mailbox: Mailbox, concurrency: int = 2) -> Process:
    return services.worker(concurrency, EMAIL_URL=mailbox.url, MAIL_FROM=FROM)


def test_killed_between_the_delivery_and_the_commit(services: Services, space: Space, mailbox: Mailbox) -> None:
    notice = tell(space)

    with PausedAt("notice.sent", space.pk) as pause:
        worker = start_worker(services, mailbox)
        dispatch()
        pause.wait()
        assert len(mailbox.received) == 1
        worker.kill()
    assert reload_notice(notice).state == "pending"
    expire_leases()
    start_worker(services, mailbox)
    dispatch_until(lambda: reload_notice(notice).state == "sent", "it is sent after the restart")

    first, second = mailbox.to("alice@example.org")
    assert first["Message-ID"] == second["Message-ID"] == f"<{notice.pk}@127.0.0.1>"
    assert (first["Subject"], text_body(first)) == (second["Subject"], text_body(second))
    assert LogEntry.objects.filter(event="notice.sent").count() == 1


@pytest.mark.long
def test_two_workers_and_many_dispatches_send_each_once(services: Services, space: Space, mailbox: Mailbox) -> None:
    ids = [tell(space, number).pk for number in range(1, 21)]
    for _ in range(2):
        start_worker(services, mailbox, concurrency=3)

    dispatch_until(lambda: not Notice.objects.filter(state="pending").exists(), "all are sent")

    ids_received = sorted(message["Message-ID"] for message in mailbox.to("alice@example.org"))
    assert ids_received == sorted(f"<{pk}@127.0.0.1>" for pk in ids)


def test_deletion_is_checked_again_right_before_delivery(space: Space, mailbox: Mailbox) -> None:
    """The deadline comes after the claim, while the mail server delays its greeting."""
    notice = tell(space)

    def deadline_comes() -> None:
        update_space(space, expires_at=dbtime.now())
        connection.close()  # the connection of the server's thread

    mailbox.before_greeting = deadline_comes

    assert not notices.send(notice.pk)

    assert mailbox.received == []
    assert reload_notice(notice).state == "obsolete"


def test_a_worker_that_lost_its_claim_delivers_nothing(space: Space, mailbox: Mailbox) -> None:
    """Another worker claims the notice while the mail server delays its greeting."""
    notice = tell(space)

    def somebody_claims() -> None:
        Notice.objects.update(fence=7)
        connection.close()

    mailbox.before_greeting = somebody_claims

    assert not notices.send(notice.pk)

    assert mailbox.received == []
    assert reload_notice(notice).state == "pending"


def test_a_delivered_notice_is_sent_even_if_the_claim_was_lost(space: Space, mailbox: Mailbox) -> None:
    notice = tell(space)

    def somebody_claims() -> None:
        Notice.objects.update(fence=7)
        connection.close()

    mailbox.before_answer = somebody_claims

    assert notices.send(notice.pk)
    assert not notices.send(notice.pk)

    assert len(mailbox.received) == 1
    assert reload_notice(notice).state == "sent"


def test_a_notice_needs_a_transaction(space: Space) -> None:
    with pytest.raises(RuntimeError, match="in the transaction of its change"):
        notices.tell(Notice.Kind.LIFTED, space.host, space, 1)

    assert not Notice.objects.exists()
