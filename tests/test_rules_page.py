"""The pages of rules and of reason templates."""

import re

import pytest

from archive.bundles.contents import facts
from archive.display.mail import render_mail
from archive.errors import Conflict, Refused
from archive.models import LogEntry, Notice, ReasonTemplate, Rule, User
from archive.moderation import reason_templates
from archive.moderation.violations import flag
from archive.notices.validity import with_validity
from portal.presenters.log import history
from tests.support.errors import raises_error
from tests.support.factory import make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")
TYPED = {"code": "doxing", "name": "Doxing", "text": "Telling where somebody lives.", "active": "on"}
WATCHES = {"name": "Watches", "text": "They sold watches."}


def test_an_admin_adds_a_rule_and_flags_by_it(alice: User, admin: User) -> None:
    client, space = make_client(admin), make_row(alice)

    answer = client.post("/moderation/rules/", TYPED)

    assert (answer.status_code, answer["Location"]) == (302, "/moderation/rules/doxing/")
    assert flag(space.pk, "doxing", "An address.", admin).rule.text == "Telling where somebody lives."
    again = client.post("/moderation/rules/", TYPED)
    assert (again.status_code, Rule.objects.filter(code="doxing").count()) == (422, 1)
    assert "Telling where somebody lives.</textarea>" in again.content.decode()
    assert client.post("/moderation/rules/", TYPED | {"code": "not a code"}).status_code == 422


def test_an_admin_changes_a_rule(admin: User) -> None:
    client = make_client(admin)
    assert "Misleading people for gain." in client.get("/moderation/rules/spam/").content.decode()

    client.post("/moderation/rules/spam/", {"name": "Fraud", "text": "Selling watches."})

    rule = Rule.objects.get(code="spam", current=True)
    assert (rule.name, rule.text, rule.active, rule.number) == ("Fraud", "Selling watches.", False, 2)
    page = client.get("/moderation/rules/").content.decode()
    assert page.index("Fraud") > page.index("Harassment")  # rules for new flags come first
    assert client.get("/moderation/rules/none/").status_code == 404


def change(admin: User, name: str, text: str, active: str = "on") -> None:
    make_client(admin).post("/moderation/rules/spam/", {"name": name, "text": text, "active": active})


def test_a_flag_keeps_the_text_that_it_was_made_under(alice: User, admin: User) -> None:
    space = make_row(alice)
    flag(space.pk, "spam", "Watches.", admin)

    change(admin, "Fraud", "Selling watches.")
    flag(space.pk, "spam", "More watches.", admin)

    rules = [(one.rule.name, one.rule.text) for one in space.violations.all()]
    assert rules == [("Spam or fraud", "Misleading people for gain."), ("Fraud", "Selling watches.")]
    page = make_client(alice).get(f"/spaces/{space.pk}/").content.decode()
    assert "Flagged for <strong>Spam or fraud</strong>" in page
    assert "Flagged for <strong>Fraud</strong>" in page
    texts = [one["rule_text"] for one in facts(space)["violations"]]
    assert texts == ["Misleading people for gain.", "Selling watches."]
    assert [line.note for line in history(space, space.host) if line.label == "Flagged"] == ["Fraud", "Spam or fraud"]
    mails = [render_mail(notice).text for notice in with_validity(Notice.objects.order_by("created_at"))]
    assert [("Spam or fraud" in mail, "Fraud" in mail) for mail in mails] == [(True, False), (False, True)]


def test_changes_of_rules_are_logged(admin: User) -> None:
    make_client(admin).post("/moderation/rules/", TYPED)
    change(admin, "Fraud", "Selling watches.")
    change(admin, "Fraud", "Selling watches.")  # the same text changes nothing
    change(admin, "Fraud", "Selling watches.", active="")

    entries = LogEntry.objects.order_by("id").values_list("event", "actor_id", "detail")
    fraud = "6c3a66b4"
    assert [(event, by, {**detail, "sha256": detail["sha256"][:8]}) for event, by, detail in entries] == [
        ("rule.added", admin.pk, {"rule": "doxing", "rule_version": 1, "active": True, "sha256": "1890e0de"}),
        ("rule.changed", admin.pk, {"rule": "spam", "rule_version": 2, "active": True, "sha256": fraud}),
        ("rule.changed", admin.pk, {"rule": "spam", "rule_version": 2, "active": False, "sha256": fraud}),
    ]


def test_templates_are_added_changed_and_deleted(admin: User) -> None:
    client = make_client(admin)

    assert client.post("/moderation/rules/spam/templates", WATCHES | {"text": " "}).status_code == 422
    assert client.post("/moderation/rules/spam/templates", WATCHES)["Location"] == "/moderation/rules/spam/"
    assert client.post("/moderation/rules/spam/templates", WATCHES).status_code == 422
    template = ReasonTemplate.objects.get()
    url = f"/moderation/templates/{template.pk}"
    assert client.post(url, {"name": "", "text": "Kept as typed."}).status_code == 422
    assert client.post(url, {"name": "Clocks", "text": "They sold clocks."}).status_code == 302
    template.refresh_from_db()
    assert (template.rule_code, template.name, template.text) == ("spam", "Clocks", "They sold clocks.")
    page = client.get("/moderation/rules/spam/").content.decode()
    assert re.search(r"<details[^>]*><summary>Delete<span[^>]*> Clocks</span></summary>.*name=\"delete\"", page)
    assert client.post(url, {"delete": "1"}).status_code == 302
    assert client.post(url, {"delete": "1"}).status_code == 404

    logged = LogEntry.objects.filter(event__startswith="reason_template.").order_by("id")
    assert [(entry.event, entry.actor_id, entry.detail["rule"]) for entry in logged] == [
        ("reason_template.added", admin.pk, "spam"),
        ("reason_template.changed", admin.pk, "spam"),
        ("reason_template.deleted", admin.pk, "spam"),
    ]
    assert "clocks" not in str([entry.detail for entry in logged])


def test_a_template_stands_for_an_empty_reason(alice: User, admin: User) -> None:
    template = reason_templates.add_template("spam", "Watches", "They sold watches.", admin)
    client, space, other = make_client(admin), make_row(alice), make_row(alice)
    page = client.get(f"/moderation/spaces/{space.pk}/").content.decode()
    assert f'<option value="{template.pk}" data-rule="spam" data-text="They sold watches."' in page

    client.post(f"/spaces/{space.pk}/flag", {"rule": "spam", "reason": " ", "template": template.pk})
    client.post(f"/spaces/{other.pk}/flag", {"rule": "spam", "reason": "In my words.", "template": template.pk})

    assert (space.violations.get().reason, other.violations.get().reason) == ("They sold watches.", "In my words.")
    refused = client.post(f"/spaces/{space.pk}/flag", {"rule": "spam", "reason": ""})
    assert (refused.status_code, space.violations.count()) == (422, 1)


def test_the_limits_of_templates(alice: User, admin: User) -> None:
    with raises_error(Refused, "moderation.not_an_admin", user="alice"):
        reason_templates.add_template("spam", "Watches", "They sold watches.", alice)
    with raises_error(Refused, "rule.not_found", rule="none"):
        reason_templates.add_template("none", "Watches", "They sold watches.", admin)
    with raises_error(Refused, "template.bad_name", limit=80):
        reason_templates.add_template("spam", "x" * 81, "They sold watches.", admin)
    for number in range(20):
        reason_templates.add_template("spam", f"Number {number}", "They sold watches.", admin)
    with raises_error(Refused, "template.too_many", limit=20):
        reason_templates.add_template("spam", "One more", "They sold watches.", admin)
    with raises_error(Conflict, "template.exists", name="Number 1"):
        reason_templates.change_template(ReasonTemplate.objects.get(name="Number 0").pk, "Number 1", "Other.", admin)


@pytest.mark.parametrize("who", ["alice", "otto"])
def test_only_admins_edit_rules_and_templates(alice: User, auditor: User, admin: User, who: str) -> None:
    template = reason_templates.add_template("spam", "Watches", "They sold watches.", admin)
    client = make_client(User.objects.get(username=who))

    assert client.get("/moderation/rules/spam/").status_code == 404
    assert client.post("/moderation/rules/spam/", TYPED).status_code == 404
    assert client.post("/moderation/rules/spam/templates", WATCHES).status_code == 404
    assert client.post(f"/moderation/templates/{template.pk}", {"delete": "1"}).status_code == 404
    assert make_client().post(f"/moderation/templates/{template.pk}", {"delete": "1"}).status_code == 302
    assert ReasonTemplate.objects.count() == 1
    assert not Rule.objects.filter(name="Doxing").exists()
