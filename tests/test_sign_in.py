"""Sign-in: rate limits, and allauth's pages that are closed."""

import pytest
from django.test import Client

from archive.models import User
from tests.support.factory import PASSWORD


@pytest.mark.django_db
def test_the_admin_login_is_rate_limited_too(client: Client, admin: User) -> None:
    User.objects.filter(pk=admin.pk).update(is_staff=True)

    answer = client.post("/admin/login/", {"username": "ada", "password": PASSWORD})

    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.django_db
def test_sign_in_is_rate_limited_after_five_wrong_passwords(client: Client, alice: User) -> None:
    for _ in range(5):
        client.post("/accounts/login/", {"login": "alice", "password": "wrong"})

    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})

    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_sign_up_is_closed(client: Client) -> None:
    client.post("/accounts/signup/", {"username": "eve", "password1": PASSWORD, "password2": PASSWORD})

    assert not User.objects.filter(username="eve").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("query", "is_told"), [("", False), ("?next=/", False), ("?next=/upload/", True)])
def test_somebody_whose_session_ended_is_told_why_they_sign_in(client: Client, query: str, is_told: bool) -> None:
    page = client.get(f"/accounts/login/{query}").content.decode()

    assert ("You are not signed in. After you sign in, the page you asked for opens." in page) == is_told
