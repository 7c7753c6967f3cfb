"""Password changes are logged, and Django's admin site cannot bypass the rules for accounts."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from archive.models import LogEntry, User
from tests.support.factory import PASSWORD, make_user
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def site() -> Client:
    """A client that is signed in as a superuser."""
    root = make_user("root")
    User.objects.filter(pk=root.pk).update(is_superuser=True, is_staff=True)
    return make_client(User.objects.get(pk=root.pk))


def test_a_changed_password_is_logged(alice: User) -> None:
    form = {"oldpassword": PASSWORD, "password1": "a long new sentence", "password2": "a long new sentence"}
    make_client(alice).post(reverse("account_change_password"), form)

    assert User.objects.get(pk=alice.pk).check_password("a long new sentence")
    entry = LogEntry.objects.get(event__startswith="account.")
    assert (entry.event, entry.actor_kind, entry.actor_id) == ("account.password_changed", "user", alice.pk)
    assert entry.detail == {"account": alice.pk}


def test_the_django_admin_changes_names_and_no_power(site: Client, alice: User) -> None:
    form = {
        "username": "alicia",
        "email": "mallory@example.org",
        "is_active": "",
        "is_staff": "on",
        "is_superuser": "on",
        "groups": "1",
        "user_permissions": "1",
        "password": "x",
    }
    answer = site.post(f"/admin/archive/user/{alice.pk}/change/", form)

    assert answer.status_code == 302
    account = User.objects.get(pk=alice.pk)
    assert account.username == "alicia"
    assert (account.email, account.is_active, account.is_staff, account.is_superuser) == ("", True, False, False)
    assert (account.groups.count(), account.user_permissions.count()) == (0, 0)
    assert account.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("{model}/{id}/password/", 200),
        ("auth/group/", 404),
        ("account/emailaddress/", 404),
        ("mfa/authenticator/", 404),
        ("socialaccount/socialaccount/", 404),
    ],
)
def test_pages_that_would_be_ways_round_do_not_exist(site: Client, alice: User, path: str, status: int) -> None:
    answer: Any = site.get("/admin/" + path.format(model="archive/" + "user", id=alice.pk), follow=True)

    # Django's admin site takes the path after a model's URL for an id, and redirects to its index if there is no such
    # row.
    assert answer.status_code == status
    assert (answer.request["PATH_INFO"] == "/admin/") == (status == 200)


def test_only_staff_may_enter_the_django_admin(site: Client, admin: User, auditor: User, alice: User) -> None:
    """Admins have pages of their own and may not enter either. Rules are not among the Django admin's pages."""
    for user in (admin, auditor, alice):
        assert make_client(user).get("/admin/", follow=True).status_code == 403
        assert make_client(user).get("/admin/archive/user/", follow=True).status_code == 403
    assert site.get("/admin/archive/user/").status_code == 200
    assert site.get("/admin/archive/rule/").status_code == 404


def test_the_django_admin_deletes_no_account(site: Client, alice: User) -> None:
    assert site.post(f"/admin/archive/user/{alice.pk}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=alice.pk).exists()


@pytest.mark.parametrize("name", ["account_login", "account_change_password", "account_reauthenticate"])
def test_no_field_repeats_its_label(name: str, alice: User) -> None:
    client = Client() if name == "account_login" else make_client(alice)

    _, main, form = client.get(reverse(name)).content.decode().partition("<main")

    assert main
    assert "<label" in form
    assert "placeholder=" not in form
