"""Admins edit the list of rules; existing flags keep their rule."""

from typing import Any

import pytest

from archive.bundles.contents import facts
from archive.display.mail import render_mail
from archive.models import LogEntry, Notice, Rule, User
from archive.moderation.violations import flag
from archive.notices.validity import with_validity
from portal.presenters.log import history
from tests.support.factory import make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")
RULES = "/admin/archive/rule/"
TYPED = {"code": "doxing", "name": "Doxing", "text": "Telling where somebody lives.", "active": "on"}


def test_an_admin_adds_a_rule_and_flags_by_it(alice: User, admin: User) -> None:
    space = make_row(alice)

    answer = make_client(admin).post(f"{RULES}add/", TYPED)

    assert (answer.status_code, answer["Location"]) == (302, RULES)
    assert flag(space.pk, "doxing", "An address.", admin).rule.text == "Telling where somebody lives."
    assert "Doxing</option>" in make_client(admin).get(f"/moderation/spaces/{space.pk}/").content.decode()


def change(admin: User, code: str, **fields: str) -> Any:
    pk = Rule.objects.get(code=code, current=True).pk
    return make_client(admin).post(f"{RULES}{pk}/change/", fields)


def test_a_rule_changes_its_name_and_never_its_code(alice: User, admin: User) -> None:
    pk = Rule.objects.get(code="spam").pk
    make_client(admin).post(f"{RULES}{pk}/change/", TYPED | {"active": ""})

    rule = Rule.objects.get(code="spam", current=True)
    assert (rule.name, rule.active, rule.number) == ("Doxing", False, 2)
    assert not Rule.objects.filter(code="doxing").exists()


def test_a_flag_keeps_the_text_that_it_was_made_under(alice: User, admin: User) -> None:
    space = make_row(alice)
    flag(space.pk, "spam", "Watches.", admin)

    change(admin, "spam", name="Fraud", text="Selling watches.", active="on")
    flag(space.pk, "spam", "More watches.", admin)

    rules = [(one.rule.name, one.rule.text) for one in space.violations.all()]
    assert rules == [("Spam or fraud", "Misleading people for gain."), ("Fraud", "Selling watches.")]
    page = make_client(alice).get(f"/spaces/{space.pk}/").content.decode()
    assert "Flagged for <strong>Spam or fraud</strong>" in page
    assert "Flagged for <strong>Fraud</strong>" in page
    texts = [one["rule_text"] for one in facts(space)["violations"]]
    assert texts == ["Misleading people for gain.", "Selling watches."]
    assert [line.note for line in history(space) if line.label == "Flagged"] == ["Fraud", "Spam or fraud"]
    mails = [render_mail(notice).text for notice in with_validity(Notice.objects.order_by("created_at"))]
    assert [("Spam or fraud" in mail, "Fraud" in mail) for mail in mails] == [(True, False), (False, True)]


def test_changes_of_rules_are_logged(admin: User) -> None:
    make_client(admin).post(f"{RULES}add/", TYPED)
    change(admin, "spam", name="Fraud", text="Selling watches.", active="on")
    change(admin, "spam", name="Fraud", text="Selling watches.", active="on")  # changes nothing
    change(admin, "spam", name="Fraud", text="Selling watches.")

    entries = LogEntry.objects.order_by("id").values_list("event", "actor_id", "detail")
    fraud = "6c3a66b4"
    assert [(event, by, {**detail, "sha256": detail["sha256"][:8]}) for event, by, detail in entries] == [
        ("rule.added", admin.pk, {"rule": "doxing", "rule_version": 1, "active": True, "sha256": "1890e0de"}),
        ("rule.changed", admin.pk, {"rule": "spam", "rule_version": 2, "active": True, "sha256": fraud}),
        ("rule.changed", admin.pk, {"rule": "spam", "rule_version": 2, "active": False, "sha256": fraud}),
    ]


def test_a_code_is_used_once(admin: User) -> None:
    answer = make_client(admin).post(f"{RULES}add/", TYPED | {"code": "spam"})

    assert (answer.status_code, "There is a rule “spam” already" in answer.content.decode()) == (200, True)
    assert Rule.objects.filter(code="spam").count() == 1


def test_a_rule_cannot_be_deleted(admin: User) -> None:
    pk = Rule.objects.get(code="spam").pk
    assert make_client(admin).post(f"{RULES}{pk}/delete/", {"post": "yes"}).status_code == 403
    assert Rule.objects.filter(code="spam").exists()


def test_the_admin_site_has_only_rules(admin: User) -> None:
    assert make_client(admin).get("/admin/archive/user/").status_code == 403
    assert "Rules" in make_client(admin).get("/admin/").content.decode()


@pytest.mark.parametrize("who", ["alice", "otto"])
def test_only_admins_may_edit_rules(alice: User, auditor: User, who: str) -> None:
    answer = make_client(User.objects.get(username=who)).post(f"{RULES}add/", TYPED)

    assert answer.status_code in (302, 403)
    assert not Rule.objects.filter(code="doxing").exists()
