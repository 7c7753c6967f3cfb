"""Feeds at private URLs that can be revoked: a calendar of deadlines, and a Space as a podcast."""

import json
from datetime import UTC, datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from django.conf import settings as portal_settings
from django.test import Client
from icalendar import Calendar
from pytest_django import Settings

from archive import feeds
from archive.accounts.passwords import set_password
from archive.accounts.sessions import end_sessions
from archive.errors import Refused
from archive.models import Feed, LogEntry, Participant, Space, User
from archive.moderation.holds import place
from archive.retention.purge import sweep_all
from portal.feed_links import calendar_url, podcast_url
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")
ITUNES = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"
PODCAST = "{https://podcastindex.org/namespace/1.0}"


@pytest.fixture
def space(alice: User) -> Space:
    space = make_row(alice, title="Café & seeds")
    make_contents(space)
    Participant.objects.create(space=space, name="Ida", role="speaker", seat=1)
    make_transcript(space, [("Ida", "Runner beans.")], number=2)
    return space


def get(url: str) -> tuple[int, str]:
    """Request without a session. Returns the status, and the text or the redirect's target."""
    parts = urlsplit(url)
    answer = Client().get(f"{parts.path}?{parts.query}" if parts.query else parts.path)
    return answer.status_code, answer.get("Location") or answer.content.decode()


def channel_of(text: str) -> ElementTree.Element:
    """Return the channel of a feed. It is our own output, so it is safe to parse."""
    channel = ElementTree.fromstring(text).find("channel")  # noqa: S314
    assert channel is not None
    return channel


def test_a_calendar_has_the_deadlines(alice: User, bob: User, space: Space) -> None:
    make_row(bob, title="Of another host")
    make_client(alice).post("/account/calendar/create")
    page = make_client(alice).get("/account/").content.decode()
    url = calendar_url(Feed.objects.get())
    assert url in page

    status, text = get(url)

    [event] = Calendar.from_ical(text).walk("VEVENT")
    assert (status, str(event["summary"])) == (200, "Deletion of “Café & seeds”")
    assert space.expires_at is not None
    assert event.decoded("dtstart") == space.expires_at.replace(microsecond=0)
    assert str(event["url"]) == f"{portal_settings.SITE_URL}/spaces/{space.pk}/"
    assert str(event["uid"]).startswith(str(space.pk))


def test_a_space_leaves_the_calendar_when_it_is_due_or_held(alice: User, admin: User, space: Space) -> None:
    url = calendar_url(feeds.create_calendar(alice))
    place(make_row(alice, title="Held").pk, "The court asked for it.", admin)
    make_due(space)

    status, text = get(url)

    assert (status, "VEVENT" in text) == (200, False)


def test_a_podcast_has_recording_transcript_and_people(alice: User, space: Space) -> None:
    url = podcast_url(feeds.create_podcast(alice, space))

    status, text = get(url)

    channel = channel_of(text)
    assert status == 200
    item = channel.find("item")
    assert item is not None
    assert (item.findtext("title"), item.findtext("guid")) == ("Café & seeds", str(space.pk))
    assert (channel.findtext(f"{ITUNES}block"), channel.findtext(f"{PODCAST}locked")) == ("Yes", "yes")
    assert [(person.text, person.get("role")) for person in item.findall(f"{PODCAST}person")][-1] == ("Ida", "guest")
    transcripts = {file.get("type"): file.get("url", "") for file in item.findall(f"{PODCAST}transcript")}
    assert set(transcripts) == {"text/vtt", "application/x-subrip", "application/json"}
    assert "Runner beans." in get(transcripts["text/vtt"])[1]
    enclosure = item.find("enclosure")
    assert enclosure is not None
    recording = space.recordings.get()
    assert (enclosure.get("length"), enclosure.get("type")) == (str(recording.size), recording.content_type)
    status, place = get(enclosure.get("url", ""))
    assert (status, place.partition("?")[0].endswith(recording.key)) == (302, True)


def test_a_podcast_has_the_chapters_of_the_recording(alice: User, space: Space) -> None:
    feed = feeds.create_podcast(alice, space)
    assert "podcast:chapters" not in get(podcast_url(feed))[1]
    space.recordings.update(chapters=[{"start_ms": 0, "title": "Hello"}, {"start_ms": 1500, "title": "Beans"}])

    chapters = channel_of(get(podcast_url(feed))[1]).find(f"item/{PODCAST}chapters")

    assert chapters is not None
    assert chapters.get("type") == "application/json+chapters"
    assert json.loads(get(chapters.get("url", ""))[1])["chapters"] == [
        {"startTime": 0.0, "title": "Hello"},
        {"startTime": 1.5, "title": "Beans"},
    ]


def test_what_a_podcast_program_fetches_is_logged_once_an_hour(alice: User, space: Space) -> None:
    feed = feeds.create_podcast(alice, space)
    text = get(podcast_url(feed))[1]
    enclosure = channel_of(text).find("item/enclosure")
    assert enclosure is not None
    assert not LogEntry.objects.filter(event="content.downloaded").exists()  # the feed itself contains no content

    get(enclosure.get("url", ""))

    assert LogEntry.objects.filter(event="content.downloaded", space_id=space.pk).count() == 1


def test_a_revoked_address_is_dead_and_a_new_one_differs(alice: User, space: Space) -> None:
    old = podcast_url(feeds.create_podcast(alice, space))
    assert podcast_url(feeds.create_podcast(alice, space)) == old

    make_client(alice).post(f"/spaces/{space.pk}/podcast/revoke")

    assert get(old)[0] == 404
    assert podcast_url(feeds.create_podcast(alice, space)) != old
    events = LogEntry.objects.filter(space_id=space.pk, event__startswith="feed.").order_by("id")
    assert [entry.event for entry in events] == ["feed.created", "feed.revoked", "feed.created"]


def test_both_end_with_the_password_and_with_the_account(alice: User, admin: User, space: Space) -> None:
    urls = [calendar_url(feeds.create_calendar(alice)), podcast_url(feeds.create_podcast(alice, space))]
    assert [get(url)[0] for url in urls] == [200, 200]

    set_password(alice, "another-long-password-7", by=None)

    assert [get(url)[0] for url in urls] == [404, 404]
    alice.refresh_from_db()
    urls = [calendar_url(feeds.create_calendar(alice)), podcast_url(feeds.create_podcast(alice, space))]
    User.objects.filter(pk=alice.pk).update(is_active=False)  # directly, because set_active would end the sessions
    assert [get(url)[0] for url in urls] == [404, 404]
    User.objects.filter(pk=alice.pk).update(is_active=True)
    assert [get(url)[0] for url in urls] == [200, 200]

    end_sessions(alice.pk, by=None)

    assert [get(url)[0] for url in urls] == [404, 404]


def test_a_podcast_is_410_from_the_deadline_on_and_after_the_deletion(alice: User, space: Space) -> None:
    feed = feeds.create_podcast(alice, space)
    url = podcast_url(feed)
    make_due(space)

    assert get(url)[0] == 410
    assert list(sweep_all()) == [space.pk]
    assert Space.objects.get(pk=space.pk).state == "deleted"

    assert get(url)[0] == 410
    assert not Feed.objects.filter(pk=feed.pk).exists()


def test_only_the_host_creates_and_revokes_a_podcast(alice: User, bob: User, admin: User, space: Space) -> None:
    feeds.create_podcast(alice, space)
    for user in (bob, admin):
        for action in ("create", "revoke"):
            assert make_client(user).post(f"/spaces/{space.pk}/podcast/{action}").status_code == 404
    with pytest.raises(Refused) as refused:
        feeds.create_podcast(admin, space)
    assert refused.value.code == "feed.not_the_host"
    assert Feed.objects.count() == 1


def test_an_address_that_we_did_not_sign_is_404(alice: User, space: Space) -> None:
    calendar, podcast = feeds.create_calendar(alice), feeds.create_podcast(alice, space)
    token = urlsplit(calendar_url(calendar)).path.split("/")[2]
    assert [get(f"/feeds/{wrong}/deadlines.ics")[0] for wrong in (f"{token}A", f"{token[:-2]}xx", "x", "é")] == [
        404
    ] * 4
    assert get(f"/feeds/{token}/podcast.xml")[0] == 404  # the URL of a calendar gives no access to content
    token = urlsplit(podcast_url(podcast)).path.split("/")[2]
    assert get(f"/feeds/{token}/recording.exe")[0] == 404
    assert get(f"/feeds/{token}/transcript.exe")[0] == 404


def test_requests_of_a_feed_are_limited(alice: User, settings: Settings) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "feed": (2, 3600)}
    url = calendar_url(feeds.create_calendar(alice))

    assert [get(url)[0] for _ in range(3)] == [200, 200, 429]


def test_events_keep_utc(alice: User) -> None:
    space = make_row(alice)
    at = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
    Space.objects.filter(pk=space.pk).update(expires_at=at)

    assert "DTSTART:20270102T030405Z" in get(calendar_url(feeds.create_calendar(alice)))[1]
