"""Recorder tokens are shown once, stored as a hash, and refused once revoked or expired."""

import hashlib
import re
from datetime import timedelta

import pytest

from archive import dbtime, recorders
from archive.errors import Refused
from archive.models import LogEntry, RecorderToken, Space, User
from tests.support.api_client import ApiClient
from tests.support.errors import raises_error

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(admin: User) -> tuple[RecorderToken, str]:
    return recorders.create_token("studio", 30, admin, for_anybody=True)


def test_a_token_whose_hosts_are_all_gone_can_do_nothing(admin: User, alice: User, bob: User) -> None:
    token, text = recorders.create_token("studio", 30, admin, [bob])
    assert ApiClient(token=text).announce(host="bob").status == 201
    Space.objects.all().delete()

    bob.delete()

    assert ApiClient(token=text).announce(host="alice").status == 401
    assert (status(text), recorders.find_working(token.prefix)) == (401, None)
    assert recorders.state(token, dbtime.now()) == recorders.TokenState.NO_HOSTS


def test_a_token_ends_with_the_activity_of_its_last_host(admin: User, alice: User, bob: User) -> None:
    _, text = recorders.create_token("studio", 30, admin, [alice, bob])
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert [ApiClient(token=text).announce(host=name).status for name in ("alice", "bob")] == [422, 201]

    User.objects.filter(pk=bob.pk).update(is_active=False)

    assert status(text) == 401


@pytest.mark.parametrize(
    ("hosts", "scopes", "anybody", "code"),
    [
        (False, ["intake"], False, "recorder.hosts_missing"),
        (False, ["bundles"], False, "recorder.hosts_missing"),
        (True, ["intake"], True, "recorder.hosts_and_anybody"),
        (False, ["bundles", "intake"], True, "recorder.downloads_for_anybody"),
    ],
)
def test_hosts_or_everybody_is_a_choice(
    admin: User, alice: User, hosts: bool, scopes: list[str], anybody: bool, code: str
) -> None:
    with raises_error(Refused, code):
        recorders.create_token("studio", 30, admin, [alice] if hosts else [], scopes, for_anybody=anybody)
    assert not RecorderToken.objects.exists()


def status(text: str) -> int:
    return ApiClient(token=text).get("/uploads").status


def test_a_token_is_stored_as_a_hash(made: tuple[RecorderToken, str]) -> None:
    token, text = made

    row = str(RecorderToken.objects.values().get())

    assert re.fullmatch(r"skr_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", text)  # 43 characters of base64: 256 bits
    assert text[17:] not in row
    assert token.secret_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert (token.prefix, token.scopes) == (text[:16], ["intake"])


def test_a_token_authenticates_its_recorder(made: tuple[RecorderToken, str]) -> None:
    assert status(made[1]) == 200


def test_a_wrong_secret_is_refused(made: tuple[RecorderToken, str]) -> None:
    text = made[1]

    assert status(text[:-1] + ("A" if text[-1] != "A" else "B")) == 401
    assert status(text[:16]) == 401
    assert status(text + "A") == 401
    assert status("") == 401
    assert status("skr_000000000000_" + text[17:]) == 401


def test_a_revoked_token_is_refused(made: tuple[RecorderToken, str], admin: User) -> None:
    token, text = made

    assert recorders.revoke(token.pk, admin) is True
    assert recorders.revoke(token.pk, admin) is False

    assert status(text) == 401


def test_an_expired_token_is_refused(made: tuple[RecorderToken, str]) -> None:
    RecorderToken.objects.update(expires_at=dbtime.now())

    assert status(made[1]) == 401


def test_a_token_of_another_scope_is_refused(made: tuple[RecorderToken, str]) -> None:
    RecorderToken.objects.update(scopes=["something else"])

    assert status(made[1]) == 403


@pytest.mark.parametrize("end", ["deactivated", "no admin any more", "deleted"])
def test_a_token_ends_with_the_admin_rights_of_its_creator(
    end: str, made: tuple[RecorderToken, str], admin: User
) -> None:
    if end == "deactivated":
        User.objects.filter(pk=admin.pk).update(is_active=False)
    elif end == "deleted":
        admin.delete()
    else:
        admin.groups.clear()

    assert status(made[1]) == 401
    assert recorders.state(RecorderToken.objects.get(), dbtime.now()) == recorders.TokenState.CREATOR_NOT_ADMIN


def test_last_use_is_recorded_to_the_minute(made: tuple[RecorderToken, str]) -> None:
    used = []
    for ago in (None, timedelta(seconds=50), timedelta(seconds=70)):
        if ago is not None:
            RecorderToken.objects.update(last_used_at=dbtime.now() - ago)
        assert status(made[1]) == 200
        used.append(dbtime.now() - (RecorderToken.objects.get().last_used_at or dbtime.now()))

    assert used[0] < timedelta(seconds=30)
    assert used[1] > timedelta(seconds=49)  # not updated again so soon
    assert used[2] < timedelta(seconds=30)


def test_the_log_names_creator_and_revoker(made: tuple[RecorderToken, str], admin: User) -> None:
    token, text = made
    recorders.revoke(token.pk, admin)

    entries = list(LogEntry.objects.order_by("id"))

    assert [(e.event, e.space_id, e.actor_id) for e in entries] == [
        ("token.created", None, admin.pk),
        ("token.revoked", None, admin.pk),
    ]
    assert {e.detail["recorder"] for e in entries} == {str(token.pk)}
    assert not any(part in str([e.detail for e in entries]) for part in ("studio", text[17:]))


@pytest.mark.parametrize(("name", "days"), [("", 30), (" ", 30), ("x" * 101, 30), ("studio", 0), ("studio", 367)])
def test_invalid_tokens_are_refused(name: str, days: int, admin: User) -> None:
    with pytest.raises(Refused):
        recorders.create_token(name, days, admin, for_anybody=True)
    assert not LogEntry.objects.exists()


def test_only_admins_create_and_revoke(made: tuple[RecorderToken, str], alice: User, auditor: User) -> None:
    for user in (alice, auditor):
        with raises_error(Refused, "recorder.not_an_admin"):
            recorders.create_token("studio", 30, user, for_anybody=True)
        with raises_error(Refused, "recorder.not_an_admin_to_revoke"):
            recorders.revoke(made[0].pk, user)
    assert status(made[1]) == 200
