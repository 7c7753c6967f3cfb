"""The review queue: tabs, "no violation, next", claims, the host's record."""

import html
import re
from datetime import timedelta

import pytest
from django.test import Client

from archive import dbtime
from archive.models import ReviewClaim, Space, User
from archive.moderation import appeals, violations
from archive.moderation.host_record import host_record
from archive.moderation.reviews import claim, review
from archive.moderation.violations import flag
from archive.retention.purge import purge
from tests.support.deadlines import make_due
from tests.support.factory import make_row
from tests.support.html_forms import read_form
from tests.support.http_clients import make_client
from tests.support.log_entries import events
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def client(admin: User) -> Client:
    return make_client(admin)


@pytest.fixture
def three(alice: User, bob: User) -> list[Space]:
    """Three Spaces, the nearest deadline first."""
    hosts = [alice, bob, alice]
    return [
        make_row(host, title=title, ended_ago=timedelta(days=9 - days), listeners_total=days)
        for days, (title, host) in enumerate(zip(["One", "Two", "Three"], hosts, strict=True), 1)
    ]


def titles(client: Client, query: str = "") -> list[str]:
    return [row.space.title for row in client.get(f"/moderation/{query}").context["queue"].rows]


def opened(answer: object) -> str:
    """Return the title of the Space in a redirect, with the query string."""
    found = re.fullmatch(r"/moderation/spaces/([-0-9a-f]{36})/(.*)", answer["Location"])  # type: ignore[index]
    assert found
    return Space.objects.get(pk=found[1]).title + found[2]


def test_each_tab_lists_and_counts(client: Client, three: list[Space], admin: User) -> None:
    one, two, three_ = three
    make_row(admin, title="Own")
    appealed = violations.flag(two.pk, "spam", "Watches.", admin)
    appeals.appeal(appealed.pk, "Beans.", two.host)
    review(three_.pk, admin)

    assert titles(client) == ["One"]
    assert titles(client, "?tab=reviewed") == ["Three"]
    assert titles(client, "?tab=flagged") == ["Two"]
    assert titles(client, f"?tab=flagged&host={one.host_id}") == []
    assert titles(client, f"?host={one.host_id}") == ["One"]
    assert titles(client, "?tab=nonsense&host=nonsense") == ["One"]
    counts = client.get("/moderation/holds/").context["tab_counts"]
    assert counts == {"review": "1", "reviewed": "1", "flagged": "1", "appeals": "1"}
    page = client.get("/moderation/?tab=reviewed").content.decode()
    assert re.search(r"Reviewed by <bdi>Ada</bdi>, <time", page)


def test_nobody_is_said_to_have_found_no_violation_after_a_lifted_flag(
    client: Client, three: list[Space], admin: User
) -> None:
    one, two, _ = three
    violations.flag(one.pk, "spam", "Watches.", admin)
    violations.flag(two.pk, "spam", "Watches.", admin)
    violations.lift(one.pk, "A joke.", admin)

    page = client.get("/moderation/?tab=reviewed").content.decode()
    assert "No active flag" in page
    assert "No violation</span>" not in page
    for tab in ("reviewed", "flagged"):
        page = client.get(f"/moderation/?tab={tab}").content.decode()
        assert re.search(r"Flagged by <bdi>Ada</bdi>, <time", page)
        assert "Reviewed by" not in page
    page = client.get(f"/moderation/spaces/{one.pk}/").content.decode()
    assert re.search(r"Flagged by <bdi>Ada</bdi>, <time[^<]*<[^<]*: no active flag", page)
    assert "Reviewed by" not in page

    Space.objects.filter(pk=one.pk).reopen_review()
    page = client.get("/moderation/").content.decode()
    assert "No active flag" in page
    assert "Flagged by" not in page  # the new transcript is not reviewed yet


def test_counts_are_capped(client: Client, alice: User) -> None:
    template = make_row(alice)
    Space.objects.bulk_create(
        Space(host=alice, ended_at=template.ended_at, expires_at=template.expires_at, state="available")
        for _ in range(120)
    )

    assert client.get("/moderation/").context["tab_counts"]["review"] == "99+"


def test_no_violation_opens_the_next(client: Client, three: list[Space]) -> None:
    one, two, three_ = three
    assert opened(client.post("/moderation/next")) == "One"
    assert opened(client.post("/moderation/next?order=listened")) == "Three?order=listened"
    assert opened(client.post("/moderation/next?order=newest")) == "Three?order=newest"

    assert opened(client.post(f"/moderation/spaces/{two.pk}/review")) == "Three"
    assert opened(client.post(f"/moderation/spaces/{three_.pk}/review")) == "One"  # from the start of the queue again
    last = client.post(f"/moderation/spaces/{one.pk}/review", follow=True)

    assert last.redirect_chain == [("/moderation/", 302)]
    assert "Nothing is left to review here." in last.content.decode()
    assert [events(space) for space in three] == [["space.reviewed"]] * 3


def test_a_second_review_is_refused(client: Client, three: list[Space], second_admin: User) -> None:
    review(three[0].pk, second_admin)

    answer = client.post(f"/moderation/spaces/{three[0].pk}/review")

    assert (answer.status_code, "was reviewed already" in answer.content.decode()) == (422, True)
    form = {"submission": "once"}
    assert client.post(f"/moderation/spaces/{three[1].pk}/review", form).status_code == 302
    assert client.post(f"/moderation/spaces/{three[1].pk}/review", form).status_code == 302  # the button, pressed twice
    assert events(three[1]) == ["space.reviewed"]


def test_a_flag_opens_the_next(client: Client, three: list[Space]) -> None:
    """The message links to the form that lifts the flag."""
    flag = {"rule": "spam", "reason": "Watches.", "from_moderation": "1"}

    assert opened(client.post(f"/spaces/{three[0].pk}/flag", flag)) == "Two"
    page = client.get(f"/moderation/spaces/{three[1].pk}/").content.decode()
    assert f'<a href="/moderation/spaces/{three[0].pk}/#lift">Lift the flag, with a reason</a>' in page
    again = client.post(f"/spaces/{three[0].pk}/flag?tab=flagged", flag | {"rule": "hate"})
    assert opened(again) == "One?tab=flagged"  # it had already left the queue


def test_an_open_space_is_claimed(client: Client, three: list[Space], second_admin: User) -> None:
    one, url, other = three[0], f"/moderation/spaces/{three[0].pk}/", make_client(second_admin)
    client.head(url)
    assert not ReviewClaim.objects.exists()

    mine = client.get(url).content.decode()
    theirs = other.get(url).content.decode()

    assert "No violation, next" in mine
    assert "No violation, next" not in theirs
    assert re.search(r"Being reviewed by <bdi>Ada</bdi> since <time", theirs)
    assert "Being reviewed by <bdi>Ada</bdi>" in other.get("/moderation/").content.decode()
    assert opened(other.post("/moderation/next")) == "Two"
    assert other.post(f"{url}review").status_code == 422
    assert (other.post(f"{url}claim").status_code, client.post(f"{url}claim").status_code) == (409, 204)
    fence = ReviewClaim.objects.get(space=one).fence
    assert f'data-claim-fence="{fence}"' in mine
    released = client.post(f"{url}claim", {"release": str(fence)})
    assert (released.status_code, "Content-Length" in released.headers) == (204, False)
    assert not ReviewClaim.objects.filter(space=one).exists()
    assert client.post(f"{url}claim", {"release": "nonsense"}).status_code == 204
    assert other.post(f"{url}claim").status_code == 204


def test_an_admin_never_gets_their_own_space(client: Client, admin: User) -> None:
    own = make_row(admin, title="Own")

    assert titles(client) == []
    assert client.post("/moderation/next")["Location"] == "/moderation/"
    page = client.get(f"/moderation/spaces/{own.pk}/").content.decode()
    assert "No violation, next" not in page
    assert not ReviewClaim.objects.exists()


def test_the_page_shows_the_neighbors(client: Client, three: list[Space], second_admin: User) -> None:
    one, two, three_ = three

    context = client.get(f"/moderation/spaces/{two.pk}/").context
    assert (context["previous_space"], context["next_space"]) == (one, three_)
    assert [row.space.title for row in context["queue"].rows] == ["One", "Two", "Three"]
    claim(three_.pk, second_admin)
    assert client.get(f"/moderation/spaces/{two.pk}/").context["next_space"] is None
    review(two.pk, User.objects.get(username="ada"))
    context = client.get(f"/moderation/spaces/{two.pk}/").context
    assert [row.space.title for row in context["queue"].rows] == ["One", "Three"]
    assert (context["previous_space"], context["next_space"]) == (one, None)


def test_the_list_says_what_it_leaves_out(client: Client, alice: User) -> None:
    spaces = [make_row(alice, title=f"{number}", ended_ago=timedelta(days=20 - number)) for number in range(6)]

    pages = {n: client.get(f"/moderation/spaces/{spaces[n].pk}/").content.decode() for n in (3, 4)}

    assert {n: "Earlier ones are not listed here." in page for n, page in pages.items()} == {3: False, 4: True}
    assert "Later ones are not listed here." not in pages[4]


def test_the_record_of_a_host(client: Client, alice: User, bob: User, admin: User, second_admin: User) -> None:
    spaces = [make_row(alice, title=f"{number}") for number in range(4)]
    flags = [violations.flag(space.pk, "spam", "Watches.", admin) for space in spaces]
    violations.flag(make_row(bob).pk, "hate", "Words.", admin)
    for number, granted in ((0, True), (1, False)):
        opened_appeal = appeals.appeal(flags[number].pk, "Beans.", alice)
        appeals.decide(opened_appeal.pk, "I looked.", second_admin, granted=granted)
    appeals.appeal(flags[2].pk, "Beans.", alice)
    make_due(spaces[3])
    purge(spaces[3].pk)

    record = host_record(alice)

    assert (record.total, record.standing, record.open_appeals, record.upheld, record.lifted) == (4, 3, 1, 1, 1)
    page = client.get(f"/moderation/spaces/{spaces[1].pk}/").content.decode()
    assert "4 flags: 3 active (1 upheld on appeal), 1 lifted" in page
    assert f'href="/log/spaces/{spaces[3].pk}/"' in page  # it was deleted: its history
    assert "Watches." not in [flag.reason for flag in record.newest if flag.space_id == spaces[3].pk]
    assert host_record(admin).total == 0


def test_decided_appeals_stay_until_the_space_is_deleted(
    client: Client, alice: User, admin: User, second_admin: User
) -> None:
    space, other = make_row(alice, title="Beans"), make_row(alice, title="Peas")
    for one, granted in ((space, True), (other, False)):
        flagged = violations.flag(one.pk, "spam", "They sold watches.", admin)
        appeal = appeals.appeal(flagged.pk, "A quotation.", alice)
        open_page = client.get("/moderation/appeals/").content.decode()
        assert re.search(r"by <bdi>Ada</bdi>, <time", open_page)
        appeals.decide(appeal.pk, f"I looked at {one}.", second_admin, granted=granted)

    page = client.get("/moderation/appeals/decided/").content.decode()

    assert page.index("I looked at Peas.") < page.index("I looked at Beans.")
    sentences = ["Granted: the flag was lifted", "Denied: the flag stays", "by <bdi>Sven</bdi>, <time", "A quotation."]
    sentences += ["The Space is kept until", f'<a href="/moderation/spaces/{other.pk}/">Open it in moderation']
    assert [sentence for sentence in sentences if sentence not in page] == []
    make_due(space)
    purge(space.pk)
    answer = client.get("/moderation/appeals/decided/")
    assert [row["appeal"].violation.space.title for row in answer.context["rows"]] == ["Peas"]


def test_a_transcript_that_changed_after_the_review_is_said(client: Client, alice: User, admin: User) -> None:
    space = make_row(alice)
    review(space.pk, admin)
    url = f"/moderation/spaces/{space.pk}/"
    assert client.get(url).context["corrected"] is False
    Space.objects.filter(pk=space.pk).update(reviewed_at=dbtime.now() - timedelta(days=1))
    make_transcript(space, ["Beans."])

    assert client.get(url).context["corrected"] is True


def undo_form(page: str) -> tuple[str, dict[str, str]]:
    """Return the URL and the form of the page's button "Undo"."""
    (url,) = re.findall(r'<form method="post" action="([^"]*)" data-undo>', page)
    return html.unescape(url), read_form(page.encode(), html.unescape(url))


def test_no_violation_can_be_undone(client: Client, three: list[Space]) -> None:
    one = three[0]
    page = client.post(f"/moderation/spaces/{one.pk}/review?order=newest", follow=True).content.decode()
    assert "“<a" in page
    url, form = undo_form(page)

    again = client.post(url, form)

    assert opened(again) == "One?order=newest"
    assert events(one) == ["space.reviewed", "space.review_undone"]
    assert Space.objects.to_review().filter(pk=one.pk).exists()
    page = client.get(again["Location"]).content.decode()
    assert "“<bdi>One</bdi>” is back in the queue." in page
    assert "data-undo" not in page
    assert client.post(url, form).status_code == 422  # there is nothing left to undo
    assert events(one) == ["space.reviewed", "space.review_undone"]


def test_others_and_decisions_are_not_undone(client: Client, three: list[Space], second_admin: User) -> None:
    one, two = three[:2]
    review(one.pk, second_admin)
    flag(two.pk, "spam", "Watches.", User.objects.get(username="ada"))

    answers = [client.post(f"/moderation/spaces/{space.pk}/review/undo") for space in three]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert not Space.objects.to_review().filter(pk__in=[one.pk, two.pk]).exists()
