"""Mails show times in UTC and in the reader's zone, have one-line subjects, and escape titles."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from archive import dbtime, formatting, notices
from archive.display.mail import clean_line
from archive.models import Notice, Space, User
from archive.models.notice_kinds import REMINDERS
from archive.moderation.violations import flag
from tests.support.factory import make_contents, make_held, make_row
from tests.support.mail_server import Mailbox, give_address, html_body, text_body

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def host(alice: User, mailbox: Mailbox) -> User:
    return give_address(alice)


def send(space: Space) -> None:
    with transaction.atomic():
        notices.tell(Notice.Kind.BUNDLE_READY, space.host, space, make_contents(space).pk)
    (pk,) = notices.pending_notices(space.pk)
    assert notices.send(pk)


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        ("2027-03-28T00:59:00", "Europe/Berlin", "28 March 2027, 01:59 (Europe/Berlin)"),
        ("2027-03-28T01:00:00", "Europe/Berlin", "28 March 2027, 03:00 (Europe/Berlin)"),
        ("2026-10-25T00:30:00", "Europe/Berlin", "25 October 2026, 02:30 (Europe/Berlin)"),
        ("2026-10-25T01:30:00", "Europe/Berlin", "25 October 2026, 02:30 (Europe/Berlin)"),
        ("2026-12-22T23:05:00", "Asia/Kathmandu", "23 December 2026, 04:50 (Asia/Kathmandu)"),
        ("2026-12-22T03:05:00", "America/New_York", "21 December 2026, 22:05 (America/New_York)"),
        ("2026-12-22T03:05:00", "UTC", ""),
        ("2026-12-22T03:05:00", "", ""),
        ("2026-12-22T03:05:00", "../../etc/passwd", ""),
        ("2026-12-22T03:05:00", "Mars/Olympus", ""),
    ],
)
def test_a_time_in_the_zone_of_the_reader(moment: str, zone: str, expected: str) -> None:
    assert formatting.format_local_time(datetime.fromisoformat(moment).replace(tzinfo=UTC), zone) == expected


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(ValueError, match="naive datetime"):
        formatting.format_local_time(datetime(2026, 12, 22), "Europe/Berlin")  # noqa: DTZ001


def test_a_mail_has_utc_and_local_time_with_the_offset_of_that_day(host: User, mailbox: Mailbox) -> None:
    """The deadline is after the change to summer time, so its offset differs from today's."""
    User.objects.update(time_zone="Europe/Berlin")
    until = datetime(2099, 7, 1, 12, 0, tzinfo=UTC)
    send(make_row(host, expires_at=until))

    (message,) = mailbox.to("alice@example.org")

    for body in (text_body(message), html_body(message)):
        assert "1 July 2099, 12:00 UTC" in body
        assert "in your time: 1 July 2099, 14:00 (Europe/Berlin)" in body


def test_without_a_known_zone_a_mail_has_only_utc(host: User, mailbox: Mailbox) -> None:
    send(make_row(host))

    (message,) = mailbox.to("alice@example.org")

    assert "in your time" not in text_body(message) + html_body(message)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "\n "])
def test_a_title_with_line_breaks_injects_no_header(host: User, mailbox: Mailbox, newline: str) -> None:
    send(make_row(host, title=f"Seeds{newline}Bcc: eve@example.org{newline}{newline}Click here"))

    ((to, message),) = mailbox.received

    assert to == "alice@example.org"
    assert message["Bcc"] is None
    assert message["Subject"] == "Your bundle is ready: Seeds Bcc: eve@example.org Click here"


def test_html_in_a_title_and_in_a_reason_stays_text(host: User, admin: User, mailbox: Mailbox) -> None:
    space = make_row(host, title="<img src=x onerror=alert(1)> & co")
    flag(space.pk, "spam", "<script>alert(2)</script>", admin)
    (pk,) = notices.pending_notices(space.pk)
    notices.send(pk)

    (message,) = mailbox.to("alice@example.org")

    assert "<img" not in html_body(message)
    assert "<script" not in html_body(message)
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; co" in html_body(message)
    assert "“<img src=x onerror=alert(1)> & co” was flagged" in text_body(message)
    assert "<script>alert(2)</script>" in text_body(message)


def test_bidi_controls_are_removed() -> None:
    assert clean_line("abc\u202egnp.exe\u2066x\x1b[31m") == "abcgnp.exex[31m"
    assert clean_line("👩\u200d👩\u200d👧 שלום") == "👩\u200d👩\u200d👧 שלום"


def test_a_long_title_is_cut_in_the_subject_only(host: User, mailbox: Mailbox) -> None:
    title = "Seeds " * 50
    send(make_row(host, title=title[:300]))

    (message,) = mailbox.to("alice@example.org")

    assert len(message["Subject"]) <= 90
    assert message["Subject"].endswith("…")
    assert title.strip() in text_body(message).replace("\r\n", " ")


def test_each_kind_of_notice_is_sent(host: User, admin: User, mailbox: Mailbox) -> None:
    """Mails load nothing from the network, and each links to the site."""
    space = make_row(host, title="Seeds", ended_ago=timedelta(days=1))
    violation = flag(space.pk, "spam", "Watches.", admin)
    bundle = make_contents(space)
    rows = [
        (Notice.Kind.BUNDLE_READY, space, bundle.pk),
        (Notice.Kind.BUNDLE_FAILED, make_row(host, title="Beans"), "b"),
        (Notice.Kind.APPEAL_DENIED, space, violation.pk),
        (Notice.Kind.HOLD_PLACED, make_held(host, title="Leeks"), "h"),
        (Notice.Kind.HOLD_RELEASED, space, "h"),
    ]
    for kind, about, subject in rows:
        with transaction.atomic():
            notices.tell(kind, host, about, subject)
    held = make_held(host, title="Peas")
    held.holds.update(review_on=dbtime.now().date())  # make_held places the hold as the host
    notices.create_hold_reviews()
    until = Space.objects.get(pk=space.pk).expires_at
    for reminder in REMINDERS:
        Notice.objects.create(kind=reminder, user=host, space=space, deadline=until)
    Notice.objects.create(
        kind="deleted", user=host, space=make_row(host, title="", salt="", state="deleted", deleted_at=dbtime.now())
    )

    for pk in Notice.objects.filter(state="pending").values_list("pk", flat=True):
        notices.send(pk)

    assert len(mailbox.received) == 9  # both reminders are in one mail
    assert set(Notice.objects.values_list("state", flat=True)) == {"sent"}
    for _, message in mailbox.received:
        assert "http://127.0.0.1:8000/spaces/" in text_body(message)
        assert "{" not in text_body(message)
        assert "src=" not in html_body(message)
        assert "url(" not in html_body(message)
        assert "\n\n\n" not in text_body(message).replace("\r", "")
