"""The public pages that explain this installation, and the operator's name on pages and in mail."""

import re

import pytest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from archive.models import Rule, User
from tests.support.http_clients import make_client


def _render(source: str) -> str:
    return Template("{% load archive_display %}" + source).render(Context())


def test_what_we_keep_has_the_numbers_in_force(settings: Settings) -> None:
    settings.RETENTION_DAYS, settings.VIOLATION_EXTRA_DAYS, settings.LIFT_GRACE_DAYS = 45, 55, 9

    page = Client().get(reverse("what-we-keep")).content.decode()

    assert "45 days after the end" in page
    assert "100 days after the end" in page
    assert "at least 9 days after the last flag was lifted" in page


def test_what_we_keep_has_the_people_who_decide(settings: Settings) -> None:
    """The operator can set that a single admin may decide."""
    for needed, sentences in {
        True: ("until another admin releases the hold", "A second admin decides"),
        False: ("until an admin releases the hold", "An admin decides"),
    }.items():
        settings.HOLD_RELEASE_NEEDS_SECOND_ADMIN = settings.APPEAL_NEEDS_SECOND_ADMIN = needed

        page = Client().get(reverse("what-we-keep")).content.decode()

        assert all(sentence in page for sentence in sentences)


@pytest.mark.parametrize("name", ["what-we-keep", "help"])
def test_the_pages_need_no_account_and_no_database(name: str) -> None:
    """Without the fixture `db`, any query raises."""
    assert Client().get(reverse(name)).status_code == 200


@pytest.mark.parametrize(
    ("name", "contact", "html", "text"),
    [
        ("", "", "the operator of this site", "the operator of this site"),
        ("Anna & Co", "", "<bdi>Anna &amp; Co</bdi>", "Anna & Co"),
        ("", "a@example.org", '<a href="mailto:a@example.org"><bdi>a@example.org</bdi></a>', "a@example.org"),
        (
            "Anna",
            "https://example.org/ask",
            '<a href="https://example.org/ask"><bdi>Anna</bdi></a>',
            "Anna (https://example.org/ask)",
        ),
    ],
)
def test_the_operator_is_named(settings: Settings, name: str, contact: str, html: str, text: str) -> None:
    settings.OPERATOR_NAME, settings.OPERATOR_CONTACT = name, contact

    assert _render("{% operator %}") == html
    assert _render("{% autoescape off %}{% operator_text %}{% endautoescape %}") == text


def test_mail_names_the_operator(settings: Settings) -> None:
    footers = ["archive/mail/footer.html", "archive/mail/footer.txt"]
    assert ["Run by" in render_to_string(name) for name in footers] == [False, False]

    settings.OPERATOR_NAME, settings.OPERATOR_CONTACT = "Anna Example", "help@example.org"

    html, text = (render_to_string(name) for name in footers)
    assert 'Run by <a href="mailto:help@example.org"><bdi>Anna Example</bdi></a>.' in html
    assert "Run by Anna Example (help@example.org)." in text


@pytest.mark.usefixtures("db")
def test_sign_in_and_refusals_name_the_operator(settings: Settings) -> None:
    settings.OPERATOR_NAME, settings.OPERATOR_CONTACT = "Anna Example", "help@example.org"

    page = Client().get(reverse("account_login")).content.decode()

    assert "mailto:help@example.org" in page
    assert "Run by" in page
    assert "placeholder" not in page


@pytest.mark.usefixtures("db")
def test_a_page_without_an_operator_says_whom_to_ask(settings: Settings, admin: User, alice: User) -> None:
    def read(client: Client) -> str:
        return client.get(reverse("what-we-keep")).content.decode()

    hint = "OPERATOR_NAME"
    pages = [read(Client()), read(make_client(alice)), read(make_client(admin))]
    assert ["ask the person who invited you" in page for page in pages] == [True, True, True]
    assert [hint in page for page in pages] == [False, False, True]

    settings.OPERATOR_NAME = "Anna Example"

    assert "This site is run by <bdi>Anna Example</bdi>." in read(make_client(admin))
    assert hint not in read(make_client(admin))


@pytest.mark.usefixtures("db")
def test_everybody_reads_the_rules_with_their_texts() -> None:
    Rule.objects.create(code="rude", name="Rudeness", text="Be kind.\nTo all.", number=1)
    Rule.objects.create(code="old", name="Not in use", text="Long ago.", number=1, active=False)

    page = Client().get("/rules/").content.decode()

    assert '<div id="rude"><dt>Rudeness</dt><dd dir="auto">Be kind.<br>To all.</dd></div>' in page
    assert "Long ago." not in page
    assert "until 14 days before the deadline" in page


def test_the_pages_that_explain_lead_to_the_rules_and_to_all_keys() -> None:
    help_page, policy = (Client().get(reverse(name)).content.decode() for name in ("help", "what-we-keep"))

    assert 'href="/rules/"' in help_page
    assert 'href="/rules/"' in policy
    keys = re.findall(r"<tr><td>(.*?)</td>", help_page, re.DOTALL)
    assert [re.sub(r"<[^>]+>", "", key).split() for key in keys] == [
        ["Space", "bar", "K"],
        ["Left", "Right"],
        ["J", "L"],
        ["&lt;", "&gt;"],
        ["0", "…", "9"],
        ["/"],
        ["Enter,", "Shift", "Enter"],
        ["N"],
        ["U"],
        ["J", "K"],
        ["F"],
        ["X,", "Shift", "X"],
    ]
