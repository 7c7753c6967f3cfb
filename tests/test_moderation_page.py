"""Moderation without JavaScript: the queue, a Space with its lines, a flag with evidence, several at once."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from archive import dbtime
from archive.log import Actor
from archive.models import Appeal, Hold, Rule, Space, User, Violation
from archive.moderation.holds import place
from archive.moderation.recompute import recompute
from archive.moderation.violations import flag
from tests.support.deadlines import retention_period
from tests.support.factory import make_held, make_row
from tests.support.http_clients import make_client
from tests.support.playable_spaces import make_playable_space
from tests.support.search_urls import encrypt_words
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def client(admin: User) -> Client:
    return make_client(admin)


def titles(client: Client, **query: str) -> list[str]:
    url = encrypt_words(f"/moderation/?{urlencode(query)}", User.objects.get(username="ada"))
    return [str(row.space) for row in client.get(url).context["queue"].rows]


@pytest.fixture
def shelf(db: None, alice: User) -> None:
    make_transcript(make_row(alice, title="old", ended_ago=timedelta(days=9), listeners_total=7), ["Cheap watches!"])
    make_transcript(make_row(alice, title="new", ended_ago=timedelta(days=1), listeners_total=900), ["Beans."])
    make_row(alice, title="silent", ended_ago=timedelta(days=3))
    make_held(alice, title="held", ended_ago=timedelta(days=200), listeners_total=30)
    make_row(alice, title="over", ended_ago=timedelta(days=31), listeners_total=10_000)
    make_row(alice, title="coming", ended_ago=timedelta(days=1), state="processing")


@pytest.mark.usefixtures("shelf")
def test_the_queue_can_be_sorted(client: Client) -> None:
    assert titles(client) == titles(client, order="due") == ["old", "silent", "new", "held"]
    assert titles(client, order="newest") == ["new", "silent", "old", "held"]
    assert titles(client, order="listened") == ["new", "held", "old"]
    assert titles(client, order="search", q="watch") == ["old"]
    assert titles(client, order="search") == []
    pages = [client.get(f"/moderation/?order={order}").content.decode() for order in ("due", "search")]
    assert ["autofocus" in page for page in pages] == [False, True]
    assert titles(client, order="nonsense") == ["old", "silent", "new", "held"]


@pytest.mark.usefixtures("shelf")
def test_the_queue_shows_holds_and_offers_what_is_possible(client: Client, admin: User) -> None:
    page = client.get("/moderation/").content.decode()
    assert len(re.findall(r'<span class="chip kept">.*?On hold</span>', page, re.DOTALL)) == 1
    assert page.count("Why this date?") == 3  # the fourth is on hold, without a deadline
    assert "Lift flags of selected" not in page

    flag(Space.objects.get(title="old").pk, "spam", "Watches.", admin)

    assert "Lift flags of selected" in client.get("/moderation/?tab=flagged").content.decode()
    assert "Hold 0 Spaces" not in client.get("/moderation/hold").content.decode()


def test_the_review_says_what_would_happen_and_folds_what_was_done(client: Client, alice: User, admin: User) -> None:
    space = make_row(alice)
    url = f"/moderation/spaces/{space.pk}/"
    page = client.get(url).content.decode()
    assert "Add another flag" not in page
    assert "Another admin must release it" in page
    assert 'href="#hold"' in page
    assert f'href="{url}#hold"' in client.get(f"/spaces/{space.pk}/").content.decode()

    flag(space.pk, "spam", "Watches.", admin)

    assert "Add another flag" in client.get(url).content.decode()


def test_a_single_admin_places_a_hold_without_the_warning(client: Client, alice: User, settings: Settings) -> None:
    settings.HOLD_RELEASE_NEEDS_SECOND_ADMIN = False

    assert (
        "Another admin must release it" not in client.get(f"/moderation/spaces/{make_row(alice).pk}/").content.decode()
    )


def test_a_form_says_beforehand_that_it_asks_for_the_password(client: Client, alice: User, settings: Settings) -> None:
    url = f"/moderation/spaces/{make_row(alice).pk}/"
    assert "You will be asked for your password" not in client.get(url).content.decode()

    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0

    assert "You will be asked for your password" in client.get(url).content.decode()


FILTERED = [
    ("", "alice", ["old", "silent", "new", "held"]),
    ("order=newest", "alice", ["new", "silent", "old", "held"]),
    ("", "HELD", ["held"]),
    ("order=listened", "alice", ["new", "held", "old"]),
    ("tab=reviewed", "alice", []),
    ("tab=flagged", "old", ["old"]),  # flagged before this test
    ("", "watch", []),  # the word is in its transcript
    ("", "over", []),  # past its deadline
]


@pytest.mark.usefixtures("shelf")
def test_words_filter_the_queue_by_names(client: Client, admin: User) -> None:
    for query, words, expected in FILTERED:
        if query == "tab=flagged":
            flag(Space.objects.get(title="old").pk, "spam", "Watches.", admin)

        answer = client.post(f"/moderation/?{query}", {"q": words})

        assert (answer.status_code, words in answer["Location"]) == (302, False)
        page = client.get(answer["Location"])
        queue = page.context["queue"]
        assert ([str(row.space) for row in queue.rows], queue.typed, queue.problem) == (expected, words, "")
        assert all("words=" in url for _, _, url in queue.selection.orders)
        assert f'value="{words}"' in page.content.decode()


@pytest.mark.usefixtures("shelf")
def test_words_that_cannot_be_searched_list_nothing(client: Client, admin: User) -> None:
    unreadable = client.get("/moderation/?words=nonsense").context["queue"]
    without_word = client.get(encrypt_words("/moderation/?q=%3F", admin)).context["queue"]
    too_long = client.post("/moderation/", {"q": "bean " * 2000})

    for queue in (unreadable, without_word, too_long.context["queue"]):
        assert (queue.rows, bool(queue.problem)) == ([], True)
    assert too_long.status_code == 422


@pytest.mark.usefixtures("shelf")
def test_the_next_space_to_review_has_the_words(client: Client, admin: User) -> None:
    answer = client.post(encrypt_words("/moderation/next?q=silent", admin))

    space = Space.objects.get(title="silent")
    assert answer["Location"].startswith(f"/moderation/spaces/{space.pk}/?words=")
    queue = client.get(answer["Location"]).context["queue"]
    assert [row.space for row in queue.rows] == [space]


@pytest.mark.usefixtures("shelf")
def test_a_transcript_line_links_to_its_moment(client: Client, admin: User) -> None:
    answer = client.post("/moderation/?order=search", {"q": "watch"})
    assert re.fullmatch(r"/moderation/\?order=search&words=[-\w]+(%3D)*", answer["Location"])
    page = client.get(answer["Location"]).content.decode()

    assert "Cheap <mark>watches</mark>!" in page
    assert re.search(
        r'href="/moderation/spaces/[-0-9a-f]{36}/\?order=search&amp;words=[-\w]+(%3D)*&amp;t=0#find=watches"', page
    )
    assert (
        "The search has no word."
        in client.get(encrypt_words("/moderation/?order=search&q=%3F", admin)).content.decode()
    )
    refused = client.post("/moderation/", {"q": "bean " * 2000})
    assert (refused.status_code, "more than 300 characters" in refused.content.decode()) == (422, True)


def test_each_space_is_on_one_page_of_the_queue(client: Client, alice: User) -> None:
    for number in range(45):
        make_row(alice, title=f"{number}", ended_ago=timedelta(hours=number), listeners_total=number % 7)
    for order in ("due", "newest", "listened"):
        seen, url = [], f"/moderation/?order={order}"
        while url:
            queue = client.get(url).context["queue"]
            seen += [str(row.space) for row in queue.rows]
            url = f"/moderation/{queue.next_url}" if queue.next_url else ""

        assert sorted(seen) == sorted(str(number) for number in range(45)), order


def test_a_flag_with_lines(client: Client, alice: User) -> None:
    space = make_playable_space(alice)
    page = client.get(f"/moderation/spaces/{space.pk}/").content.decode()
    assert 'name="line" value="5" aria-label="Line 5 as evidence"' in page
    assert "The deadline would move from" in page

    typed = {
        "rule": "spam",
        "reason": "Seeds.",
        "transcript": "1",
        "line": ["5"],
        "lines": "3-4",
        "from_moderation": "1",
    }
    answer = client.post(f"/spaces/{space.pk}/flag?order=listened", typed)

    assert (answer.status_code, answer["Location"]) == (302, "/moderation/?order=listened")  # it was the only one
    violation = space.violations.get()
    assert [line["line"] for line in violation.evidence] == [3, 4, 5]
    assert violation.evidence[2]["text"] == "Seeds want to be seeds: a SEED that is not sown is a snack."
    assert retention_period(space) == timedelta(days=120)


@pytest.mark.parametrize(("lines", "words"), [("3-", "is not a line number"), ("99", "There is no line 99")])
def test_a_refused_flag_keeps_the_form_input(client: Client, alice: User, lines: str, words: str) -> None:
    space = make_playable_space(alice)
    typed = {"rule": "spam", "reason": "Too <b>cheap</b>.", "transcript": "1", "line": ["5"], "lines": lines}

    answer = client.post(f"/spaces/{space.pk}/flag", typed | {"from_moderation": "1"})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert "Too &lt;b&gt;cheap&lt;/b&gt;.</textarea>" in page
    assert f'name="lines" value="{lines}"' in page
    assert re.search(r'value="5" aria-label="Line 5 as evidence" checked', page)
    assert not Violation.objects.exists()


def test_several_spaces_are_flagged_at_once(client: Client, alice: User, bob: User) -> None:
    one, other, late = make_row(alice, title="One"), make_row(bob, title="Other"), make_row(bob, title="Late")
    flag(other.pk, "hate", "Words.", User.objects.get(username="ada"))
    ids = {"space": [str(one.pk), str(other.pk), str(late.pk), "nonsense"]}

    page = client.get("/moderation/flag", ids).content.decode()
    assert page.count("The deadline would move from") == 2
    assert page.count("The deadline would stay at") == 1
    refused = client.post("/moderation/flag", ids | {"rule": "", "reason": "Watches."})
    assert refused.status_code == 422
    assert "Watches.</textarea>" in refused.content.decode()
    Space.objects.filter(pk=late.pk).update(expires_at=dbtime.now())
    answer = client.post("/moderation/flag", ids | {"rule": "spam", "reason": "Watches."}, follow=True)

    assert "Flagged 2 Spaces." in answer.content.decode()
    assert retention_period(one) == retention_period(other) == timedelta(days=120)
    assert not late.violations.exists()
    assert "No Space is selected" in client.get("/moderation/flag").content.decode()


def test_a_hold_and_its_release(client: Client, alice: User) -> None:
    space = make_row(alice)
    page = client.get(f"/moderation/spaces/{space.pk}/").content.decode()
    assert "There would be no deadline until the hold is released." in page

    client.post(f"/spaces/{space.pk}/hold", {"reason": "A court.", "from_moderation": "1"})

    assert (
        "You placed this hold, so a different admin must release it."
        in client.get("/moderation/holds/").content.decode()
    )
    hold = space.holds.get()
    refused = client.post(f"/moderation/holds/{hold.pk}/release", {"reason": "Closed."})
    assert (refused.status_code, "a different admin must release it" in refused.content.decode()) == (422, True)
    Hold.objects.update(placed_by=alice)
    page = client.get("/moderation/holds/").content.decode()
    assert "After the release, the deadline would be" in page
    assert "A release adds no days: if the hold is released after that time, every copy is deleted within 15" in page
    client.post(f"/moderation/holds/{hold.pk}/release", {"reason": "Closed."})
    assert retention_period(space) == timedelta(days=30)


def test_the_holds_of_a_space_are_told_apart_by_their_cases(client: Client, alice: User, admin: User) -> None:
    space = make_row(alice)
    holds = [place(space.pk, "A court.", admin, case_number=case) for case in ("12/2026", "")]

    page = client.get(f"/moderation/spaces/{space.pk}/").content.decode()

    assert "<strong>Case <bdi>12/2026</bdi></strong>" in page
    assert "<strong>No case number</strong>" in page
    assert "2 legal holds</h2>" in page
    assert [f"it is hold {hold.pk}." in page for hold in holds] == [True, True]


def test_a_deadline_that_moves_over_a_change_of_the_clock(client: Client, alice: User) -> None:
    """10:00 on 22 March becomes 11:00 on 20 June."""
    ended_at = datetime(2099, 2, 20, 9, tzinfo=UTC)
    space = make_row(alice)
    Space.objects.filter(pk=space.pk).update(ended_at=ended_at, expires_at=ended_at + timedelta(days=30))
    client.cookies["zone"] = "Europe/Berlin"

    page = client.get(f"/moderation/spaces/{space.pk}/").content.decode()

    moves = "The deadline would move from 22 March 2099, 10:00 to 20 June 2099, 11:00. Clocks change on 29 March 2099"
    assert moves in page


def test_a_release_that_makes_a_space_due_warns_before(client: Client, alice: User) -> None:
    hold = make_held(alice, ended_ago=timedelta(days=400)).holds.get()

    page = client.get("/moderation/holds/").content.decode()
    assert "It has passed, so after the release nobody could play or download the Space" in page
    assert "would be deleted within 15 minutes" in page
    answer = client.post(f"/moderation/holds/{hold.pk}/release", {"reason": "Closed."}, follow=True)

    assert "it is being deleted now" in answer.content.decode()


def fill(host: User, by: User, count: int) -> None:
    """Create Spaces, each with two violations, one of them appealed with evidence, and a hold."""
    cue: dict[str, Any] = {"line": 1, "start_ms": 0, "end_ms": 900, "speaker": "", "text": "Beans."}
    for _ in range(count):
        space = make_held(host, ended_ago=timedelta(days=5), listeners_total=3)
        make_transcript(space, ["Beans.", "Peas."])
        rule = Rule.objects.get(code="spam")
        Violation.objects.create(space=space, rule=rule, flagged_by=by)
        appealed = Violation.objects.create(
            space=space, rule=rule, flagged_by=by, state="appealed", evidence=[cue], evidence_transcript_number=1
        )
        Appeal.objects.create(violation=appealed, statement="No.", created_by=host)
        recompute(space, Actor.of(host))


PAGES = [
    "/moderation/",
    "/moderation/?order=newest",
    "/moderation/?order=listened",
    "/moderation/?order=search&q=beans",
    "/moderation/appeals/",
    "/moderation/holds/",
    "/log/deadlines/",
    "/log/deadlines/?retention_days=60",
    "/",
]


def test_the_number_of_queries_does_not_grow(client: Client, alice: User, admin: User) -> None:
    counts = []
    for more in (2, 7):
        fill(alice, admin, more)
        counts.append({url: count_queries(client, encrypt_words(url, admin)) for url in PAGES})

    assert counts[0] == counts[1]
    assert max(counts[0].values()) <= 29


def count_queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)
