"""Limits of failed sign-ins stop people who guess passwords, and nobody else."""

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
    """Lower the limits, so that a test guesses 8 times instead of 100."""
    settings.ACCOUNT_RATE_LIMITS = LIMITS
    cache.clear()


@pytest.fixture(autouse=True)
def fast_hashes(settings: Settings, alice: User, bob: User) -> None:
    """These tests check some 80 passwords, and hashing is slow on purpose."""
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


def problem_of(name: str, password: str, address: str) -> tuple[str, ...]:
    """Return the error codes in the response to a sign-in."""
    answer = make_client().post("/accounts/login/", {"login": name, "password": password}, REMOTE_ADDR=address)
    return tuple(error.code for error in answer.context["form"].non_field_errors().as_data())


def test_name_and_address_of_an_account_share_one_limit(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(email="alice@example.org")
    for number, login in enumerate(["alice", "Alice", "ALICE@example.org", "\uff41lice"] * 2):
        attempt(login, "wrong", f"10.1.0.{number}")

    for number, login in enumerate(["alice", "alice@example.org", "ALICE", "alice@EXAMPLE.org"]):
        assert not is_signed_in(attempt(login, PASSWORD, f"10.2.0.{number}")), login


def test_ways_to_write_an_unknown_login_share_one_limit() -> None:
    for number, login in enumerate(["Straße", "STRASSE", "strasse", "\uff53trasse"] * 2):
        attempt(login, "wrong", f"10.1.0.{number}")

    assert problem_of("strasse", "wrong", "10.2.0.1") == ("too_many_login_attempts",)


def test_no_answer_tells_that_an_address_belongs_to_a_name(alice: User) -> None:
    """Failed sign-ins with the user name lock the account. After that, signing in with its address fails as for an
    unknown address, even with the right password."""
    User.objects.filter(pk=alice.pk).update(email="alice@example.org")
    guess_from_everywhere("alice")

    known = problem_of("alice@example.org", "wrong", "10.2.0.1")
    right = problem_of("alice@example.org", PASSWORD, "10.2.0.2")
    unknown = problem_of("nobody@example.org", "wrong", "10.2.0.3")

    assert known == right == unknown == ("email_password_mismatch",)
    assert problem_of("alice", "wrong", "10.2.0.4") == ("too_many_login_attempts",)


def test_a_known_and_an_unknown_login_reach_the_limit_after_as_many_failures(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(email="alice@example.org")
    guess_from_everywhere("alice")
    counts = []
    for start, login in enumerate(["alice@example.org", "nobody@example.org"]):
        codes = [problem_of(login, "wrong", f"10.{start + 5}.0.{number}") for number in range(10)]
        counts.append(codes.index(("too_many_login_attempts",)))

    assert counts == [8, 8]


@pytest.mark.parametrize(("failures", "addresses", "minutes"), [(5, 1, "5 minutes"), (8, 8, "60 minutes")])
def test_the_answer_says_when_to_try_again(failures: int, addresses: int, minutes: str, alice: User) -> None:
    for number in range(failures):
        attempt("alice", "wrong", f"10.1.0.{number % addresses}")

    page = make_client().post("/accounts/login/", {"login": "alice", "password": "wrong"}, REMOTE_ADDR="10.1.0.0")

    assert f"Too many failed sign-in attempts. Try again in {minutes}." in page.content.decode()


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
