"""Every word on a page or in a mail is translated: in a pseudo-language that puts ⟦ ⟧ around each marked text, none is
outside of them. Test data has them, too."""

import re
from collections.abc import Iterator

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from pytest_django import Settings

from archive.models import Notice, User
from archive.notices.deliver import render_notices
from archive.notices.validity import with_validity
from portal.forms.lists import SPACE_FILTERS
from tests.support import speech_samples
from tests.support.every_state import EveryState, mark_rules
from tests.support.http_clients import make_client
from tests.support.pseudo_locale import everything_translated
from tests.support.search_urls import encrypt_words
from tests.support.unmarked_words import unmarked_in_page, unmarked_words
from tests.test_access import LADDER, NOT_OF_A_SPACE

pytestmark = pytest.mark.usefixtures("db")

# Pages that show codes as stored in the log.
EVENT_WORDS = {"space", "flagged", "flag_lifted", "appeal", "decided", "due", "deleted", "overdue", "webhook", "test"}
QUEUES = {"celery", "deletion", "transcription"}
CODES = {
    "status": {*QUEUES, "spacekeep", "Python", "PostgreSQL"},
    "rules": {"harassment", "hate", "violence", "private", "information", "impersonation", "illegal", "other"},
    "webhook": EVENT_WORDS,
    "webhooks": EVENT_WORDS,
    "log-space": {"base", "violation", "lifted", "lift_grace", "hold", "flagged", "recording", "deadline", "und"},
}
# Texts that name UTC, and where one may appear: the explanation of a clock, the day of a review, a list of zones.
UTC_TEXT = re.compile(r">[^<]*\bUTC\b[^<]*<")
UTC_ALLOWED = re.compile(
    r'<p class="soft">[^<]* UTC⟧</p>|<p class="help" id="[a-z-]*hold-review-help">.*?</p>|>UTC</option>'
    r"|>[^<]*Days begin at midnight UTC[^<]*|<button[^>]* data-utc-switch [^>]*>[^<]*</button>"
)


@pytest.fixture
def world(alice: User, admin: User, settings: Settings) -> EveryState:
    settings.TRANSCRIPTION_MODEL = speech_samples.MODEL
    return EveryState(alice, admin)


def addresses(world: EveryState, role: str) -> Iterator[tuple[str, str]]:
    """Return (name, URL) of every page for this role, for every Space."""
    for name, (method, *statuses) in LADDER.items():
        if method == "GET" and statuses[("host", "admin", "auditor").index(role)] == 200:
            if name in NOT_OF_A_SPACE:
                yield name, reverse(name)
            elif name in ("space", "moderate", "log-space"):
                every = world.spaces() if role == "host" else world.moderated()
                yield from ((name, reverse(name, args=[space.pk])) for space in every)
    for url in QUERIES[role]:
        yield ("deadlines" if url.startswith("/log/deadlines/") else ""), url
    for code in SPACE_FILTERS:
        yield "spaces", f"/?filter={code}"
    yield "404", "/nowhere/"
    if role == "admin":
        yield from (("webhook", reverse("webhook", args=[pk])) for pk in world.webhooks)
    if role == "host":
        yield from (("upload", f"/upload/?space={space.pk}") for space in (world.flagged, world.receiving))
    for gone in (world.expiring, world.deleted):
        yield "410", reverse("space", args=[gone.pk])
        if role != "host":
            yield "log-space", reverse("log-space", args=[gone.pk])


QUERIES = {
    "host": [
        *("/search/?q=okapi", "/search/?q=⟦zebra⟧", "/search/?q=⟦the⟧", "/search/?q=-", "/search/?q=okapi&page=9"),
        *("/accounts/logout/", "/accounts/inactive/", "/accounts/password/change/", "/accounts/email/"),
    ],
    "admin": [
        *("/search/?q=⟦zebra⟧", "/moderation/?order=listened", "/moderation/?order=search"),
        *("/moderation/?order=search&q=okapi", "/moderation/?order=search&q=⟦zebra⟧", "/moderation/?order=search&q=-"),
        *("/log/?event=⟦x⟧&space=⟦x⟧&since=⟦x⟧", "/log/?event=token.created&since=2099-01-01"),
        *("/log/deadlines/?retention_days=1", "/log/deadlines/?retention_days=90", "/log/deadlines/?retention_days=0"),
    ],
    "auditor": ["/log/deadlines/?retention_days=20&lift_grace_days=2"],
}


def test_every_word_of_a_page_is_translated(world: EveryState, alice: User, admin: User, auditor: User) -> None:
    for role, user in (("host", alice), ("admin", admin), ("auditor", auditor)):
        check_pages(world, role, user)


def check_pages(world: EveryState, role: str, user: User) -> None:
    client = make_client(user)
    User.objects.filter(pk=user.pk).update(time_zone="Asia/Kolkata", time_zone_chosen=True)
    unmarked: dict[str, list[str]] = {}
    in_utc: dict[str, list[str]] = {}
    with everything_translated():
        for name, url in addresses(world, role):
            answer = client.get(encrypt_words(url, user))
            assert answer.status_code in (200, 404, 410), url
            if "text/html" in answer["Content-Type"]:
                page = answer.content.decode()
                unmarked[url] = unmarked_in_page(page, CODES.get(name, ()))
                in_utc[url] = UTC_TEXT.findall(UTC_ALLOWED.sub("", page))

    assert {url: words for url, words in unmarked.items() if words} == {}
    assert {url: texts for url, texts in in_utc.items() if texts} == {}  # the reader has another zone
    assert len(unmarked) > 25


PARTS = ["bundle", "transcription", "progress"]  # a part of the Space's page that htmx requests


def test_every_word_of_a_part_is_translated(world: EveryState, alice: User, settings: Settings) -> None:
    client = make_client(alice)
    unmarked = {}
    with everything_translated():
        for space in world.arriving():
            for name in PARTS:
                answer = client.get(reverse(name, args=[space.pk]), headers={"HX-Request": "true"})
                unmarked[name, space.pk] = unmarked_in_page(answer.content.decode())
        settings.TRANSCRIPTION_MODEL = ""
        off = client.get(reverse("space", args=[world.wordless.pk])).content.decode()

    assert unmarked_in_page(off) == []
    assert {place: words for place, words in unmarked.items() if words} == {}


def forms(world: EveryState) -> Iterator[tuple[User, str, dict[str, str]]]:
    """Yield (who, URL, form): forms that are refused, and some that are accepted."""
    host, admin, flagged = world.host, world.admin, [world.flagged.pk]
    for name in ("flag", "lift", "hold"):
        yield admin, reverse(name, args=flagged), {"reason": "", "lines": "⟦x⟧"}
        yield admin, reverse(name, args=flagged), {"rule": "spam", "reason": "⟦x⟧"}
    yield host, reverse("appeal", args=[world.flagged.pk, world.flag.pk]), {"statement": ""}
    yield host, reverse("participant-account", args=[world.flagged.pk, world.participant.pk]), {"account": "⟦x⟧"}
    yield host, reverse("export"), {"max_part_size": "1"}
    yield admin, reverse("recorders"), {"days": "1"}
    yield admin, reverse("webhooks"), {"url": "⟦x⟧"}
    yield admin, reverse("webhooks"), {"name": "⟦x⟧", "url": "https://example.org/", "events": "space.due"}
    for act in ("change", "test", "stop", "test", "start", "replace-secret", "remove"):
        yield admin, reverse(f"webhook-{act}", args=[world.webhooks[0]]), {}
    yield admin, reverse("recorders"), {"name": "⟦x⟧", "days": "30", "scopes": "intake"}
    yield admin, reverse("recorder-revoke", args=[world.token.pk]), {}
    yield admin, reverse("flag-several"), {"space": str(world.flagged.pk)}
    yield admin, reverse("release", args=[world.hold.pk]), {"reason": "⟦x⟧"}
    yield admin, reverse("decide", args=[world.appeal.pk]), {"reason": "⟦x⟧"}
    yield admin, reverse("decide", args=[world.appeal.pk]), {"reason": "⟦x⟧", "decision": "deny"}
    yield host, reverse("account_login"), {}


def test_every_word_of_an_answer_to_a_form_is_translated(world: EveryState) -> None:
    clients = {user: make_client(user) for user in (world.host, world.admin)}
    unmarked = {}
    with everything_translated():
        for who, url, form in forms(world):
            answer = clients[who].post(url, form, follow=True)
            assert answer.status_code in (200, 422), url
            codes = EVENT_WORDS if "/webhooks/" in url else ()
            unmarked[url, *form] = unmarked_in_page(answer.content.decode(), codes)

    assert {place: words for place, words in unmarked.items() if words} == {}


def test_every_word_of_a_page_without_spaces_is_translated(alice: User, admin: User, auditor: User) -> None:
    unmarked: dict[tuple[str, str], list[str]] = {}
    filters = [f"/?filter={code}" for code in SPACE_FILTERS]
    mark_rules()
    with everything_translated():
        for role, user in (("host", alice), ("admin", admin), ("auditor", auditor)):
            client = make_client(user)
            unmarked |= {(role, url): unmarked_in_page(client.get(url).content.decode()) for url in filters}
            for name in sorted(
                NOT_OF_A_SPACE
                - {"account-download", "healthz", "javascript-catalog", "notices-dismiss", "state", "upload-inspect"}
                - {"certificates-zip", "livez", "readyz"}  # files
                - {"rules"}  # its texts are data; marked texts are above
            ):
                unmarked[role, name] = unmarked_in_page(client.get(reverse(name)).content.decode(), CODES.get(name, ()))

    assert {place: words for place, words in unmarked.items() if words} == {}


def test_every_word_of_an_error_page_is_translated(alice: User) -> None:
    pages: dict[str, str] = {}
    with everything_translated():
        pages |= {name: render_to_string(f"{name}.html") for name in ("400", "403", "500")}
        for what in ("database", "store", "missing", "second_factor"):
            pages[what] = render_to_string("unavailable.html", {"what": what})
        pages["csrf"] = make_client(alice, enforce_csrf_checks=True).post("/export/").content.decode()
        pages |= {url: make_client().get(url).content.decode() for url in ("/accounts/login/", "/accounts/signup/")}
        pages["password"] = make_client().post("/accounts/login/", {"login": "⟦x⟧", "password": "x"}).content.decode()

    assert {name: unmarked_in_page(page) for name, page in pages.items()} == {name: [] for name in pages}


def test_every_word_of_a_mail_is_translated(world: EveryState) -> None:
    world.host.time_zone = "Europe/Berlin"
    world.host.save()
    unmarked = {}
    with everything_translated():
        for notice in with_validity(Notice.objects.select_related("user")):
            mail = render_notices([notice])
            text = f"{mail.subject} {mail.text}".replace("(Europe/Berlin)", "")
            html = mail.html.replace("(Europe/Berlin)", "")
            unmarked[notice.kind] = [*unmarked_words(text), *unmarked_in_page(html)]

    assert unmarked == {str(kind): [] for kind in Notice.Kind}


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>⟦Upload⟧ 3<b>⟦ files⟧</b></p>", []),
        ("<p>⟦Upload⟧ 3 files</p>", ["files"]),
        ("<img alt='Close'><code>cd /</code>", ["Close"]),
        ("<p>Spacekeep, 84.2 MB, 0b0f4e7c, https://example.org/a</p>", []),
    ],
)
def test_unmarked_words_are_found(html: str, words: list[str]) -> None:
    assert unmarked_in_page(html) == words
