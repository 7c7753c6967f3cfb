"""The compact rows of lists of Spaces: states as text, times in the reader's zone, distinct names."""

import re
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from urllib.parse import quote

import pytest
from django.db import connection
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive import dbtime
from archive.display.clock import ClockFace, day_marks
from archive.formatting import TimedSentence
from archive.models import Rule, Space, User
from archive.moderation import reviews
from archive.moderation.appeals import appeal
from archive.moderation.violations import flag, lift
from portal.templatetags.queue_rows import draw_clock
from portal.templatetags.spacekeep import short_time
from tests.support.factory import make_held, make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")


def chips(user: User) -> list[list[tuple[str, str]]]:
    return [[(chip.text, chip.icon) for chip in row.chips] for row in make_client(user).get("/").context["rows"]]


@pytest.mark.parametrize("reader", ["alice", "admin", "auditor"])
def test_states_are_words_with_an_icon(request: pytest.FixtureRequest, reader: str, alice: User, admin: User) -> None:
    make_row(alice, title="calm", ended_ago=timedelta(days=9))
    make_row(alice, title="rejected", state="rejected", problem={"code": "x"}, ended_ago=timedelta(days=8))
    flag(make_row(alice, title="flagged", ended_ago=timedelta(days=7)).id, "hate", "Watches.", admin)
    appealed = flag(make_row(alice, title="appealed", ended_ago=timedelta(days=6)).id, "spam", "Watches.", admin)
    appeal(appealed.pk, "No.", alice)
    make_held(alice, title="held")

    assert chips(request.getfixturevalue(reader)) == [
        [],
        [("Not accepted", "alert")],
        [("Flagged: Hateful conduct", "flag")],
        [("Appeal open", "mail"), ("Flagged: Spam or fraud", "flag")],
        [("On hold", "lock")],
    ]


def test_a_lifted_flag_is_no_state(alice: User, admin: User) -> None:
    space = make_row(alice)
    flag(space.id, "spam", "Watches.", admin)
    lift(space.id, "A mistake.", admin)

    assert chips(alice) == [[]]


HOSTILE = """x"'><img src=x>&{0}%s"""


def test_what_people_wrote_is_escaped(alice: User, admin: User, second_admin: User) -> None:
    """Python writes the rows of both lists, so templates escape nothing: titles, names of hosts, rules and admins, and
    parameters of the URL."""
    User.objects.update(first_name=HOSTILE, last_name="")
    Rule.objects.filter(code="spam").update(name=HOSTILE)
    flag(make_row(alice, title=HOSTILE).id, "spam", "Watches.", admin)
    reviews.claim(make_row(alice, title=HOSTILE).id, second_admin, new_page=True)
    hostile = quote(HOSTILE)

    pages = {
        (user.username, url): make_client(user).get(url).content.decode()
        for user, url in (
            *((alice, "/"), (admin, "/"), (admin, "/moderation/"), (admin, "/moderation/?tab=flagged")),
            (admin, f"/moderation/?tab=flagged&host={alice.pk}&order={hostile}&page={hostile}"),
        )
    }

    assert [name for name, page in pages.items() if "<img" in page or escape(HOSTILE) not in page] == []
    assert f"Being reviewed by <bdi>{escape(HOSTILE)}</bdi>" in pages["ada", "/moderation/"]


FLAG, PADLOCK = "M9.5 17V7h6", "M8.5 11.5h7v5h-7z"


def test_the_dial_has_a_flag_for_flags_and_a_padlock_for_holds(alice: User, admin: User) -> None:
    flag(make_row(alice).id, "spam", "Watches.", admin)
    flagged = make_client(alice).get("/").content.decode()
    Space.objects.all().delete()
    make_held(alice)
    held = make_client(alice).get("/").content.decode()

    assert (FLAG in flagged, PADLOCK in flagged) == (True, False)
    assert (FLAG in held, PADLOCK in held) == (False, True)


def test_each_explanation_has_its_own_name(alice: User) -> None:
    make_row(alice, title="Beekeeping")
    make_row(alice, title="Tom & Priya")

    page = make_client(alice).get("/").content.decode()

    names = [unescape(re.sub("<[^>]+>", "", text)) for text in re.findall("<summary>(.*?)</summary>", page)]
    assert [name.split(". ")[1] for name in names] == ["Why this date? Beekeeping", "Why this date? Tom & Priya"]


def test_times_are_in_the_readers_zone_and_utc_is_beside_them(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(time_zone="Asia/Kolkata", time_zone_chosen=True)
    year = dbtime.now().year
    ended_at = datetime(year - 1, 12, 31, 20, 0, tzinfo=UTC)
    make_row(alice, ended_at=ended_at, expires_at=datetime(year + 1, 2, 3, 4, 5, tzinfo=UTC))

    page = make_client(alice).get("/").content.decode()

    until = f'<time datetime="{year + 1}-02-03T04:05:00Z" title="3 February {year + 1}, 04:05 UTC">'
    assert f"{until}3 February {year + 1}, 09:35</time>" in page
    assert ">1 January, 01:30</time>" in page
    explained = f"will be deleted on 3 February {year + 1}, 09:35</time></p>"  # core/local-times.js shows both in UTC
    assert f'title="will be deleted on 3 February {year + 1}, 04:05 UTC">{explained}' in page


def test_without_a_zone_times_are_utc_and_marked_for_the_browser() -> None:
    with timezone.override(UTC):
        text = short_time(datetime(2020, 12, 22, 14, 5, tzinfo=UTC))

    assert text == '<time datetime="2020-12-22T14:05:00Z" data-utc="short">22 December 2020, 14:05 UTC</time>'


def test_the_number_of_queries_does_not_grow(alice: User, admin: User) -> None:
    client = make_client(admin)
    counts = []
    for more in (1, 8):
        for _ in range(more):
            space = make_row(alice)
            appeal(flag(space.id, "spam", "Watches.", admin).pk, "No.", alice)
            flag(space.id, "hate", "Watches.", admin)
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]


@pytest.mark.parametrize("until", [None, datetime(2026, 12, 22, tzinfo=UTC)])
def test_a_list_draws_dials_and_icons_as_other_pages_do(until: datetime | None) -> None:
    """Lists have many of these, so Python draws them there, and templates elsewhere."""
    face = ClockFace("kept", "", "", datetime(2026, 11, 22, tzinfo=UTC), until, 12.345)
    tags = Template("{% load archive_display %}{% dial face %}{% icon 'flag' %}").render(Context({"face": face}))
    dial = render_to_string("archive/parts/dial.html", {"face": face})

    assert tags == re.sub(r"\s*\n\s*", "", dial) + render_to_string("archive/parts/icon.html", {"name": "flag"}).strip()


ENDED, UNTIL = datetime(2026, 9, 22, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)
FACES = [
    ClockFace("calm", "9 days left", TimedSentence("deleted on {time}", UNTIL), ENDED, UNTIL, 12.345, reasons=("<30",)),
    ClockFace("soon", "left", TimedSentence("{time}", UNTIL), ENDED, UNTIL, 9, day_marks(ENDED, UNTIL, [30]), over="&"),
    ClockFace("kept", "On hold", "not deleted", ENDED, None, 100, reasons=("It is on hold.",)),
    ClockFace("gone", "Deleted", TimedSentence("{time}", UNTIL), ENDED, UNTIL, 100),
]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC"])
@pytest.mark.parametrize("face", FACES, ids=lambda face: face.tone)
def test_the_queue_draws_clocks_as_other_pages_do(face: ClockFace, zone: str) -> None:
    """Berlin's clocks change between the two times."""

    def without_space(html: str) -> str:
        return re.sub(r"\s*(<[^>]*>)\s*", r"\1", html)

    with timezone.override(zone):
        drawn = draw_clock(face, "Beans")
        elsewhere = render_to_string("archive/parts/clock.html", {"face": face, "name": "Beans"})

    assert without_space(drawn) == without_space(elsewhere)
