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


def failed(space: Space) -> Notice:
    return Notice.objects.create(kind="bundle-failed", user=space.host, space=space, subject_id="1")


def make_notices(user: User, count: int) -> list[Notice]:
    space = make_row(user)
    return [Notice.objects.create(kind="lifted", user=user, space=space, subject_id=str(n)) for n in range(count)]


def bell(user: User) -> str:
    """Return the number in a page's header."""
    return page(user).partition('data-count="')[2].partition('"')[0]


def page(user: User, url: str = "/my-lines/") -> str:
    return " ".join(make_client(user).get(url).content.decode().split())


def test_a_notice_has_a_text_and_a_link(alice: User, bob: User) -> None:
    space = make_row(alice, title="Seeds & <b>co</b>")
    ready(space)

    text = page(alice, "/notices/")

    assert "The bundle of <bdi>Seeds &amp; &lt;b&gt;co&lt;/b&gt;</bdi> is ready (10 bytes)." in text
    assert f'<a href="/spaces/{space.pk}/#bundle">Download</a>' in text
    assert "No notices" in page(bob, "/notices/")


def test_a_flag_and_its_lifting(alice: User, admin: User) -> None:
    space = make_row(alice, title="Seeds")

    flag(space.pk, "spam", "It sold watches.", admin)
    text = page(alice, "/notices/")
    assert "<bdi>Seeds</bdi> was flagged: Spam or fraud. It is kept until <time" in text
    assert "It sold watches." in text
    assert 'The rule: <span dir="auto">Misleading people for gain.</span>' in text
    lift(space.pk, "It was a play.", admin)

    text = page(alice, "/notices/")
    assert "The flag on <bdi>Seeds</bdi> (Spam or fraud) was lifted." in text
    assert "It was a play." in text
    assert "was flagged" not in text
    assert "Seeds" not in page(admin, "/notices/")


def test_open_notices_about_deadlines_come_first_the_next_one_before_the_others(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = timedelta(days=30)
    spaces = {left: make_row(alice, ended_ago=ended - left * timedelta(days=1), title=f"In {left}") for left in (5, 2)}
    seen = make_row(alice, ended_ago=ended - timedelta(days=3), title="In 3")
    notices.create_reminders()
    notices.retire(alice, [seen.pk])
    ready(make_row(alice, title="Ready"))

    text = page(alice, "/notices/")

    order = ["Deleted soon", "In 2", "In 5", "Other notices", "Ready", "In 3"]
    assert sorted(order, key=text.index) == order
    with monkeypatch.context() as patch:
        patch.setattr("portal.views.notices.PAGE", 2)
        text = page(alice, "/notices/")
    assert [title in text for title in ("In 2", "In 5", "Ready", "Other notices")] == [True, True, False, False]
    notices.retire(alice, [space.pk for space in spaces.values()])
    assert "Deleted soon" not in page(alice, "/notices/")


def test_the_bell_counts_open_notices(alice: User) -> None:
    assert bell(alice) == "0"
    make_notices(alice, 3)
    assert bell(alice) == "1"  # a newer notice about the same Space supersedes an older one
    for _ in range(2):
        ready(make_row(alice))

    assert bell(alice) == "3"
    assert 'class="bell-count">3<' in page(alice)


def test_the_count_of_the_bell_is_bounded(alice: User) -> None:
    space = make_row(alice)
    Notice.objects.bulk_create(Notice(kind="flagged", user=alice, space=space, subject_id=str(n)) for n in range(101))

    assert 'class="bell-count">99+<' in page(alice)


def test_a_dismissed_notice_stays_dismissed(alice: User) -> None:
    notice = ready(make_row(alice))
    client = make_client(alice)

    answer = client.post(f"/notices/{notice.pk}/dismiss", {"back": "/my-lines/?x=1"})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/my-lines/?x=1")
    assert bell(alice) == "0"
    notice.refresh_from_db()
    assert notice.dismissed_at is not None
    first = notice.dismissed_at
    client.post(f"/notices/{notice.pk}/dismiss")
    notice.refresh_from_db()
    assert notice.dismissed_at == first


def test_dismissing_redirects_to_this_site_only(alice: User) -> None:
    client = make_client(alice)
    for back in ("https://evil.example/", "//evil.example", "javascript:alert(1)", ""):
        notice = ready(make_row(alice))
        answer = client.post(f"/notices/{notice.pk}/dismiss", {"back": back})

        assert answer.headers["Location"] == "/notices/", back


def test_htmx_gets_the_next_banner_and_the_bell(alice: User) -> None:
    first, second = (failed(make_row(alice)) for _ in range(2))

    answer = make_client(alice).post("/notices/dismiss", {"notice": str(first.pk)}, headers={"HX-Request": "true"})

    text = answer.content.decode()
    assert '<div id="notes"' in text
    assert (str(first.pk) in text, str(second.pk) in text) == (False, True)
    assert 'hx-swap-oob="true" data-count="1"' in text


def test_a_banner_dismisses_all_that_it_stands_for_and_nothing_else(alice: User) -> None:
    stands_for = [failed(make_row(alice)) for _ in range(3)]
    (other,) = make_notices(alice, 1)
    sent = page(alice).partition('name="notice" value="')[2].partition('"')[0]

    make_client(alice).post("/notices/dismiss", {"notice": sent})

    assert set(Notice.objects.filter(dismissed_at=None)) == {other}
    assert {str(notice.pk) for notice in stands_for} == set(sent.split())


def test_ids_that_are_no_ids_dismiss_nothing(alice: User) -> None:
    make_notices(alice, 2)

    make_client(alice).post("/notices/dismiss", {"notice": "all"})

    assert Notice.objects.filter(dismissed_at=None).count() == 2


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

    assert "was deleted on <time" in page(alice, "/notices/")
    assert "bundle of" not in page(alice, "/notices/")
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

    assert bell(alice) == "0"
    assert "No notices" in page(alice, "/notices/")


def test_a_reminder_shows_the_deadline(alice: User) -> None:
    space = make_row(alice, title="Seeds", ended_ago=timedelta(days=28))
    notices.create_reminders()

    assert "<bdi>Seeds</bdi> will be deleted on <time" in page(alice, "/notices/")
    update_space(space, expires_at=dbtime.now() + timedelta(days=50))
    assert "<bdi>Seeds</bdi>" not in page(alice, "/notices/")


def test_the_list_is_paged_without_repeats(alice: User) -> None:
    make_notices(alice, 60)
    client, seen = make_client(alice), set()
    url = "/notices/"
    while url:
        answer = client.get(url)
        seen |= {row["notice"].pk for _, rows in answer.context["groups"] for row in rows}
        url = f"/notices/{answer.context['next_url']}" if answer.context["next_url"] else ""

    assert len(seen) == 60


def test_the_query_count_does_not_grow(alice: User, admin: User) -> None:
    """Notices have everything that their kinds show besides the text: evidence, rules, previous deadlines. Bell and
    banner first check whether any notice may be open, and the banner reads the one that it shows. The page of notices
    has no banner, and reads notices about deadlines before the others."""
    client = make_client(alice)
    counts: dict[str, list[int]] = {"/my-lines/": [], "/notices/": []}
    for number in (1, 1, 10):
        for _ in range(number):
            space = make_row(alice)
            ready(space)
            flag(space.pk, "spam", "Watches.", admin)
        for url, of_notices in (("/my-lines/", 5), ("/notices/", 4)):
            with CaptureQueriesContext(connection) as queries:
                client.get(url)
            counts[url].append(len(queries))
            assert len([query for query in queries if 'FROM "archive_notice"' in query["sql"]]) == of_notices

    for first, second, third in counts.values():
        assert first >= second == third  # a single notice in the banner needs one more query for its text
