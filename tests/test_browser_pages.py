"""Every page in a browser, at two widths, light and dark: no axe violations, no overflow, no layout shift, no blocked
requests.

`make pages` runs all of it. PAGES_FOLDER: where to save a picture of each page. PAGES_ONLY: a regular expression for
the names of the visits.
"""

import os
import re

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, BrowserContext, Route

from archive.models import User
from tests.support import speech_samples
from tests.support.http_clients import make_client, session_cookie
from tests.support.mail_server import FROM
from tests.support.page_checks import TIME_ZONE, PageCheck, Screen
from tests.support.page_visits import ERROR_PAGES, HOST, NOT_PAGES, VISITS, Visit
from tests.support.page_world import PageWorld
from tests.support.processes import Services
from tests.support.routes import each_route

PHONE, DESKTOP = Screen(360, 780), Screen(1440, 900)
FOLDER = os.environ.get("PAGES_FOLDER", "")


@pytest.fixture
def world(committed: None) -> PageWorld:
    return PageWorld()


def visit(chromium: Browser, services: Services, world: PageWorld, one: Visit, screen: Screen) -> list[str]:
    """Return the problems of one page."""
    context = screen.open_context(chromium)
    if one.who:
        name, _, value = session_cookie(User.objects.get(username=one.who)).partition("=")
        zone = ("zone", TIME_ZONE)  # sign-in sets it: core/local-times.js
        context.add_cookies([{"name": n, "value": v, "url": services.url} for n, v in ((name, value), zone)])
    serve_error_pages(context)
    check = PageCheck(context.new_page(), one.status)
    check.load(services.url + one.path(world), one.act)
    for scheme in ("dark", "light"):
        check.check(scheme)
        if FOLDER:
            check.save(FOLDER, f"{one.name}-{screen.width}-{scheme}")
    check.open_everything()
    check.check("light")
    context.close()
    return check.problems


def serve_error_pages(context: BrowserContext) -> None:
    def answer(route: Route) -> None:
        template, values = ERROR_PAGES[route.request.url.split("/")[-2]]
        route.fulfill(body=render_to_string(template, values), content_type="text/html")

    context.route("**/error/*/", answer)


SAMPLE = (
    Visit("", "account_login"),
    Visit(HOST, "spaces"),
    Visit(HOST, "space", "open"),
)


def test_a_sample_of_pages(services: Services, chromium: Browser, world: PageWorld) -> None:
    services.web()
    for name in ("open", "flagged"):
        getattr(world, name)  # creates it, so that the list has rows with and without a state

    assert {one.name: visit(chromium, services, world, one, PHONE) for one in SAMPLE} == {
        "account-login-visitor": [],
        "spaces-alice": [],
        "space-open-alice": [],
    }


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page(services: Services, chromium: Browser, world: PageWorld, screen: Screen) -> None:
    services.web(
        OPERATOR_NAME="Radio Example",
        OPERATOR_CONTACT="help@radio.example",
        TRANSCRIPTION_MODEL=speech_samples.MODEL,
        EMAIL_URL="smtp://127.0.0.1:1",
        MAIL_FROM=FROM,
        OIDC_CLIENT_ID="spacekeep",
        OIDC_CLIENT_SECRET="secret",
        OIDC_ISSUER="https://id.example.org",
        OIDC_NAME="Example ID",
    )
    world.fill()
    visits = [one for one in VISITS if re.search(os.environ.get("PAGES_ONLY", ""), one.name)]

    problems = [f"{one.name}: {line}" for one in visits for line in visit(chromium, services, world, one, screen)]

    assert visits
    if problems:  # an assertion would show only the first lines
        pytest.fail("\n".join(problems), pytrace=False)


def test_every_address_is_visited_or_is_no_page() -> None:
    visited = {one.route for one in VISITS}
    routes = {route.name for route in each_route({"uuid": ["0"]}, of_admin_site=True)}

    missing = {short_name(name) for name in routes - visited}
    assert missing == NOT_PAGES
    assert {name for name in visited - routes if not name.startswith("/")} == set()
    names = [one.name for one in VISITS]
    assert len(set(names)) == len(names)


def short_name(name: str) -> str:
    """Shorten the names in a namespace to `api:*`."""
    space, colon, _ = name.partition(":")
    return f"{space}:*" if colon and space in ("api", "admin") else name


@pytest.mark.long
@pytest.mark.usefixtures("db")
def test_an_address_that_is_no_page_shows_none() -> None:
    world = PageWorld()
    values: dict[str, list[object]] = {
        "uuid": [world.plain.pk],
        "ending": ["txt"],
        "account_id": [world.bob.pk],
        "code": ["spam"],
    }
    shown = []
    for route in each_route(values):
        if short_name(route.name) in NOT_PAGES and not route.name.startswith("mfa_"):
            for client in (make_client(world.alice), make_client(world.ada)):
                answer = client.get(route.path)
                is_file = "Content-Disposition" in answer
                if answer.status_code == 200 and answer["Content-Type"].startswith("text/html") and not is_file:
                    shown.append(route.path)

    assert shown == []
