"""Sessions end after a time, and when somebody ends them."""

import time

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from pytest_django import Settings

from archive.models import User
from portal.sign_in.session_store import SessionStore
from portal.sign_in.sessions import end_sessions
from tests.support.factory import PASSWORD
from tests.support.http_clients import make_client

pytestmark = pytest.mark.django_db

HOUR = 3600


def age(client: Client, *, idle: float = 0, since_sign_in: float = 0) -> Client:
    session = client.session
    session["seen_at"] = time.time() - idle
    session["signed_in_at"] = time.time() - max(idle, since_sign_in)
    session.save()
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def device(name: str = "alice") -> Client:
    """A browser that signed in with the form."""
    client = make_client()
    client.post("/accounts/login/", {"login": name, "password": PASSWORD})
    return client


@pytest.mark.parametrize(
    ("role", "idle_hours", "lives"),
    [("admin", 7.9, True), ("admin", 8.1, False), ("auditor", 8.1, False), ("host", 8.1, True), ("host", 169, False)],
)
def test_idle_sessions_end_sooner_for_those_who_can_do_more(
    role: str, idle_hours: float, lives: bool, alice: User, admin: User, auditor: User
) -> None:
    user = {"host": alice, "admin": admin, "auditor": auditor}[role]

    assert is_signed_in(age(make_client(user), idle=idle_hours * HOUR)) is lives


def test_a_session_in_use_ends_too(alice: User) -> None:
    assert is_signed_in(age(make_client(alice), since_sign_in=13.9 * 24 * HOUR))
    assert not is_signed_in(age(make_client(alice), since_sign_in=14.1 * 24 * HOUR))


def test_an_expired_session_is_gone_from_the_database(alice: User) -> None:
    client = age(make_client(alice), idle=30 * 24 * HOUR)
    stolen = client.cookies["sessionid"].value
    assert SessionStore().exists(stolen)

    assert client.get("/api/v1/uploads").status_code == 401
    assert not SessionStore().exists(stolen)
    thief = make_client()
    thief.cookies["sessionid"] = stolen
    assert not is_signed_in(thief)


def test_use_is_noted(alice: User) -> None:
    client = age(device(), idle=2 * HOUR)
    UserSession.objects.update(last_seen_at="2026-01-01T00:00:00Z")

    client.get("/")

    assert time.time() - client.session["seen_at"] < 60
    assert UserSession.objects.get().last_seen_at.timestamp() > time.time() - 60


def test_the_limits_are_settings(alice: User, settings: Settings) -> None:
    settings.SESSION_IDLE_SECONDS_HOSTS = 60

    assert not is_signed_in(age(make_client(alice), idle=61))


def test_one_device_is_signed_out_from_another(alice: User) -> None:
    phone, desk = device(), device()
    phone_row = UserSession.objects.get(session_key=phone.session.session_key)

    desk.post(f"/accounts/sessions/{phone_row.pk}/end")

    assert (is_signed_in(phone), is_signed_in(desk)) == (False, True)


def test_devices_of_others_and_the_own_one_are_404(alice: User, bob: User) -> None:
    phone, other = device(), device("bob")
    rows = {row.session_key: row.pk for row in UserSession.objects.all()}

    for client in (phone, other):
        own = rows[phone.session.session_key]
        assert client.post(f"/accounts/sessions/{own}/end").status_code == 404
    assert is_signed_in(phone)
    assert is_signed_in(other)


def test_all_other_devices_are_signed_out(alice: User) -> None:
    devices = [device() for _ in range(3)]

    devices[0].post("/accounts/sessions/")

    assert [is_signed_in(one) for one in devices] == [True, False, False]


def test_a_new_password_ends_all_other_sessions(alice: User) -> None:
    desk, phone = device(), device()
    new = "violet harbour cabinet 29"

    desk.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})

    assert (is_signed_in(desk), is_signed_in(phone)) == (True, False)


def test_sessions_of_a_user_are_ended_by_others(alice: User, bob: User) -> None:
    """Admins end sessions without deactivating the account."""
    devices, other = [device(), device()], device("bob")

    assert end_sessions(alice) == 2

    assert [is_signed_in(one) for one in (*devices, other)] == [False, False, True]
