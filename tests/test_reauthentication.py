"""Users confirm their identity before acts that grant power or cannot be undone."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from archive import recorders
from archive.models import Appeal, Hold, ReasonTemplate, RecorderToken, Rule, Space, User, Violation
from archive.moderation import appeals, holds, violations
from archive.moderation.reason_templates import add_template
from tests.support.factory import PASSWORD, make_row, make_user
from tests.support.http_clients import age_sign_in, make_client

pytestmark = pytest.mark.django_db

TOKEN_FORM = {"name": "Studio", "days": "90", "hosts": "alice", "scopes": "intake"}
REASON = {"reason": "Checked again; a letter asked for it."}


@pytest.fixture
def stale(admin: User) -> Client:
    """An admin who gave their password 16 minutes ago."""
    client = make_client(admin)
    age_sign_in(client, 16 * 60)
    return client


def confirm(client: Client, question: str, password: str = PASSWORD) -> object:
    back = parse_qs(urlsplit(question).query)["next"][0]
    return client.post("/accounts/reauthenticate/", {"password": password, "next": back})


def test_a_token_is_created_once_the_password_was_given_again(stale: Client, alice: User) -> None:
    question = stale.post("/recorders/", TOKEN_FORM, headers={"Referer": "http://testserver/recorders/"})

    assert question["Location"] == "/accounts/reauthenticate/?next=%2Frecorders%2F"
    assert not RecorderToken.objects.exists()
    answer = confirm(stale, question["Location"])
    assert answer.status_code == 200  # type: ignore[attr-defined]
    token = RecorderToken.objects.get()
    assert (token.name, [host.username for host in token.hosts.all()]) == ("Studio", ["alice"])


def test_a_wrong_password_does_nothing_and_loses_nothing(stale: Client, alice: User) -> None:
    question = stale.post("/recorders/", TOKEN_FORM)

    confirm(stale, question["Location"], "not the password")
    assert not RecorderToken.objects.exists()
    confirm(stale, question["Location"])
    assert RecorderToken.objects.get().name == "Studio"


def test_the_page_says_what_waits(stale: Client, alice: User) -> None:
    question = stale.post(f"/spaces/{make_row(alice).pk}/hold", {"reason": "A <court>.", "case_number": ""})
    page = stale.get(question["Location"]).content.decode()
    assert "Your legal hold is not placed yet." in page
    assert '<dd class="as-written" dir="auto">A &lt;court&gt;.</dd>' in page
    assert "Case number" not in page

    question = stale.post("/recorders/", TOKEN_FORM)
    page = stale.get(question["Location"]).content.decode()
    assert "Your legal hold is not placed yet." not in page
    assert "Nothing that you entered is lost." in page
    assert '<dd class="as-written" dir="auto">Studio</dd>' in page


def test_a_form_runs_once(stale: Client, alice: User) -> None:
    question = stale.post("/recorders/", TOKEN_FORM)

    for _ in range(2):
        answer = confirm(stale, question["Location"])

    assert answer["Location"] == "/"  # type: ignore[index]
    assert RecorderToken.objects.count() == 1


@pytest.mark.parametrize("page", ["/account/close/", "/accounts/2fa/totp/activate/"])
def test_an_abandoned_form_is_not_sent_by_the_next_confirmation(page: str, stale: Client, alice: User) -> None:
    stale.post("/recorders/", TOKEN_FORM, headers={"Referer": "http://testserver/recorders/"})
    question = stale.get(page)

    answer = confirm(stale, question["Location"])

    assert answer["Location"] == page  # type: ignore[index]
    assert not RecorderToken.objects.exists()


def test_a_form_is_not_sent_much_later(stale: Client, alice: User) -> None:
    question = stale.post("/recorders/", TOKEN_FORM)
    session = stale.session
    session["account_reauthentication_state"]["state"]["at"] -= 16 * 60
    session.save()

    confirm(stale, question["Location"])

    assert not RecorderToken.objects.exists()
    page = stale.get("/recorders/").content.decode()
    assert "You took longer than 15 minutes to confirm, so the form was not sent." in page
    assert "Name: <bdi>Studio</bdi>" in page


def test_a_form_that_was_sent_too_late_leads_back_to_its_page(alice: User) -> None:
    """The form's own URL shows nothing after a new sign-in."""
    path = f"/spaces/{make_row(alice).pk}/flag"
    page = "/moderation/spaces/1/?order=newest"

    for referer, back in ((f"http://testserver{page}", page), ("https://elsewhere.example/x", "/"), ("", "/")):
        answer = Client(headers={"Referer": referer}).post(path, {"reason": "Watches."})
        assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [back]
    assert parse_qs(urlsplit(Client().get(path)["Location"]).query)["next"] == [path]


def test_a_form_is_sent_with_its_query(admin: User, alice: User, stale: Client) -> None:
    """The page of a Space in moderation keeps its place in the queue."""
    space = make_row(alice)
    violations.flag(space.pk, "spam", "Nothing but advertising.", make_user("bea", role="admins"))
    lift = reverse("lift", args=[space.pk])
    question = stale.post(f"{lift}?order=listeners", {**REASON, "from_moderation": "1"})

    answer = confirm(stale, question["Location"])

    assert answer["Location"] == f"/moderation/spaces/{space.pk}/?order=listeners"  # type: ignore[index]
    assert Violation.objects.get().state == "lifted"


ACTS = (
    *("create a token", "revoke a token", "place a hold", "release a hold", "lift", "decide"),
    *("add a rule", "change a rule", "add a template", "delete a template"),
)


@pytest.fixture
def acts(admin: User, alice: User) -> dict[str, Callable[[], tuple[str, dict[str, str]]]]:
    """Return URL and form of each act that needs a recent sign-in."""
    bea = make_user("bea", role="admins")
    space, other = make_row(alice), make_row(alice)
    for one in (space, other):
        violations.flag(one.pk, "spam", "Nothing but advertising.", bea)
    appeal = appeals.appeal(other.violations.get().pk, "It was a reading.", alice)
    hold = holds.place(make_row(alice).pk, "A court asked for it.", bea)
    token = recorders.create_token("old", 30, admin, for_anybody=True)[0]
    template = add_template("spam", "Watches", "They sold watches.", bea)
    text = {"name": "Doxing", "text": "Telling where somebody lives."}
    return {
        "create a token": lambda: (reverse("recorders"), TOKEN_FORM),
        "revoke a token": lambda: (reverse("recorder-revoke", args=[token.pk]), {}),
        "place a hold": lambda: (reverse("hold", args=[space.pk]), REASON),
        "release a hold": lambda: (reverse("release", args=[hold.pk]), REASON),
        "add a rule": lambda: (reverse("rules"), {"code": "doxing", "active": "on", **text}),
        "change a rule": lambda: (reverse("rule", args=["spam"]), text),
        "add a template": lambda: (reverse("template-add", args=["spam"]), text),
        "delete a template": lambda: (reverse("template-change", args=[template.pk]), {"delete": "1"}),
        "lift": lambda: (reverse("lift", args=[space.pk]), REASON),
        "decide": lambda: (reverse("decide", args=[appeal.pk]), {**REASON, "decision": "grant"}),
    }


def state() -> list[object]:
    models = (RecorderToken, Hold, Violation, Appeal, Space, Rule, ReasonTemplate)
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.mark.parametrize("act", ACTS)
def test_nothing_happens_without_a_fresh_sign_in(
    act: str, acts: dict[str, Callable[[], tuple[str, dict[str, str]]]], stale: Client, admin: User
) -> None:
    url, form = acts[act]()
    before = state()

    answer = stale.post(url, form)

    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert state() == before
    make_client(admin).post(url, form)
    assert state() != before


@pytest.fixture
def root() -> User:
    root = make_user("root")
    User.objects.filter(pk=root.pk).update(is_superuser=True, is_staff=True)
    return User.objects.get(pk=root.pk)


def test_the_django_admin_is_closed_without_a_fresh_sign_in(root: User) -> None:
    client = make_client(root)
    assert client.get("/admin/archive/user/").status_code == 200

    age_sign_in(client, 16 * 60)

    answer = client.get("/admin/archive/user/")
    assert answer["Location"] == "/accounts/reauthenticate/?next=%2Fadmin%2Farchive%2Fuser%2F"


def test_the_password_page_of_the_django_admin_leads_to_the_limited_one(root: User) -> None:
    answer = make_client(root).post("/admin/password_change/", {"old_password": "guess"})

    assert answer["Location"] == "/accounts/password/change/"


def test_a_sign_in_elsewhere_does_not_count(admin: User) -> None:
    """Another provider asks for nothing as long as its own session lasts."""
    client = make_client(admin)
    session = client.session
    records = session["account_authentication_methods"]
    session["account_authentication_methods"] = [{**records[0], "method": "socialaccount"}]
    session.save()

    assert client.get("/account/close/")["Location"].startswith("/accounts/reauthenticate/")
