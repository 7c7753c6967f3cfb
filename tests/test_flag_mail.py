"""The mail about a flag has the evidence, the text of the rule, where and until when to appeal, and the previous
deadline."""

from datetime import UTC, datetime, timedelta

import pytest

from archive import dbtime, notices
from archive.models import Space, User
from archive.moderation.evidence import Lines
from archive.moderation.violations import flag
from tests.support.factory import make_contents, make_row
from tests.support.mail_server import Mailbox, give_address, html_body, text_body
from tests.support.rows import update_space

pytestmark = pytest.mark.usefixtures("db")
ENDED = datetime(2099, 1, 1, 12, 0, tzinfo=UTC)  # in the future, so that the expected dates can be written out


@pytest.fixture
def space(alice: User, mailbox: Mailbox) -> Space:
    space = make_row(give_address(alice), title="Seeds", ended_at=ENDED)
    make_contents(space)
    return space


def send(space: Space) -> None:
    for pk in notices.pending_notices(space.pk):
        assert notices.send(pk)


def test_the_mail_about_a_flag_says_why_and_what_the_host_can_do(space: Space, admin: User, mailbox: Mailbox) -> None:
    violation = flag(space.pk, "spam", "It sold <watches>.", admin, Lines(1, (1,)))
    send(space)

    (message,) = mailbox.to("alice@example.org")
    text, html = text_body(message).replace("\r\n", "\n"), html_body(message)
    assert "“Seeds” was flagged: Spam or fraud." in text
    assert "Reason:\n\nIt sold <watches>." in text
    assert "Evidence:\n\n0:00 Ida: Beans first." in text
    assert "The rule:\n\nMisleading people for gain." in text
    assert "All rules: http://127.0.0.1:8000/rules/" in text
    assert "Kept until: 1 May 2099, 12:00 UTC" in text
    assert "Previously kept until: 31 January 2099, 12:00 UTC" in text
    appeal = f"http://127.0.0.1:8000/spaces/{space.pk}/#appeal-{violation.pk}"
    assert f"You can appeal until 17 April 2099, 12:00 UTC:\n{appeal}\n" in text
    assert "It sold &lt;watches&gt;." in html
    assert "0:00 <b><bdi>Ida</bdi></b> <bdi>Beans first.</bdi>" in html
    assert "Misleading people for gain." in html
    assert "You can appeal until 17 April 2099, 12:00 UTC." in html
    assert f'href="{appeal}"' in html
    assert 'href="http://127.0.0.1:8000/rules/"' in html


def test_a_mail_that_is_late_for_an_appeal_offers_none(space: Space, admin: User, mailbox: Mailbox) -> None:
    violation = flag(space.pk, "spam", "It sold watches.", admin)
    update_space(space, ended_at=dbtime.now() - timedelta(days=110), expires_at=dbtime.now() + timedelta(days=10))
    send(space)

    (message,) = mailbox.to("alice@example.org")
    assert "appeal" not in text_body(message)
    assert f"#appeal-{violation.pk}" not in html_body(message)
    assert f"http://127.0.0.1:8000/spaces/{space.pk}/" in text_body(message)
