"""Signing in: what is counted, and what is not there."""

import pytest
from django.test import Client

from archive.models import User
from tests.support.factory import PASSWORD


@pytest.mark.django_db
def test_the_admins_form_is_not_a_way_around_the_counting(client: Client, admin: User) -> None:
    User.objects.filter(pk=admin.pk).update(is_staff=True)

    answer = client.post("/admin/login/", {"username": "ada", "password": PASSWORD})

    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.django_db
def test_after_five_wrong_passwords_the_right_one_has_to_wait(client: Client, alice: User) -> None:
    for _ in range(5):
        client.post("/accounts/login/", {"login": "alice", "password": "wrong"})

    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})

    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/accounts/password/reset/", "/accounts/email/", "/accounts/3rdparty/"])
def test_pages_that_would_need_mail_are_not_there(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.django_db
def test_nobody_signs_up(client: Client) -> None:
    client.post("/accounts/signup/", {"username": "eve", "password1": PASSWORD, "password2": PASSWORD})

    assert not User.objects.filter(username="eve").exists()
