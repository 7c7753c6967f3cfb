"""Who may open each page: access by role, 404 for other users, 410 after the deadline, 405 for a wrong method."""

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from archive import dbtime
from archive.errors import make_problem
from archive.models import Bundle, Space, User
from archive.moderation.violations import flag
from portal.downloads import download_path
from tests.support import factory
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")
NOBODY = UUID("00000000-0000-4000-8000-000000000000")
FORM = {"rule": "spam", "reason": "It sold watches.", "statement": "They were beans."}

# name: (method, host, admin, auditor). Strangers get 404, too.
LADDER = {
    "spaces": ("GET", 200, 200, 200),
    "space": ("GET", 200, 200, 200),
    "edit": ("GET", 200, 404, 404),
    "edit-speakers": ("POST", 422, 404, 404),
    "edit-transcript": ("GET", 200, 404, 404),
    "audio": ("GET", 302, 302, 404),
    "recording": ("GET", 302, 302, 404),
    "transcript": ("GET", 200, 200, 404),
    "bundle": ("POST", 302, 302, 404),
    "bundle-revoke-links": ("POST", 302, 302, 404),
    "download": ("GET", 302, 302, 404),
    "flag": ("POST", 404, 302, 404),
    "lift": ("POST", 404, 302, 404),
    "hold": ("POST", 404, 302, 404),
    "appeal": ("POST", 302, 404, 404),
    "moderation": ("GET", 404, 200, 404),
    "moderate": ("GET", 404, 200, 404),
    "flag-several": ("GET", 404, 200, 404),
    "lift-several": ("GET", 404, 200, 404),
    "hold-several": ("GET", 404, 200, 404),
    "review-next": ("POST", 404, 302, 404),
    "review": ("POST", 404, 422, 404),  # a flag counts as a review
    "review-undo": ("POST", 404, 422, 404),  # it was flagged
    "review-claim": ("POST", 404, 409, 404),
    "rules": ("GET", 404, 200, 404),
    "appeals": ("GET", 404, 200, 404),
    "decided-appeals": ("GET", 404, 200, 404),
    "holds": ("GET", 404, 200, 404),
    "deadlines": ("GET", 404, 200, 200),
    "log": ("GET", 404, 200, 200),
    "log-proof": ("GET", 404, 200, 200),
    "log-verify": ("POST", 404, 302, 302),
    "log-space": ("GET", 404, 200, 200),
    "search": ("GET", 200, 200, 200),  # auditors see only names
    "my-lines": ("GET", 200, 200, 200),
    "upload": ("GET", 200, 200, 404),
    "upload-inspect": ("POST", 200, 200, 404),
    "upload-sort": ("POST", 200, 200, 404),
    "progress": ("GET", 302, 302, 302),
    "transcription": ("POST", 302, 302, 404),
    "export": ("GET", 200, 200, 200),
    "export-chosen": ("POST", 302, 302, 302),
    "export-revoke-links": ("POST", 302, 302, 302),
    "recorders": ("GET", 404, 200, 404),
    "webhooks": ("GET", 404, 200, 404),
    "account": ("GET", 200, 200, 200),
    "account-download": ("GET", 200, 200, 200),
    "account-close": ("GET", 200, 200, 200),
    "people": ("GET", 404, 200, 404),
    "invitations": ("GET", 404, 200, 404),
    "notices": ("GET", 200, 200, 200),
    "notices-dismiss": ("POST", 302, 302, 302),
    "certificates": ("GET", 404, 200, 200),
    "log-overview": ("GET", 404, 200, 200),
    "certificates-zip": ("GET", 404, 200, 200),
    "javascript-catalog": ("GET", 200, 200, 200),
    "healthz": ("GET", 200, 200, 200),
    "livez": ("GET", 200, 200, 200),
    "readyz": ("GET", 200, 200, 200),
    "house-rules": ("GET", 200, 200, 200),
    "state": ("GET", 200, 200, 200),
    "help": ("GET", 200, 200, 200),
    "status": ("GET", 404, 200, 404),
    "what-we-keep": ("GET", 200, 200, 200),
}
NOT_OF_A_SPACE = {
    *("spaces", "log", "deadlines", "search", "my-lines", "healthz", "upload", "upload-inspect", "export"),
    *("help", "what-we-keep", "house-rules", "state", "status", "livez", "readyz"),
    *("upload-sort", "export-chosen", "export-revoke-links"),
    *("moderation", "flag-several", "appeals", "holds", "recorders", "notices", "notices-dismiss", "certificates"),
    *("lift-several", "hold-several", "review-next", "rules", "decided-appeals"),
    *("javascript-catalog", "log-proof", "log-verify", "log-overview", "certificates-zip"),
    *("account", "account-download", "account-close", "people", "invitations", "webhooks"),
}
# No sign-in is needed: the URL of a download is signed, and the other pages contain no user data.
OPEN = {"download", "healthz", "livez", "readyz", "help", "house-rules", "javascript-catalog", "what-we-keep"}
OF_A_SPACE = [name for name in LADDER if name not in NOT_OF_A_SPACE]
CONTENT = [
    "edit",
    "edit-speakers",
    "edit-transcript",
    "audio",
    "recording",
    "transcript",
    "transcription",
    "bundle",
    "bundle-revoke-links",
    "download",
]
POST_ONLY = ["flag", "lift", "hold", "appeal", "upload-inspect", "upload-sort", "notices-dismiss"]
POST_ONLY += ["bundle-revoke-links", "export-chosen", "export-revoke-links", "review", "review-claim", "review-next"]
POST_ONLY += ["edit-speakers", "log-verify", "review-undo"]
GET_OR_POST = ["spaces", "search", "moderation", "bundle", "transcription", "flag-several", "export", "recorders"]
GET_OR_POST += ["account", "account-close", "people", "invitations", "lift-several", "hold-several", "rules"]
GET_OR_POST += ["edit", "edit-transcript", "webhooks"]
KEPT_AFTERWARDS = {"log-space"}  # the history of a Space outlives it


@pytest.fixture
def space(alice: User, admin: User) -> Space:
    """Alice's flagged Space with a ready bundle."""
    space = factory.make_row(alice)
    flag(space.id, "spam", "It sold watches.", admin)
    factory.make_contents(space)
    space.refresh_from_db()
    return space


def address(name: str, space: Space, user: User | None = None, *, id: UUID | None = None) -> str:
    """Return the URL of the endpoint `name` for this Space. A download URL is signed for `user`."""
    if name in NOT_OF_A_SPACE:
        return reverse(name)
    if name == "download":
        bundle = Bundle(pk=id, space_id=id, name="a.zip") if id else space.bundles.get()
        return download_path(bundle, user or space.host)
    further: dict[str, list[object]] = {"transcript": ["vtt"], "appeal": [space.violations.get().pk]}
    return reverse(name, args=[id or space.pk, *further.get(name, [])])


def ask(client: Client, name: str, url: str, **headers: str) -> HttpResponse:
    method = LADDER[name][0]
    answer: Any = client.post(url, FORM, headers=headers) if method == "POST" else client.get(url, headers=headers)
    return answer  # type: ignore[no-any-return]


def without_tokens(answer: HttpResponse) -> str:
    """Return the page without random tokens and the time."""
    return re.sub(r'value="\w{64}"|data-now="\d+"', "", answer.content.decode())


def each(names: Iterable[str], look: Callable[[str], object]) -> dict[str, object]:
    """Return `look(name)` for each page. Each call is rolled back, so that none sees the changes of another."""
    seen = {}
    for name in names:
        with transaction.atomic():
            seen[name] = look(name)
            transaction.set_rollback(True)
    return seen


def statuses(space: Space, user: User, names: Iterable[str] = LADDER) -> dict[str, object]:
    return each(names, lambda name: ask(make_client(user), name, address(name, space, user)).status_code)


def test_anonymous_users_are_asked_to_sign_in(space: Space) -> None:
    names = sorted(set(LADDER) - OPEN)
    urls = {name: address(name, space) for name in names}

    answers = each(names, lambda name: ask(make_client(), name, urls[name]))

    for name, answer in answers.items():
        assert isinstance(answer, HttpResponse)
        back = "/" if LADDER[name][0] == "POST" else urls[name]  # a GET of a form's POST address shows nothing
        assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={back}"), name


def test_a_script_gets_no_sign_in_page_to_put_into_its_own() -> None:
    for name, method in (("status", "get"), ("notices-dismiss", "post")):
        answer = getattr(make_client(), method)(reverse(name), headers={"HX-Request": "true"})

        assert (answer.status_code, answer.content) == (401, b""), name
        assert "WWW-Authenticate" in answer.headers


def test_the_host_sees_what_is_theirs(space: Space) -> None:
    assert statuses(space, space.host) == {name: row[1] for name, row in LADDER.items()}


def test_what_an_admin_gets(space: Space, admin: User) -> None:
    assert statuses(space, admin) == {name: row[2] for name, row in LADDER.items()}


def test_an_auditor_gets_facts_and_no_content(space: Space, auditor: User) -> None:
    assert statuses(space, auditor) == {name: row[3] for name, row in LADDER.items()}


def test_other_users_get_404_as_for_an_unknown_id(space: Space, bob: User) -> None:
    client = make_client(bob)

    def look(name: str) -> tuple[int, int, bool]:
        answer = ask(client, name, address(name, space, bob))
        unknown = ask(client, name, address(name, space, bob, id=NOBODY))
        return answer.status_code, unknown.status_code, without_tokens(answer) == without_tokens(unknown)

    assert each(OF_A_SPACE, look) == dict.fromkeys(OF_A_SPACE, (404, 404, True))


def test_an_unknown_id_is_404(space: Space, admin: User) -> None:
    client = make_client(admin)

    def look(name: str) -> tuple[int, int]:
        bad = address(name, space).replace(str(space.id), "nonsense")
        bad = "/download/nonsense/a.zip" if name == "download" else bad
        unknown = ask(client, name, address(name, space, admin, id=NOBODY))
        return unknown.status_code, ask(client, name, bad).status_code

    assert each(OF_A_SPACE, look) == dict.fromkeys(OF_A_SPACE, (404, 404))


@pytest.mark.parametrize("state", ["receiving", "processing", "rejected"])
def test_content_that_is_not_available_is_404(space: Space, state: str) -> None:
    urls = {name: address(name, space) for name in CONTENT}
    Space.objects.filter(pk=space.pk).update(state=state, problem=make_problem("audio.empty"))
    client = make_client(space.host)

    assert each(CONTENT, lambda name: ask(client, name, urls[name]).status_code) == dict.fromkeys(CONTENT, 404)
    assert client.get(f"/spaces/{space.id}/").status_code == 200


@pytest.mark.parametrize("state", ["available", "expiring"])
def test_pages_are_410_from_the_deadline_on(space: Space, admin: User, state: str) -> None:
    """The deadline decides, however late the sweep is."""
    urls = {name: address(name, space, admin) for name in OF_A_SPACE}
    end = dbtime.now() - timedelta(days=120)
    Space.objects.filter(pk=space.pk).update(ended_at=end, expires_at=dbtime.now(), state=state)

    seen = each(OF_A_SPACE, lambda name: ask(make_client(admin), name, urls[name]).status_code)

    assert seen == {name: 200 if name in KEPT_AFTERWARDS else 410 for name in OF_A_SPACE}


def test_a_get_changes_nothing(space: Space, admin: User) -> None:
    for name in POST_ONLY:
        answer = make_client(admin).get(address(name, space))
        assert (answer.status_code, answer["Allow"]) == (405, "POST"), name


def test_a_post_to_a_read_only_page_is_405(space: Space, admin: User) -> None:
    names = sorted(set(LADDER) - {*GET_OR_POST, *POST_ONLY})
    client = make_client(admin)

    seen = each(names, lambda name: client.post(address(name, space, admin)).status_code)

    assert seen == dict.fromkeys(names, 405)


def test_a_cross_site_form_is_refused(space: Space, admin: User) -> None:
    client = make_client(admin, enforce_csrf_checks=True)
    for name in ["bundle", "transcription", *POST_ONLY]:
        answer = ask(client, name, address(name, space))
        assert answer.status_code == 403, name
        assert "This form has expired" in answer.content.decode(), name
