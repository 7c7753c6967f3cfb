"""No URL issues content without a log entry: the test requests every URL with every method as every kind of caller.

Each response is searched for what only content has: a spoken word, the waveform, or a signed URL of the store. So the
test needs no list of the URLs that issue content, and finds new ones.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from archive import cues, feeds
from archive.bundles import exports
from archive.bundles.contents import content_id
from archive.models import Bundle, ExportPart, LogEntry, Participant, Space, User
from archive.moderation.appeals import appeal
from archive.moderation.evidence import Lines
from archive.moderation.reason_templates import add_template
from archive.moderation.violations import flag
from archive.recorders import create_token
from portal.downloads import download_path
from portal.feed_links import calendar_url, podcast_url
from portal.search_words import encrypt
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client, plain_404_pages
from tests.support.playable_spaces import make_peaks
from tests.support.routes import Route, each_route
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")
WORD = "okapi"  # spoken by Ida, in no other line
SEARCHED = "quagga"  # spoken in the same lines
PEAK = 0.123456  # of the waveform


@dataclass(frozen=True)
class World:
    space: Space
    values: Mapping[str, Sequence[object]]
    tokens: Mapping[str, Sequence[str]]  # by the first part of the URL for which they were signed


@pytest.fixture
def world(alice: User, bob: User, admin: User) -> World:
    """A Space of Alice's with content of every kind, including a cited line, an appeal, a bundle and an export part."""
    space = make_row(alice, title="Seeds")
    make_contents(space)
    make_peaks(space, json.dumps({"duration": 9, "peaks": [[PEAK]]}).encode())
    space.recordings.update(chapters=[{"start_ms": 0, "title": f"The {WORD}"}, {"start_ms": 9, "title": "End"}])
    person = Participant.objects.create(space=space, name="Ida", role="speaker", seat=1, user=bob)
    transcript = make_transcript(space, [("Ida", f"An {WORD}, a {SEARCHED}.")] * 2, number=2)
    violation = flag(space.pk, "spam", "It sold watches.", admin, Lines(transcript.number, (1,)))
    made = appeal(violation.pk, "It did not.", alice)
    [part] = exports.visible_parts(exports.request(alice, 2 * 10**9))
    assert exports.build(part.pk)
    space.refresh_from_db()
    Bundle.objects.update(content_digest=content_id(space))  # for everything added since
    template = add_template("spam", "Watches", "It sold watches.", admin)
    feed_urls = podcast_url(feeds.create_podcast(alice, space)), calendar_url(feeds.create_calendar(alice))
    packages = (Bundle.objects.get(), ExportPart.objects.get())
    tokens = {
        "download": [download_path(package, alice).split("/")[2] for package in packages],
        "feeds": [url.split("/")[4] for url in feed_urls],
    }
    return World(
        space,
        {
            "uuid": [space.pk],
            "export_id": [part.export_id],
            "violation_id": [violation.pk],
            "appeal_id": [made.pk],
            "participant_id": [person.pk],
            "account_id": [bob.pk],
            "ending": [*cues.FORMS, "m4a", "csv"],
            "view_id": [1],
            "token": [token for signed in tokens.values() for token in signed],
            "code": ["spam"],
            "template_id": [template.pk],
        },
        tokens,
    )


def has_content(response: Any) -> bool:
    """Return whether a response contains words or the waveform of the Space, or a URL at which the store serves its
    objects."""
    body = b"".join(response) if response.streaming else response.content
    text = body.decode(errors="replace") + response.get("Location", "")
    return WORD in text.lower() or str(PEAK) in text or ("X-Amz-Signature" in text and "partNumber" not in text)


def count_entries(space: Space) -> int:
    return LogEntry.objects.filter(space_id=space.pk, event__startswith="content.").count()


def send(client: Client, method: str, route: Route, user: User) -> Any:
    """Send a request with the query of a search, which most URLs ignore. The body of a POST is refused by most forms,
    so that they are shown again."""
    query = f"?order=search&words={encrypt(SEARCHED, user)}"
    if method == "RANGE":
        return client.get(route.path + query, headers={"Range": "bytes=5-9"})
    if method == "POST" and not route.path.startswith("/api/"):
        return client.post(route.path, {"q": SEARCHED, "from_moderation": "1", "account": "nobody"})
    return client.generic(method, route.path + query, "{}" if method == "POST" else "", "application/json")


def has_foreign_token(route: Route, world: World) -> bool:
    """Return whether the URL contains a token that was signed for another kind of URL. All of these answer 404."""
    if "<str:token>" not in route.template:
        return False
    kind = route.template.partition("/")[0]
    return not any(token in route.path for token in world.tokens.get(kind, world.tokens["download"][:1]))


@dataclass
class Walk:
    """`issued`: names of URLs that issued content, with the methods. `silent`: those that did so without exactly one
    entry."""

    issued: dict[str, set[str]]
    silent: list[tuple[str, str, str, int]]
    reached: set[str]


def walk(world: World, user: User, methods: list[str], headers: Mapping[str, str] | None = None) -> Walk:
    """Send each method to each URL, each in a transaction that is rolled back."""
    walked = Walk({}, [], set())
    client = make_client(None if headers else user, raise_request_exception=False, headers=headers)
    with plain_404_pages():
        for route in each_route(world.values):
            if has_foreign_token(route, world):
                continue
            for method in methods:
                # The same view answers these methods: if a GET returned no content, they are skipped for speed.
                if method not in ("RANGE", "HEAD") or "GET" in walked.issued.get(route.name, ()):
                    visit(walked, world.space, partial(send, client, method, route, user), route, method)
    return walked


def visit(walked: Walk, space: Space, ask: Callable[[], Any], route: Route, method: str) -> None:
    with transaction.atomic():
        before = count_entries(space)
        response = ask()
        if response.status_code not in (401, 403, 404, 405):
            walked.reached.add(route.template)
        if has_content(response):
            walked.issued.setdefault(route.name, set()).add(method)
            entries = count_entries(space) - before
            ask()  # a second request adds none
            if entries != 1 or count_entries(space) - before != 1:
                walked.silent.append((method, route.path, response.get("Location", ""), entries))
        transaction.set_rollback(True)


BY_ANY, BY_GET = {"GET", "HEAD", "RANGE"}, {"GET", "RANGE"}  # a response to HEAD has no body
# Which URLs issue content to whom. The check above covers every URL; this shows that the walk detects content.
HOST = {
    "space": BY_GET,
    "audio": BY_ANY,
    "peaks": BY_GET,
    "recording": BY_ANY,
    "transcript": BY_GET,
    "download": BY_ANY,
    "feed-recording": BY_ANY,
    "feed-transcript": BY_GET,
    "feed-chapters": BY_GET,
    "search": BY_GET,
    "appeal": {"POST"},
    "edit-transcript": BY_GET,
    "api:read_transcript": BY_GET,
    "notices": BY_GET,
}
HOST_ONLY = {"appeal", "edit-transcript", "api:read_transcript", "notices"}
ADMIN = {
    **{name: methods for name, methods in HOST.items() if name not in HOST_ONLY},
    "moderation": BY_GET,
    "moderate": BY_GET,
    "appeals": BY_GET,
    "review": {"POST"},
    "review-undo": {"POST"},
    "flag": {"POST"},
    "lift": {"POST"},
    "hold": {"POST"},
    "decide": {"POST"},
}
# URLs that answer neither caller, because `world` has no such object. None has content except `own-lines`, which is for
# the speaker. URLs of accounts are left out.
NOT_REACHED = {
    "spaces/<uuid:space_id>/my-lines.<str:ending>",
    "spaces/<uuid:space_id>/accept-partial/<uuid:upload_id>",
    "spaces/<uuid:space_id>/certificate.json",
    "spaces/<uuid:space_id>/certificate.zip",
    "certificates/<uuid:space_id>/",
    "log/simulation.<str:ending>",
    *("log/checkpoint", "log/export.zip", "log/entries/<int:entry_id>/receipt.tlog-proof"),  # no checkpoint is signed
    "moderation/holds/<int:hold_id>/release",
    "moderation/holds/<int:hold_id>/review",
    "export/<uuid:export_id>/",
    "unsubscribe/<str:token>/",
    "notices/<uuid:notice_id>/dismiss",
    "recorders/<uuid:token_id>/revoke",
    "webhooks/<uuid:endpoint_id>/",
    *(f"webhooks/<uuid:endpoint_id>/{act}" for act in ("change", "replace-secret", "start", "stop", "test", "remove")),
    "webhooks/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>/again",
    "api/v1/livekit",
    "api/v1",
    "api/v1/<path:rest>",
    "api/v1/",
    *("api/v1/uploads/<uuidstr:upload_id>" + rest for rest in ("", "/complete", "/accept-partial")),
}


def test_hosts_and_admins_get_no_content_without_an_entry(world: World, alice: User, admin: User) -> None:
    walks = [walk(world, user, ["GET", "RANGE", "HEAD", "POST"]) for user in (alice, admin)]

    assert [one.silent for one in walks] == [[], []]
    assert [one.issued for one in walks] == [HOST, ADMIN]
    # A URL whose parameters the walk cannot guess needs values in `world`.
    every = {route.template for route in each_route(world.values) if not route.template.startswith("accounts/")}
    assert every - walks[0].reached - walks[1].reached == NOT_REACHED


@pytest.mark.long  # test_access_matrix.py requests the routes of all callers in `make test`
def test_others_get_no_content_without_an_entry(world: World, bob: User, auditor: User) -> None:
    walks = [walk(world, user, ["GET", "HEAD"]) for user in (bob, auditor)]

    assert [one.silent for one in walks] == [[], []]
    link = {
        "download": {"GET", "HEAD"},
        "feed-recording": {"GET", "HEAD"},
        "feed-transcript": {"GET"},
        "feed-chapters": {"GET"},
    }  # works for everybody who has the link
    assert [one.issued for one in walks] == [{"own-lines": {"GET"}, **link}, link]


@pytest.mark.parametrize(
    "method",
    [
        "DELETE",
        pytest.param("OPTIONS", marks=pytest.mark.long),
        pytest.param("PUT", marks=pytest.mark.long),
        pytest.param("PATCH", marks=pytest.mark.long),
        pytest.param("TRACE", marks=pytest.mark.long),
    ],
)
def test_other_methods_issue_no_content(world: World, admin: User, method: str) -> None:
    assert walk(world, admin, [method]).issued == {}


def test_a_recorder_gets_no_content_from_the_api(world: World, alice: User, admin: User) -> None:
    """The API returns only download links and feeds of the host, whose use is logged."""
    _, text = create_token("studio", 30, admin, [alice], ["bundles", "intake"])

    walked = walk(world, alice, ["GET", "POST"], {"Authorization": f"Bearer {text}"})

    assert (walked.silent, walked.issued) == (
        [],
        {"download": {"GET"}, "feed-recording": {"GET"}, "feed-transcript": {"GET"}, "feed-chapters": {"GET"}},
    )
