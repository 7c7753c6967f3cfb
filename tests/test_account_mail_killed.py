"""Workers are killed while they send account mail: each mail is sent at least once, always with the same Message-ID."""

import pytest
from django.test import Client

from archive.accounts import invitations
from archive.models import AccountMail, Invitation, User
from archive.tasks import dispatch
from tests.support.leases import expire_leases
from tests.support.mail_server import FROM, Mailbox
from tests.support.paused_at import PausedAt
from tests.support.processes import Services
from tests.support.waiting import dispatch_until, wait_until

pytestmark = pytest.mark.usefixtures("committed")
EMAIL = "ines@example.org"


def test_workers_that_are_killed_before_the_mail(
    services: Services, admin: User, client: Client, mailbox: Mailbox
) -> None:
    invitation, _ = invitations.invite(EMAIL, "host", 7, admin)
    client.post("/accounts/password/reset/", {"email": EMAIL})
    mail = AccountMail.objects.get()
    worker = services.worker(1, EMAIL_URL=mailbox.url, MAIL_FROM=FROM)
    mailbox.before_greeting = worker.kill

    dispatch()
    wait_until(lambda: not worker.running, "the worker is killed when it connects")
    assert (mailbox.received, Invitation.objects.get().state) == ([], "pending")
    mailbox.before_greeting = None
    services.worker(1, EMAIL_URL=mailbox.url, MAIL_FROM=FROM)
    expire_leases()
    dispatch_until(lambda: len(mailbox.received) == 2, "both are sent after the restart")

    wait_until(lambda: Invitation.objects.get().state == "open", "the invitation is sent")
    wait_until(lambda: not AccountMail.objects.exists(), "the row is deleted")
    assert sorted(message["Message-ID"].split("@")[1] for _, message in mailbox.received) == ["127.0.0.1>"] * 2
    assert f"<{mail.pk}@127.0.0.1>" in [message["Message-ID"] for _, message in mailbox.received]
    assert invitation.pk == Invitation.objects.get().pk


@pytest.mark.long
def test_a_worker_that_is_killed_after_the_mail_of_an_invitation(
    services: Services, admin: User, mailbox: Mailbox
) -> None:
    invitations.invite(EMAIL, "host", 7, admin)

    with PausedAt("invitation.issued") as pause:
        worker = services.worker(1, EMAIL_URL=mailbox.url, MAIL_FROM=FROM)
        dispatch()
        pause.wait()
        worker.kill()
    assert (len(mailbox.received), Invitation.objects.get().state) == (1, "pending")
    expire_leases()
    services.worker(1, EMAIL_URL=mailbox.url, MAIL_FROM=FROM)
    dispatch_until(lambda: Invitation.objects.get().state == "open", "it is sent after the restart")

    first, second = mailbox.to(EMAIL)
    assert (first["Message-ID"], first.get_content_type()) == (second["Message-ID"], second.get_content_type())
