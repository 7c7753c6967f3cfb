"""A sign-in does the same work for every login, so that response times do not reveal who has an account."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from archive.models import User
from tests.support.counting_hasher import CountingHasher
from tests.support.factory import PASSWORD, make_user
from tests.support.http_clients import make_client

pytestmark = pytest.mark.django_db

LOGINS = [
    "alice",
    "ALICE",
    "alice@example.org",
    "Alice@Example.org",
    "off",
    "off@example.org",
    "linked",
    "linked@example.org",
    "unverified@example.org",
    "shared@example.org",
    "nobody",
    "nobody@example.org",
    "name@host",  # a user name that looks like an address
    "\uff41lice",  # a full-width letter
]


@pytest.fixture(autouse=True)
def accounts(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["tests.support.counting_hasher.CountingHasher"]
    for name in ("alice", "off", "linked", "unverified", "bert", "berta"):
        make_user(name)
        address = "shared@example.org" if name.startswith("bert") else f"{name}@example.org"
        User.objects.filter(username=name).update(email=address)
        if name in ("alice", "off", "linked"):
            user = User.objects.get(username=name)
            EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
    make_user("name@host")
    User.objects.update(password=make_password(PASSWORD))
    User.objects.filter(username="linked").update(password=make_password(None))
    User.objects.filter(username="off").update(is_active=False)


def sign_in(login: str, password: str) -> Client:
    """Sign in without earlier attempts."""
    cache.clear()
    client = make_client()
    client.post("/accounts/login/", {"login": login, "password": password})
    return client


def count_hashes(login: str, password: str) -> int:
    before = CountingHasher.calls
    sign_in(login, password)
    return CountingHasher.calls - before


@pytest.mark.parametrize("password", ["wrong", PASSWORD], ids=["wrong", "right"])
def test_each_sign_in_costs_one_hash(password: str) -> None:
    assert {login: count_hashes(login, password) for login in LOGINS} == dict.fromkeys(LOGINS, 1)


def is_signed_in(login: str) -> bool:
    return "_auth_user_id" in sign_in(login, PASSWORD).session


def test_each_way_to_type_a_login_signs_in() -> None:
    logins = ["alice", "ALICE", "alice@example.org", "Alice@Example.org", "name@host", "\uff41lice"]

    assert {login: is_signed_in(login) for login in logins} == dict.fromkeys(logins, True)


def test_these_do_not_sign_in() -> None:
    logins = ["off", "off@example.org", "linked", "shared@example.org", "nobody"]

    assert {login: is_signed_in(login) for login in logins} == dict.fromkeys(logins, False)


def test_an_address_that_another_account_claims_still_signs_its_owner_in() -> None:
    owner = User.objects.get(username="unverified")
    claimer = User.objects.get(username="alice")
    EmailAddress.objects.create(user=claimer, email="unverified@example.org", verified=False, primary=False)

    client = sign_in("unverified@example.org", PASSWORD)

    assert client.session["_auth_user_id"] == str(owner.pk)
