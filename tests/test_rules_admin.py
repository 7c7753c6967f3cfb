"""Admins edit the list of rules; existing flags keep their rule."""

import pytest

from archive.models import Rule, User
from archive.moderation.violations import flag
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


def test_a_rule_changes_its_name_and_never_its_code(alice: User, admin: User) -> None:
    flag(make_row(alice).pk, "spam", "Watches.", admin)

    make_client(admin).post(f"{RULES}spam/change/", TYPED | {"active": ""})

    rule = Rule.objects.get(code="spam")
    assert (rule.name, rule.active) == ("Doxing", False)
    assert not Rule.objects.filter(code="doxing").exists()


def test_a_rule_cannot_be_deleted(admin: User) -> None:
    assert make_client(admin).post(f"{RULES}spam/delete/", {"post": "yes"}).status_code == 403
    assert Rule.objects.filter(code="spam").exists()


def test_the_admin_site_has_only_rules(admin: User) -> None:
    assert make_client(admin).get("/admin/archive/user/").status_code == 403
    assert "Rules" in make_client(admin).get("/admin/").content.decode()


@pytest.mark.parametrize("who", ["alice", "otto"])
def test_only_admins_may_edit_rules(alice: User, auditor: User, who: str) -> None:
    answer = make_client(User.objects.get(username=who)).post(f"{RULES}add/", TYPED)

    assert answer.status_code in (302, 403)
    assert not Rule.objects.filter(code="doxing").exists()
