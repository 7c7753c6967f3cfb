"""Limits of failed sign-ins stop who guesses, and nobody else."""

import pytest
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from archive.models import User
from tests.support.factory import PASSWORD
from tests.support.http_clients import make_client
from tests.support.totp import set_up_app

pytestmark = pytest.mark.django_db

LIMITS = {"login": None, "login_failed": "20/m/ip,5/300s/key", "login_failed_account": "8/h/key"}


@pytest.fixture(autouse=True)
def low_limits(settings: Settings) -> None:
    """So that the test guesses 8 times, not 100."""
    settings.ACCOUNT_RATE_LIMITS = LIMITS
    cache.clear()


@pytest.fixture(autouse=True)
def fast_hashes(settings: Settings, alice: User, bob: User) -> None:
    """These tests give some 80 passwords, and a hash is slow on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    User.objects.update(password=make_password(PASSWORD))


def attempt(name: str, password: str, address: str, client: Client | None = None) -> Client:
    client = client or make_client()
    client.post("/accounts/login/", {"login": name, "password": password}, REMOTE_ADDR=address)
    return client


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def guess_from_everywhere(name: str, times: int = 8) -> None:
    for number in range(times):
        attempt(name, "wrong", f"10.1.0.{number}")


def test_who_guesses_locks_out_their_own_address_only(alice: User, bob: User) -> None:
    for _ in range(5):
        attempt("alice", "wrong", "127.0.0.11")

    assert not is_signed_in(attempt("alice", PASSWORD, "127.0.0.11"))
    assert is_signed_in(attempt("alice", PASSWORD, "127.0.0.12"))
    assert is_signed_in(attempt("bob", PASSWORD, "127.0.0.11"))


def test_an_address_that_tries_many_accounts_is_stopped(alice: User) -> None:
    for number in range(20):
        attempt(f"user{number}", "wrong", "10.0.0.1")

    assert not is_signed_in(attempt("alice", PASSWORD, "10.0.0.1"))


def test_guessing_from_many_addresses_is_stopped(alice: User) -> None:
    guess_from_everywhere("alice")

    assert not is_signed_in(attempt("Alice", PASSWORD, "10.2.0.1"))


def test_a_known_device_signs_in_meanwhile(alice: User, bob: User) -> None:
    User.objects.filter(pk=alice.pk).update(email="alice@example.org")
    desk = attempt("alice", PASSWORD, "10.0.0.1")
    others = attempt("bob", PASSWORD, "10.0.0.2")
    for client in (desk, others):
        client.post("/accounts/logout/")
    guess_from_everywhere("alice")
    guess_from_everywhere("alice@example.org")

    assert is_signed_in(attempt("alice", PASSWORD, "10.0.0.1", desk))
    desk.post("/accounts/logout/")
    assert is_signed_in(attempt("alice@example.org", PASSWORD, "10.0.0.1", desk))
    assert not is_signed_in(attempt("alice", PASSWORD, "10.0.0.2", others))


def test_a_forged_device_is_not_known(alice: User) -> None:
    desk = attempt("alice", PASSWORD, "10.0.0.1")
    forged = desk.cookies["known_device"].value[:-3] + "abc"
    guess_from_everywhere("alice")
    client = make_client()
    client.cookies["known_device"] = forged

    assert not is_signed_in(attempt("alice", PASSWORD, "10.0.0.3", client))


def test_a_second_factor_passes_the_limit_of_the_account(alice: User) -> None:
    set_up_app(make_client(User.objects.get(pk=alice.pk)))
    guess_from_everywhere("alice")
    client = make_client()

    answer = client.post("/accounts/login/", {"login": "alice", "password": PASSWORD}, REMOTE_ADDR="10.0.0.9")

    assert answer["Location"] == "/accounts/2fa/authenticate/"


def test_sign_ins_that_succeed_do_not_count(alice: User) -> None:
    for number in range(9):
        assert is_signed_in(attempt("alice", PASSWORD, f"10.3.0.{number}"))


def test_the_cookie_names_nobody(alice: User) -> None:
    cookie = attempt("alice", PASSWORD, "10.0.0.1").cookies["known_device"]

    assert "alice" not in cookie.value
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
