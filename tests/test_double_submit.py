"""A form that is sent several times is processed once: a double click, a retry, six requests at the same moment."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from archive import dbtime, submissions
from archive.models import Appeal, FormSubmission, Hold, LogEntry, RecorderToken, Space, User, Violation
from archive.moderation import appeals, holds, violations
from tests.support.factory import make_row, make_user
from tests.support.http_clients import make_client
from tests.support.threads import at_once

pytestmark = pytest.mark.usefixtures("committed")
AT_ONCE = 6


@dataclass
class World:
    """`ada` and `bea` are admins; `bea` flagged `appealed` and put it on hold."""

    ada: User
    nora: User
    fresh: Space
    appealed: Space


@pytest.fixture
def world(committed: None) -> World:
    ada, bea, nora = make_user("ada", "admins"), make_user("bea", "admins"), make_user("nora")
    fresh, appealed = make_row(nora), make_row(nora)
    appeals.appeal(violations.flag(appealed.pk, "spam", "Watches.", bea).pk, "They were beans.", nora)
    holds.place(appealed.pk, "A court.", bea)
    return World(ada, nora, fresh, appealed)


Form = dict[str, str]
# {form: (who sends it, the page with the form, its URL, its fields, the event to be logged once)}
FORMS: dict[str, tuple[str, Callable[[World], tuple[str, str]], Form, str]] = {
    "flag": (
        "ada",
        lambda w: (reverse("moderate", args=[w.fresh.pk]), reverse("flag", args=[w.fresh.pk])),
        {"rule": "spam", "reason": "Watches."},
        "violation.flagged",
    ),
    "flag-several": (
        "ada",
        lambda w: (f"{reverse('flag-several')}?space={w.fresh.pk}", reverse("flag-several")),
        {"rule": "spam", "reason": "Watches."},
        "violation.flagged",
    ),
    "lift": (
        "ada",
        lambda w: (reverse("moderate", args=[w.appealed.pk]), reverse("lift", args=[w.appealed.pk])),
        {"reason": "In error."},
        "violation.lifted",
    ),
    "hold": (
        "ada",
        lambda w: (reverse("moderate", args=[w.fresh.pk]), reverse("hold", args=[w.fresh.pk])),
        {"reason": "A court."},
        "hold.placed",
    ),
    "release": (
        "ada",
        lambda w: (reverse("holds"), reverse("release", args=[Hold.objects.get().pk])),
        {"reason": "Closed."},
        "hold.released",
    ),
    "decide": (
        "ada",
        lambda w: (reverse("appeals"), reverse("decide", args=[Appeal.objects.get().pk])),
        {"reason": "I looked.", "decision": "deny"},
        "appeal.denied",
    ),
    "token": (
        "ada",
        lambda w: (reverse("recorders"), reverse("recorders")),
        {"name": "Studio", "days": "30", "hosts": "nora", "scopes": "intake"},
        "token.created",
    ),
    "webhook": (
        "ada",
        lambda w: (reverse("webhooks"), reverse("webhooks")),
        {"name": "Desk", "url": "https://example.org/", "events": "space.due"},
        "webhook.created",
    ),
}


def key_of(client: Client, page: str, url: str) -> Form:
    """Return the hidden key of the form with this action, as a browser would send it, and the Spaces that the form
    names."""
    text = client.get(page).content.decode()
    form = text[text.index(f'action="{url}') :]
    form = form[: form.index("</form>")]
    named = re.findall(r'type="hidden" name="(submission|space)" value="([^"]*)"', form)
    assert "submission" in dict(named)
    return dict(named)


def logged(event: str) -> int:
    return LogEntry.objects.filter(event=event).count()


@pytest.mark.parametrize("name", FORMS)
def test_six_equal_posts_at_once_count_once(world: World, name: str) -> None:
    who, address, fields, event = FORMS[name]
    client = make_client(getattr(world, who))
    page, url = address(world)
    form, before = fields | key_of(client, page, url), logged(event)

    def send() -> int:
        other = make_client()
        other.cookies = client.cookies
        return other.post(url, form).status_code

    statuses = at_once(*[send] * AT_ONCE)

    assert logged(event) == before + 1
    shows_secret = name in {"token", "webhook"}  # the page that shows it is the answer to one request
    assert sorted(statuses) == [200 if shows_secret else 302, *[302] * (AT_ONCE - 1)]
    assert client.post(url, form).status_code == 302
    assert logged(event) == before + 1


def test_six_equal_appeals_at_once_are_one_and_no_error(world: World) -> None:
    flagged = violations.flag(world.fresh.pk, "spam", "Watches.", world.ada)
    client, url = make_client(world.nora), reverse("appeal", args=[world.fresh.pk, flagged.pk])
    form = {"statement": "Beans."} | key_of(client, reverse("space", args=[world.fresh.pk]), url)

    def send() -> int:
        other = make_client()
        other.cookies = client.cookies
        return other.post(url, form).status_code

    assert at_once(*[send] * AT_ONCE) == [302] * AT_ONCE
    assert Appeal.objects.filter(violation=flagged).count() == 1


def test_a_refused_form_counts_when_it_is_sent_again(world: World) -> None:
    client, url = make_client(world.ada), reverse("lift", args=[world.fresh.pk])
    form = {"reason": "In error.", "submission": "a" * 32}
    assert client.post(url, form).status_code == 422  # no flag is active
    violations.flag(world.fresh.pk, "spam", "Watches.", world.ada)

    assert client.post(url, form).status_code == 302

    assert world.fresh.violations.get().state == Violation.State.LIFTED


def test_another_content_with_the_same_key_is_another_form(world: World) -> None:
    """After "Back", an edit and a second submit, the browser sends the old key."""
    client, url = make_client(world.ada), reverse("hold", args=[world.fresh.pk])

    for reason in ("A court.", "Another court.", "A court."):
        client.post(url, {"reason": reason, "submission": "a" * 32})

    assert [hold.reason for hold in world.fresh.holds.all()] == ["A court.", "Another court."]


def test_the_key_of_another_user_is_another_form(world: World) -> None:
    url = reverse("hold", args=[world.fresh.pk])

    for name in ("ada", "bea"):
        make_client(User.objects.get(username=name)).post(url, {"reason": "A court.", "submission": "a" * 32})

    assert world.fresh.holds.count() == 2


def test_a_second_token_form_says_that_the_token_was_created(world: World) -> None:
    client, url = make_client(world.ada), reverse("recorders")
    form = {"name": "Studio", "days": "30", "hosts": "nora", "scopes": "intake", "submission": "a" * 32}
    client.post(url, form)

    answer = client.post(url, form, follow=True)

    assert "The token was created once" in answer.content.decode()
    assert RecorderToken.objects.count() == 1


def test_old_submissions_are_removed(world: World) -> None:
    for age in (23, 25):
        row = FormSubmission.objects.create(user=world.ada, sha256=f"{age}" * 32)
        FormSubmission.objects.filter(pk=row.pk).update(created_at=dbtime.now() - timedelta(hours=age))

    assert submissions.delete_old() == 1
    assert FormSubmission.objects.get().sha256 == "23" * 32
