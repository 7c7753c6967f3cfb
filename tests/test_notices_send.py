"""A notice is sent once, as a real mail, and only while it is still true."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from archive import dbtime, notices
from archive.errors import make_problem
from archive.models import Bundle, LogEntry, Notice, Space, User
from archive.moderation.violations import flag, lift
from tests.support.factory import make_contents, make_row
from tests.support.log_entries import event_detail
from tests.support.mail_server import FROM, Mailbox, give_address, html_body, reload_notice, text_body
from tests.support.rows import update_space

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def host(alice: User) -> User:
    return give_address(alice)


@pytest.fixture
def space(host: User, mailbox: Mailbox) -> Space:
    return make_row(host, title="Seeds")


def tell(space: Space, kind: Notice.Kind = Notice.Kind.BUNDLE_READY, subject_id: object = "") -> Notice:
    if kind == Notice.Kind.BUNDLE_READY and not subject_id:
        subject_id = make_contents(space).pk
    with transaction.atomic():
        notices.tell(kind, space.host, space, subject_id)
    return Notice.objects.get(space=space, kind=kind, subject_id=str(subject_id))


def test_a_notice_is_sent(space: Space, mailbox: Mailbox) -> None:
    notice = tell(space)

    assert notices.send(notice.pk)

    ((to, message),) = mailbox.received
    assert to == "alice@example.org"
    assert (message["Subject"], message["From"], message["To"]) == (
        "Your bundle is ready: Seeds",
        FROM,
        "alice@example.org",
    )
    assert message["Message-ID"] == f"<{notice.pk}@127.0.0.1>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert f"http://127.0.0.1:8000/spaces/{space.pk}/#bundle" in text_body(message)
    assert "Size: 10 bytes" in text_body(message)
    assert f'href="http://127.0.0.1:8000/spaces/{space.pk}/#bundle"' in html_body(message)
    sent = reload_notice(notice)
    assert (sent.state, sent.attempts, sent.lease_until) == ("sent", 0, None)
    assert sent.sent_at is not None


def test_the_log_names_recipients_by_id_only(space: Space, host: User) -> None:
    notice = tell(space)

    notices.send(notice.pk)

    assert event_detail(space, "notice.sent") == {"notice": str(notice.pk), "kind": "bundle-ready", "user": host.pk}


def test_a_repeated_notice_is_sent_once(space: Space, mailbox: Mailbox) -> None:
    bundle = make_contents(space)
    first, again = tell(space, subject_id=bundle.pk), tell(space, subject_id=bundle.pk)

    assert (notices.send(first.pk), notices.send(again.pk), notices.send(first.pk)) == (True, False, False)

    assert len(mailbox.received) == 1


def test_a_notice_is_part_of_the_transaction_of_its_change(space: Space) -> None:
    with transaction.atomic():
        notices.tell(Notice.Kind.FLAGGED, space.host, space, 1)
        transaction.set_rollback(True)

    assert not Notice.objects.exists()


def test_the_host_is_notified_of_a_flag_and_its_lift(space: Space, admin: User, mailbox: Mailbox) -> None:
    before = space.expires_at
    flag(space.pk, "spam", "It sold <watches>.", admin)
    (pk,) = notices.pending_notices(space.pk)
    notices.send(pk)
    flag(space.pk, "harassment", "An insult.", admin)
    lift(space.pk, "It was a play.", admin)
    for pk in notices.pending_notices(space.pk):
        notices.send(pk)

    # The second flag was lifted before its notice was sent.
    assert mailbox.subjects == ["Flagged: Seeds", "A flag was lifted: Seeds"]
    flagged, lifted = (text_body(message) for message in mailbox.to("alice@example.org"))
    assert before is not None
    assert "was flagged: Spam" in flagged
    assert "It sold <watches>." in flagged
    assert f"Kept until: {format_moment(space.ended_at + timedelta(days=120))}" in flagged
    assert f"Previously kept until: {format_moment(before)}" in flagged
    assert "The flag on “Seeds” (Spam or fraud, Harassment) was lifted." in lifted
    assert "It was a play." in lifted
    assert f"Kept until: {format_moment(before)}" in lifted
    assert f"Previously kept until: {format_moment(space.ended_at + timedelta(days=120))}" in lifted


def format_moment(moment: object) -> str:
    return f"{moment:%-d %B %Y, %H:%M} UTC"


NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
SCRUBBED: dict[str, Any] = {"title": "", "title_key": None, "salt": "", "fingerprint": "", "problem": {}}


@pytest.mark.parametrize(
    "gone",
    [
        {"ended_at": NOON - timedelta(days=30), "expires_at": NOON},
        {"state": "expiring"},
        {"state": "deleted", "deleted_at": NOON, **SCRUBBED},
    ],
    ids=["overdue", "expiring", "deleted"],
)
def test_nothing_is_sent_about_a_deleted_space(space: Space, mailbox: Mailbox, gone: dict[str, Any]) -> None:
    notice = tell(space)
    update_space(space, **gone)

    assert not notices.send(notice.pk)

    assert mailbox.received == []
    assert (reload_notice(notice).state, reload_notice(notice).problem) == (
        "obsolete",
        make_problem("notice.space_gone"),
    )
    assert event_detail(space, "notice.obsolete")["kind"] == "bundle-ready"


def test_a_bundle_that_was_downloaded_is_not_mailed(space: Space, mailbox: Mailbox) -> None:
    notice = tell(space)
    Bundle.objects.update(host_fetched_at=dbtime.now())

    assert not notices.send(notice.pk)

    assert mailbox.received == []
    assert reload_notice(notice).problem == make_problem("notice.bundle_downloaded")


def test_the_notice_of_a_deletion_has_no_title(space: Space, mailbox: Mailbox) -> None:
    notice = tell(space, Notice.Kind.DELETED)
    now = dbtime.now()
    update_space(space, state="deleted", deleted_at=now, **SCRUBBED)

    assert notices.send(notice.pk)

    (message,) = mailbox.to("alice@example.org")
    assert message["Subject"] == f"Your Space of {space.ended_at:%-d %B %Y} was deleted"
    assert f"Deleted: {format_moment(now)}" in text_body(message)
    assert f"Space id: {space.pk}" in text_body(message)
    assert "Seeds" not in message.as_string()


def test_a_removed_bundle_is_not_announced(space: Space, mailbox: Mailbox) -> None:
    notice = tell(space)
    Bundle.objects.update(state="removed")

    assert not notices.send(notice.pk)

    assert (mailbox.received, reload_notice(notice).problem) == ([], make_problem("notice.bundle_removed"))


def test_no_failure_notice_for_a_bundle_requested_again(space: Space, mailbox: Mailbox) -> None:
    failed = Bundle.objects.create(
        space=space, content_digest="c", state="failed", problem=make_problem("work.gave_up")
    )
    notice = tell(space, Notice.Kind.BUNDLE_FAILED, failed.pk)
    Bundle.objects.create(space=space, content_digest="c")

    assert not notices.send(notice.pk)

    assert (mailbox.received, reload_notice(notice).problem) == ([], make_problem("notice.bundle_requested_again"))


def test_a_user_without_access_gets_no_notice(space: Space, admin: User, mailbox: Mailbox) -> None:
    bundle = make_contents(space)
    give_address(admin)
    with transaction.atomic():
        notices.tell(Notice.Kind.BUNDLE_READY, admin, space, bundle.pk)
    notice = Notice.objects.get()
    admin.groups.clear()

    assert not notices.send(notice.pk)

    assert (mailbox.received, reload_notice(notice).state) == ([], "obsolete")


def test_without_an_address_a_notice_is_web_only(bob: User, mailbox: Mailbox) -> None:
    space = make_row(bob)

    notice = tell(space)

    assert (notice.state, notices.pending_notices(space.pk), notices.send(notice.pk)) == ("web-only", [], False)
    assert list(notices.visible_notices(bob)) == [notice]


@pytest.mark.parametrize("change_of", [{"email": ""}, {"is_active": False}])
def test_after_the_address_was_removed_a_notice_is_web_only(
    space: Space, mailbox: Mailbox, change_of: dict[str, object]
) -> None:
    notice = tell(space)
    User.objects.filter(pk=space.host_id).update(**change_of)

    assert not notices.send(notice.pk)

    assert (mailbox.received, reload_notice(notice).state) == ([], "web-only")


def test_without_a_mail_server_none_is_sent_not_even_later(host: User, settings: object) -> None:
    settings.MAIL_ON = False  # type: ignore[attr-defined]
    space = make_row(host)
    notice = tell(space)
    settings.MAIL_ON = True  # type: ignore[attr-defined]

    assert (notice.state, notices.pending_notices(space.pk)) == ("web-only", [])
    assert not LogEntry.objects.filter(event="notice.sent").exists()
