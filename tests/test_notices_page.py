"""Notices above every page until they are dismissed, and the list of all of them."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from archive import dbtime, notices
from archive.models import Bundle, Notice, Space, User
from archive.moderation.violations import flag, lift
from archive.retention.purge import purge
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client
from tests.support.rows import update_space

pytestmark = pytest.mark.usefixtures("db")


def ready(space: Space) -> Notice:
    bundle = make_contents(space)
    with transaction.atomic():
        notices.tell(Notice.Kind.BUNDLE_READY, space.host, space, bundle.pk)
    return Notice.objects.get(subject_id=str(bundle.pk))


def make_notices(user: User, count: int) -> list[Notice]:
    space = make_row(user)
    return [Notice.objects.create(kind="lifted", user=user, space=space, subject_id=str(n)) for n in range(count)]


def page(user: User, url: str = "/my-lines/") -> str:
    return " ".join(make_client(user).get(url).content.decode().split())


def test_a_notice_has_a_text_and_a_link(alice: User, bob: User) -> None:
    space = make_row(alice, title="Seeds & <b>co</b>")
    ready(space)

    text = page(alice)

    assert "The bundle of <bdi>Seeds &amp; &lt;b&gt;co&lt;/b&gt;</bdi> is ready (10 bytes)." in text
    assert f'<a href="/spaces/{space.pk}/#bundle">Download</a>' in text
    assert "is ready" not in page(bob)


def test_a_flag_and_its_lifting(alice: User, admin: User) -> None:
    space = make_row(alice, title="Seeds")

    flag(space.pk, "spam", "It sold watches.", admin)
    assert "<bdi>Seeds</bdi> was flagged for: Spam or fraud. It is kept until <time" in page(alice)
    lift(space.pk, "It was a play.", admin)

    assert "A violation of <bdi>Seeds</bdi> was lifted: Spam or fraud." in page(alice)
    assert "was flagged" not in page(alice)
    assert "Seeds" not in page(admin)


def test_the_newest_three_and_a_count_of_the_others(alice: User) -> None:
    make_notices(alice, 3)
    assert "more</a>" not in page(alice)
    newest = make_notices(alice, 2)[-1]

    text = page(alice)

    assert text.count("A violation of") == 3
    assert f"/notices/{newest.pk}/dismiss" in text
    assert '<a href="/notices/">and 2 more</a>' in text


def test_the_count_of_notices_is_bounded(alice: User) -> None:
    make_notices(alice, 101)

    assert "and at least 97 more" in page(alice)


def test_a_dismissed_notice_stays_dismissed(alice: User) -> None:
    notice = ready(make_row(alice))
    client = make_client(alice)

    answer = client.post(f"/notices/{notice.pk}/dismiss", {"back": "/my-lines/?x=1"})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/my-lines/?x=1")
    assert "is ready" not in page(alice)
    notice.refresh_from_db()
    assert notice.dismissed_at is not None
    first = notice.dismissed_at
    client.post(f"/notices/{notice.pk}/dismiss")
    notice.refresh_from_db()
    assert notice.dismissed_at == first


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_dismissing_redirects_to_this_site_only(alice: User, back: str) -> None:
    notice = ready(make_row(alice))

    answer = make_client(alice).post(f"/notices/{notice.pk}/dismiss", {"back": back})

    assert answer.headers["Location"] == "/notices/"


def test_htmx_gets_the_remaining_notices(alice: User) -> None:
    first, second = make_notices(alice, 2)

    answer = make_client(alice).post(f"/notices/{first.pk}/dismiss", headers={"HX-Request": "true"})

    text = answer.content.decode()
    assert text.strip().startswith('<div id="notes"')
    assert (str(first.pk) in text, str(second.pk) in text) == (False, True)


def test_all_notices_can_be_dismissed_at_once(alice: User, bob: User) -> None:
    make_notices(alice, 5)
    make_notices(bob, 1)

    make_client(alice).post("/notices/dismiss")

    assert list(Notice.objects.filter(dismissed_at=None).values_list("user__username", flat=True)) == ["bob"]


def test_others_see_and_change_nothing(alice: User, bob: User, admin: User) -> None:
    notice = ready(make_row(alice, title="Seeds"))

    for other in (bob, admin):
        assert make_client(other).post(f"/notices/{notice.pk}/dismiss").status_code == 404
        assert "Seeds" not in page(other, "/notices/")
    assert make_client().get("/notices/").status_code == 302
    assert make_client().post(f"/notices/{notice.pk}/dismiss").status_code == 302
    assert make_client(alice).get(f"/notices/{notice.pk}/dismiss").status_code == 405
    assert make_client(alice).get("/notices/dismiss").status_code == 405
    assert make_client(alice).post(f"/notices/{UUID(int=1)}/dismiss").status_code == 404
    notice.refresh_from_db()
    assert notice.dismissed_at is None


def test_a_deleted_space_has_only_the_notice_of_its_deletion(alice: User) -> None:
    space = make_row(alice, title="Seeds")
    ready(space)
    make_due(space)
    assert "Seeds" not in page(alice)
    assert "Seeds" not in page(alice, "/notices/")

    purge(space.pk)

    for url in ("/my-lines/", "/notices/"):
        assert "Your Space that ended on <time" in page(alice, url)
        assert "bundle of" not in page(alice, url)
    assert Notice.objects.get(dismissed_at=None).kind == "deleted"


def test_an_upload_that_never_completed_needs_no_notice(alice: User) -> None:
    space = make_row(alice, ended_ago=timedelta(days=31))

    assert purge(space.pk)

    assert not Notice.objects.exists()


def test_an_obsolete_notice_is_not_shown(alice: User) -> None:
    space = make_row(alice)
    ready(space)
    Bundle.objects.update(state="removed")
    Notice.objects.create(kind="due-7-days", user=alice, space=space, deadline=dbtime.now())

    assert "notice " not in page(alice).split('id="notes"')[1].split("</main>")[0]
    assert "Nothing to tell you" in page(alice, "/notices/")


def test_a_reminder_shows_the_deadline(alice: User) -> None:
    space = make_row(alice, title="Seeds", ended_ago=timedelta(days=28))
    notices.create_reminders()

    assert "<bdi>Seeds</bdi> will be deleted on <time" in page(alice)
    update_space(space, expires_at=dbtime.now() + timedelta(days=50))
    assert "<bdi>Seeds</bdi>" not in page(alice)


def test_the_list_is_paged_without_repeats(alice: User) -> None:
    make_notices(alice, 60)
    client, seen = make_client(alice), set()
    url = "/notices/"
    while url:
        answer = client.get(url)
        seen |= {notice.pk for notice in answer.context["rows"]}
        url = f"/notices/{answer.context['next_url']}" if answer.context["next_url"] else ""

    assert len(seen) == 60


@pytest.mark.parametrize("url", ["/my-lines/", "/notices/"])
def test_the_query_count_does_not_grow(alice: User, url: str) -> None:
    client, counts = make_client(alice), []
    for number in (0, 1, 10):
        for _ in range(number):
            ready(make_row(alice))
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        counts.append(len(queries))
        of_notices = [query for query in queries if 'FROM "archive_notice"' in query["sql"]]
        assert len(of_notices) == 1

    assert counts[0] == counts[1] == counts[2]
