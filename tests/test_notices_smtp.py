"""How each reply of the mail server changes the notice."""

import socket
from datetime import timedelta

import pytest
from django.db import transaction

from archive import notices
from archive.errors import make_problem
from archive.models import Notice, Space, User
from archive.notices import deliver
from tests.support.deadlines import seconds_from_now
from tests.support.factory import make_row
from tests.support.log_entries import event_detail
from tests.support.mail_server import Mailbox, give_address, reload_notice, run_mail_server, use_mail_server
from tests.support.processes import free_port

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(alice: User, mailbox: Mailbox) -> Space:
    return make_row(give_address(alice), title="Seeds")


def tell(space: Space, number: int = 1) -> Notice:
    with transaction.atomic():
        notices.tell(Notice.Kind.LIFTED, space.host, space, number)
    return Notice.objects.get(space=space, subject_id=str(number))


def now_due(notice: Notice) -> None:
    """Let the pause of the notice be over."""
    Notice.objects.filter(pk=notice.pk).update(retry_at=None)


def test_an_unreachable_server_is_retried_with_growing_pauses(space: Space, settings: object) -> None:
    port = free_port()
    use_mail_server(settings, port)
    notice = tell(space)
    pauses = []
    for _ in range(3):
        assert not notices.send(notice.pk)
        assert not notices.send(notice.pk)  # not before its pause is over
        pauses.append(round(seconds_from_now(reload_notice(notice).retry_at)))
        now_due(notice)

    waiting = reload_notice(notice)
    assert pauses == [5, 10, 20]
    assert (waiting.state, waiting.attempts) == ("pending", 3)
    assert waiting.problem == make_problem("mail.server_down", error="ConnectionRefusedError 111")

    with run_mail_server(Mailbox(port)) as up:
        assert notices.send(notice.pk)

    assert len(up.received) == 1
    assert (reload_notice(notice).state, reload_notice(notice).problem) == ("sent", {})


def test_one_failure_postpones_all_notices(space: Space, settings: object) -> None:
    use_mail_server(settings, free_port())
    first, other = tell(space, 1), tell(space, 2)

    notices.send(first.pk)

    assert reload_notice(other).retry_at == reload_notice(first).retry_at
    assert (reload_notice(other).attempts, notices.send(other.pk)) == (0, False)


def test_a_server_that_never_greets_times_out(space: Space, settings: object) -> None:
    settings.EMAIL_TIMEOUT = 0.2  # type: ignore[attr-defined]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_PORT = silent.getsockname()[1]  # type: ignore[attr-defined]
        notice = tell(space)

        assert not notices.send(notice.pk)

    assert (reload_notice(notice).state, reload_notice(notice).problem) == (
        "pending",
        make_problem("mail.server_down", error="SMTPServerDisconnected"),
    )


def test_a_refused_address_fails_visibly_and_others_go_on(space: Space, bob: User, mailbox: Mailbox) -> None:
    mailbox.answers["alice@example.org"] = "550 No such user alice@example.org"
    refused = tell(space)
    fine = tell(make_row(give_address(bob)))

    assert (notices.send(refused.pk), notices.send(fine.pk)) == (False, True)

    assert [to for to, _ in mailbox.received] == ["bob@example.org"]
    assert reload_notice(refused).state == "failed"
    assert reload_notice(refused).problem == make_problem("mail.address_refused", reply=550)
    assert event_detail(space, "notice.failed")["notice"] == str(refused.pk)
    assert list(notices.visible_notices(space.host)) == [refused]  # the page shows it anyway


def test_a_message_that_is_refused_for_good_fails(space: Space, mailbox: Mailbox) -> None:
    mailbox.answers["DATA"] = "554 spam"
    notice = tell(space)

    notices.send(notice.pk)

    assert (reload_notice(notice).state, reload_notice(notice).problem) == (
        "failed",
        make_problem("mail.message_refused", reply=554),
    )


@pytest.mark.parametrize(("where", "answer"), [("alice@example.org", "451 later"), ("DATA", "452 full")])
def test_a_temporary_error_is_retried(space: Space, mailbox: Mailbox, where: str, answer: str) -> None:
    mailbox.answers[where] = answer
    notice = tell(space)
    other = tell(space, 2)

    notices.send(notice.pk)
    assert (reload_notice(notice).state, reload_notice(other).retry_at) == ("pending", None)
    assert answer[:3] in reload_notice(notice).problem_text
    mailbox.answers.clear()
    now_due(notice)

    assert notices.send(notice.pk)


def test_an_invalid_address_fails_without_header_injection(space: Space, mailbox: Mailbox) -> None:
    give_address(space.host, "alice@example.org\nBcc: eve@example.org")
    notice = tell(space)

    notices.send(notice.pk)

    assert mailbox.received == []
    assert reload_notice(notice).problem == make_problem("mail.bad_address")


def test_a_notice_fails_after_two_days(space: Space, mailbox: Mailbox) -> None:
    notice = tell(space)
    Notice.objects.update(attempts=300, problem=make_problem("mail.server_down", error="TimeoutError"))

    assert not notices.send(notice.pk)

    assert mailbox.received == []
    assert (reload_notice(notice).state, reload_notice(notice).problem) == (
        "failed",
        make_problem("mail.server_down", error="TimeoutError"),
    )


def test_an_unexpected_error_is_stored_on_the_row(
    space: Space, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = tell(space)
    monkeypatch.setattr(deliver, "render_mail", lambda notice: int("not a number"))

    with pytest.raises(ValueError, match="not a number"):
        notices.send(notice.pk)

    assert reload_notice(notice).problem == make_problem("work.unexpected", error="ValueError")
    assert (
        timedelta(seconds=-60)
        < timedelta(seconds=seconds_from_now(reload_notice(notice).retry_at))
        <= timedelta(seconds=5)
    )
    assert mailbox.received == []
