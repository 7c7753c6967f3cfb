"""Who may decide appeals and release holds."""

from datetime import timedelta

import pytest
from django.urls import reverse

from archive import lifecycle
from archive.log import SYSTEM
from archive.models import Appeal, Hold, Space, User
from archive.moderation.appeals import appeal
from archive.moderation.violations import flag
from tests.support.factory import make_held, make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")
FORM = {"decision": "grant", "reason": "I looked at it."}


@pytest.fixture
def urls(alice: User, admin: User, second_admin: User) -> dict[str, str]:
    """URLs of an open appeal, and of a hold that another admin placed."""
    open_appeal = appeal(
        flag(make_row(alice).pk, "spam", "It sold watches.", second_admin).pk, "They were beans.", alice
    )
    held = make_held(alice, ended_ago=timedelta(days=5)).holds.get()
    return {"decide": reverse("decide", args=[open_appeal.pk]), "release": reverse("release", args=[held.pk])}


@pytest.mark.parametrize("name", ["decide", "release"])
class TestLadder:
    def test_anonymous_users_are_asked_to_sign_in(self, urls: dict[str, str], name: str) -> None:
        answer = make_client().post(urls[name], FORM, headers={"referer": "http://testserver/moderation/appeals/"})

        assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/moderation/appeals/")

    @pytest.mark.parametrize("who", ["alice", "bob", "otto"])
    def test_only_admins(self, urls: dict[str, str], name: str, who: str, bob: User, auditor: User) -> None:
        assert make_client(User.objects.get(username=who)).post(urls[name], FORM).status_code == 404
        assert (Appeal.objects.get().state, Hold.objects.get().state) == ("open", "standing")

    def test_what_an_admin_gets(self, urls: dict[str, str], name: str, admin: User) -> None:
        assert make_client(admin).post(urls[name], FORM).status_code == 302

    def test_an_unknown_id_is_404(self, urls: dict[str, str], name: str, admin: User) -> None:
        assert make_client(admin).post(reverse(name, args=[10**9]), FORM).status_code == 404

    def test_a_get_changes_nothing(self, urls: dict[str, str], name: str, admin: User) -> None:
        answer = make_client(admin).get(urls[name])

        assert (answer.status_code, answer["Allow"]) == (405, "POST")

    def test_a_cross_site_form_is_refused(self, urls: dict[str, str], name: str, admin: User) -> None:
        assert make_client(admin, enforce_csrf_checks=True).post(urls[name], FORM).status_code == 403

    def test_a_missing_reason_keeps_the_form_input(self, urls: dict[str, str], name: str, admin: User) -> None:
        answer = make_client(admin).post(urls[name], FORM | {"reason": " "})

        assert answer.status_code == 422
        assert "A reason is needed" in answer.content.decode()


def test_a_decision_that_comes_too_late_is_refused(urls: dict[str, str], admin: User) -> None:
    space = Appeal.objects.get().violation.space
    lifecycle.transition(space, Space.State.AVAILABLE, Space.State.EXPIRING, actor=SYSTEM)

    answer = make_client(admin).post(urls["decide"], FORM)

    assert answer.status_code == 422
    assert "Too late: the deletion of this Space started on" in answer.content.decode()


def test_a_decision_is_granted_or_denied(urls: dict[str, str], admin: User) -> None:
    answer = make_client(admin).post(urls["decide"], {"decision": "maybe", "reason": "I am not sure."})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose whether the appeal is granted or denied." in page
    assert "I am not sure.</textarea>" in page
