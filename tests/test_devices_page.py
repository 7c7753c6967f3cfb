"""The page of devices names browsers, and lists the one used last first."""

from datetime import UTC, datetime

import pytest
from allauth.usersessions.models import UserSession

from archive.models import User
from portal.templatetags.spacekeep import browser_name
from tests.support.http_clients import make_client

GECKO = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
BLINK = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
WEBKIT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile Safari/604.1"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (GECKO, "Firefox on Linux"),
        (BLINK, "Chrome on Windows"),
        (f"{BLINK} Edg/142.0", "Edge on Windows"),
        (WEBKIT, "Safari on iPhone"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "unknown device"),
    ],
)
def test_a_browser_is_named(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name


@pytest.mark.usefixtures("db")
def test_the_device_used_last_is_listed_first(alice: User) -> None:
    for day, user_agent in ((1, GECKO), (3, WEBKIT), (2, BLINK)):
        client = make_client(alice)
        session = UserSession.objects.create(
            user=alice, ip="192.0.2.1", session_key=client.session.session_key, user_agent=user_agent, data={}
        )
        UserSession.objects.filter(pk=session.pk).update(last_seen_at=datetime(2026, 11, day, tzinfo=UTC))

    page = make_client(alice).get("/accounts/sessions/").content.decode()

    names = ["Safari on iPhone", "Chrome on Windows", "Firefox on Linux"]
    places = [page.index(name) for name in names]
    assert places == sorted(places)
