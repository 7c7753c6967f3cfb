"""Invitations: who may invite, when a link expires, and how it is mailed."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from archive import leases
from archive.accounts import invitations, roles
from archive.accounts.send_invitation import send_invitation
from archive.errors import Refused
from archive.models import Invitation, LogEntry, User
from tests.support.factory import make_user
from tests.support.mail_server import Mailbox, html_body, text_body

pytestmark = pytest.mark.usefixtures("db")
LINK = re.compile(r"http://127\.0\.0\.1[:\d]*/invitation/([0-9a-f]{64})/")


def accept(token: str, name: str = "ines") -> User:
    with transaction.atomic():
        invitation = invitations.lock_valid(token)
        user = User.objects.create(username=name, email=invitation.email)
        invitations.accept(invitation, user)
    return user


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as error:
        call()
    return error.value.code


def log() -> list[tuple[str, str, int | None, dict[str, Any]]]:
    rows = LogEntry.objects.exclude(event="account.role_granted").order_by("id")
    return list(rows.values_list("event", "actor_kind", "actor_id", "detail"))


def test_without_mail_the_link_is_returned_once_and_works_once(admin: User) -> None:
    invitation, token = invitations.invite(" ines@example.org ", "auditor", 7, admin)
    assert token not in str(list(Invitation.objects.values()))

    user = accept(token)

    assert user.roles == {"auditors"}
    row = Invitation.objects.get()
    assert (row.state, row.email, row.accepted_by) == ("accepted", "", user)
    assert refused(lambda: accept(token, "eve")) == "invitation.not_valid"
    assert not User.objects.filter(username="eve").exists()
    number = str(invitation.pk)
    assert log() == [
        ("invitation.created", "user", admin.pk, {"invitation": number, "role": "auditor", "by_mail": False}),
        ("invitation.accepted", "user", user.pk, {"invitation": number, "role": "auditor", "user": user.pk}),
    ]


def test_a_role_begins_when_the_invitation_is_accepted(admin: User) -> None:
    _, token = invitations.invite("ines@example.org", "admin", 7, admin)
    Invitation.objects.update(created_at=Now() - timedelta(days=3))
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        before = cursor.fetchone()[0]

    user = accept(token)

    since = user.role_since("admins")
    assert since is not None
    assert before - since < timedelta(minutes=1)
    assert not user.has_role_since_before("admins", before - timedelta(minutes=1))
    entry = LogEntry.objects.get(event="account.role_granted")
    assert (entry.actor_id, entry.detail) == (admin.pk, {"account": user.pk, "role": "admins"})


def test_what_is_refused(admin: User, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(email="Alice@example.org")
    invite = invitations.invite
    invite("ines@example.org", "host", 7, admin)

    assert refused(lambda: invite("INES@example.org", "host", 7, admin)) == "invitation.exists"
    assert refused(lambda: invite("alice@example.org", "host", 7, admin)) == "invitation.has_account"
    assert refused(lambda: invite("x@example.org", "host", 7, alice)) == "account.not_an_admin"
    assert refused(lambda: invite("x@example.org", "owner", 7, admin)) == "invitation.no_such_role"
    assert refused(lambda: invite("x@example.org", "host", 31, admin)) == "invitation.bad_days"
    for bad in ("", "x", "x@", f"{'x' * 250}@example.org", "x@example.org\nBcc: y@example.org"):
        assert refused(lambda bad=bad: invite(bad, "host", 7, admin)) == "invitation.bad_address"  # type: ignore[misc]
    assert Invitation.objects.count() == 1


def end_by_expiry(invitation: Invitation, admin: User) -> None:
    Invitation.objects.update(expires_at=Now())


def end_by_revoking(invitation: Invitation, admin: User) -> None:
    assert invitations.revoke(invitation.pk, admin)
    assert not invitations.revoke(invitation.pk, admin)


def end_by_a_newer_link(invitation: Invitation, admin: User) -> None:
    invitations.renew(invitation.pk, 7, admin)


def end_with_the_inviters_role(invitation: Invitation, admin: User) -> None:
    make_user("bea", "admins")
    roles.revoke_role(admin.pk, "admins", None)


def end_with_the_inviters_account(invitation: Invitation, admin: User) -> None:
    make_user("bea", "admins")
    roles.set_active(admin.pk, active=False, by=None)


ENDS = [
    end_by_expiry, end_by_revoking, end_by_a_newer_link, end_with_the_inviters_role, end_with_the_inviters_account
]  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
def test_each_end_ends_the_link(end: Callable[[Invitation, User], None], admin: User) -> None:
    invitation, token = invitations.invite("ines@example.org", "admin", 7, admin)
    assert invitations.find_valid(token) == invitation

    end(invitation, admin)

    assert invitations.find_valid(token) is None
    assert refused(lambda: accept(token)) == "invitation.not_valid"
    assert not User.objects.filter(username="ines").exists()


def test_a_newer_link_works_even_after_the_old_one_expired(admin: User) -> None:
    invitation, _ = invitations.invite("ines@example.org", "host", 7, admin)
    Invitation.objects.update(expires_at=Now())

    _, token = invitations.renew(invitation.pk, 3, admin)

    assert accept(token).email == "ines@example.org"
    assert refused(lambda: invitations.renew(invitation.pk, 3, admin)) == "invitation.over"


def test_the_link_is_mailed(admin: User, mailbox: Mailbox) -> None:
    invitation, token = invitations.invite("ines@example.org", "host", 7, admin)
    assert token == ""

    assert send_invitation(invitation.pk)

    (message,) = mailbox.to("ines@example.org")
    link = LINK.search(text_body(message))
    assert link is not None
    assert link[0] in html_body(message)
    assert str(Invitation.objects.get().state) == "open"
    assert not send_invitation(invitation.pk)
    accept(link[1])


def test_a_worker_that_died_after_the_mail_sends_the_same_link_again(admin: User, mailbox: Mailbox) -> None:
    invitation, _ = invitations.invite("ines@example.org", "host", 7, admin)
    send_invitation(invitation.pk)
    Invitation.objects.update(state="pending", lease_until=Now())  # as if the worker died before its last transaction

    assert send_invitation(invitation.pk)

    first, second = mailbox.to("ines@example.org")
    assert first["Message-ID"] == second["Message-ID"]
    assert LINK.findall(text_body(first)) == LINK.findall(text_body(second)) != []


def test_a_link_that_was_replaced_while_it_was_sent_is_not_taken_for_the_new_one(admin: User, mailbox: Mailbox) -> None:
    invitation, _ = invitations.invite("ines@example.org", "host", 7, admin)
    claim = leases.claim(Invitation, invitation.pk, ["pending"])
    assert claim is not None

    invitations.renew(invitation.pk, 7, admin, by_mail=True)

    assert not claim.release_for_retry({})  # the worker with the old link writes nothing any more
    assert send_invitation(invitation.pk)
    (message,) = mailbox.to("ines@example.org")
    accept(LINK.findall(text_body(message))[0])


def test_an_address_that_the_server_refuses_is_shown_and_its_link_can_be_shown(admin: User, mailbox: Mailbox) -> None:
    mailbox.answers["ines@example.org"] = "550 No such user"
    invitation, _ = invitations.invite("ines@example.org", "host", 7, admin)

    assert not send_invitation(invitation.pk)

    row = Invitation.objects.get()
    assert (row.state, row.problem_code) == ("failed", "mail.address_refused")
    _, token = invitations.renew(invitation.pk, 7, admin, by_mail=False)
    assert accept(token).email == "ines@example.org"


def test_a_server_that_is_down_is_tried_again(admin: User, settings: Any) -> None:
    settings.MAIL_ON = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    invitation, _ = invitations.invite("ines@example.org", "host", 7, admin)

    assert not send_invitation(invitation.pk)

    row = Invitation.objects.get()
    assert (row.state, row.problem_code) == ("pending", "mail.server_down")
    assert row.retry_at is not None


def test_old_ones_are_deleted_with_their_addresses(admin: User) -> None:
    kept, _ = invitations.invite("kept@example.org", "host", 7, admin)
    expired, _ = invitations.invite("expired@example.org", "host", 7, admin)
    revoked, _ = invitations.invite("revoked@example.org", "host", 7, admin)
    invitations.revoke(revoked.pk, admin)
    Invitation.objects.filter(pk=expired.pk).update(expires_at=Now() - timedelta(days=31))
    Invitation.objects.filter(pk=revoked.pk).update(ended_at=Now() - timedelta(days=31))

    assert invitations.delete_old() == 2

    assert list(Invitation.objects.all()) == [kept]
