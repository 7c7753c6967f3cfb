"""Roles, activation and passwords of accounts: each change is logged once, and nobody can raise their own
privileges."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from archive.accounts import closing, roles, sessions
from archive.errors import Refused
from archive.models import LogEntry, User
from tests.support.factory import make_user
from tests.support.threads import at_once

Change = Callable[[User, User | None], bool]


def entries() -> list[tuple[str, str, int | None, dict[str, Any]]]:
    found = LogEntry.objects.filter(event__startswith="account.").order_by("id")
    return [(entry.event, entry.actor_kind, entry.actor_id, entry.detail) for entry in found]


def code_of(change: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        change()
    return caught.value.code


@pytest.fixture
def root(db: None) -> User:
    user = make_user("root")
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    user.refresh_from_db()
    return user


@pytest.mark.usefixtures("db")
class TestChanges:
    def test_a_role_is_granted_and_revoked_once_each(self, admin: User, alice: User) -> None:
        assert [roles.grant_role(alice.pk, "auditors", admin) for _ in range(2)] == [True, False]
        assert User.objects.get(pk=alice.pk).is_auditor
        assert [roles.revoke_role(alice.pk, "auditors", admin) for _ in range(2)] == [True, False]

        assert not User.objects.get(pk=alice.pk).is_auditor
        assert entries() == [
            ("account.role_granted", "user", admin.pk, {"account": alice.pk, "role": "auditors"}),
            ("account.role_revoked", "user", admin.pk, {"account": alice.pk, "role": "auditors"}),
        ]

    def test_a_superuser_is_a_role_too(self, root: User, alice: User) -> None:
        assert roles.grant_role(alice.pk, "superusers", root)
        alice.refresh_from_db()
        assert (alice.is_superuser, alice.is_staff) == (True, True)

        assert roles.revoke_role(alice.pk, "superusers", root)
        alice.refresh_from_db()
        assert (alice.is_superuser, alice.is_staff) == (False, False)
        assert [event for event, *_ in entries()] == ["account.role_granted", "account.role_revoked"]

    def test_an_account_is_switched_off_and_on(self, admin: User, alice: User) -> None:
        assert [roles.set_active(alice.pk, active=False, by=admin) for _ in range(2)] == [True, False]
        assert [roles.set_active(alice.pk, active=True, by=admin) for _ in range(2)] == [True, False]

        assert entries() == [
            ("account.deactivated", "user", admin.pk, {"account": alice.pk}),
            ("account.activated", "user", admin.pk, {"account": alice.pk}),
        ]

    def test_a_role_is_as_old_as_the_last_activation(self, admin: User, bob: User) -> None:
        roles.grant_role(bob.pk, "admins", admin)
        first = bob.role_since("admins")
        assert first is not None
        assert bob.has_role_since_before("admins", first) is False

        roles.set_active(bob.pk, active=False, by=admin)
        roles.set_active(bob.pk, active=True, by=admin)

        bob = User.objects.get(pk=bob.pk)
        second = bob.role_since("admins")
        assert second is not None
        assert first < second
        assert (bob.has_role_since_before("admins", second), bob.role_since("auditors")) == (False, None)


REFUSED: dict[str, tuple[str, str, Change]] = {
    "own-role": ("ada", "account.own_role", lambda account, by: roles.grant_role(by.pk, "auditors", by)),  # type: ignore[union-attr]
    "own-superuser": ("root", "account.own_role", lambda account, by: roles.grant_role(by.pk, "admins", by)),  # type: ignore[union-attr]
    "no-admin": ("bob", "account.not_an_admin", lambda account, by: roles.grant_role(account.pk, "admins", by)),
    "auditor": ("otto", "account.not_an_admin", lambda account, by: roles.set_active(account.pk, active=False, by=by)),
    "admin-makes-superuser": (
        "ada",
        "account.not_a_superuser",
        lambda account, by: roles.grant_role(account.pk, "superusers", by),
    ),
    "admin-changes-superuser": (
        "ada",
        "account.not_a_superuser",
        lambda account, by: roles.set_active(User.objects.get(username="root").pk, active=False, by=by),
    ),
    "unknown-role": ("root", "account.no_such_role", lambda account, by: roles.grant_role(account.pk, "hosts", by)),
    "unknown-account": ("root", "account.not_found", lambda account, by: roles.grant_role(10**9, "admins", by)),
    "last-admin-by-superuser": (
        "root",
        "account.last_admin",
        lambda account, by: roles.revoke_role(User.objects.get(username="ada").pk, "admins", by),
    ),
    "last-admin-leaves": (
        "ada",
        "account.last_admin",
        lambda account, by: roles.set_active(by.pk, active=False, by=by),  # type: ignore[union-attr]
    ),
    "last-admin-by-operator": (
        "",
        "account.last_admin",
        lambda account, by: roles.revoke_role(User.objects.get(username="ada").pk, "admins", by),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_changes_leave_no_trace(
    case: str, root: User, admin: User, auditor: User, alice: User, bob: User
) -> None:
    name, code, change = REFUSED[case]
    by = User.objects.get(username=name) if name else None

    assert code_of(lambda: change(alice, by)) == code
    assert entries() == []


def test_an_admin_whose_role_was_revoked_meanwhile_changes_nothing(db: None, admin: User, alice: User) -> None:
    second = make_user("bea", role="admins")
    assert second.is_admin
    roles.revoke_role(second.pk, "admins", admin)

    assert code_of(lambda: roles.grant_role(alice.pk, "admins", second)) == "account.not_an_admin"


def test_a_fresh_admin_removes_no_older_one(db: None, admin: User) -> None:
    bea = make_user("bea", role="admins")
    removals: list[Callable[[User, User], object]] = [
        lambda account, by: roles.revoke_role(account.pk, "admins", by),
        lambda account, by: roles.set_active(account.pk, active=False, by=by),
        lambda account, by: closing.close_account(account.pk, by),
        lambda account, by: sessions.end_sessions(account.pk, by),
    ]
    for remove in removals:
        assert code_of(lambda remove=remove: remove(admin, bea)) == "account.older_admin"  # type: ignore[misc]
    assert entries() == []

    assert roles.set_active(bea.pk, active=False, by=admin)
    assert roles.set_active(bea.pk, active=True, by=admin)
    call_command("account", "revoke", "ada", "admins", stdout=StringIO())
    assert User.objects.get(groups__name="admins") == bea


def test_two_admins_cannot_revoke_each_other(committed: None) -> None:
    ada, bea = make_user("ada", role="admins"), make_user("bea", role="admins")

    def revoke(account: User, by: User) -> str:
        try:
            return str(roles.revoke_role(account.pk, "admins", by))
        except Refused as error:
            return error.code

    outcomes = at_once(lambda: revoke(bea, ada), lambda: revoke(ada, bea))

    assert outcomes[0] == "True"
    assert outcomes[1] in ("account.not_an_admin", "account.older_admin")  # the second account is also the newer one
    assert User.objects.filter(groups__name="admins").count() == 1


@pytest.mark.usefixtures("db")
class TestCommands:
    def test_the_operator_grants_a_role(self, alice: User) -> None:
        call_command("account", "grant", "alice", "admins", stdout=StringIO())

        assert entries() == [("account.role_granted", "command", None, {"account": alice.pk, "role": "admins"})]

    def test_a_command_for_an_admin_is_logged_as_a_command(self, alice: User, admin: User) -> None:
        call_command("account", "deactivate", "alice", "--by", "ada", stdout=StringIO())

        assert entries() == [("account.deactivated", "command", admin.pk, {"account": alice.pk})]

    def test_the_last_admin_stays(self, admin: User) -> None:
        with pytest.raises(CommandError, match="last active admin"):
            call_command("account", "revoke", "ada", "admins", stdout=StringIO())

    @pytest.mark.parametrize("arguments", [("grant", "ada"), ("activate", "ada", "admins"), ("grant", "eve", "admins")])
    def test_wrong_arguments(self, admin: User, arguments: tuple[str, ...]) -> None:
        with pytest.raises(CommandError):
            call_command("account", *arguments, stdout=StringIO())
        assert entries() == []

    def test_a_new_superuser_is_logged(self, root: User) -> None:
        call_command("createsuperuser", "--noinput", "--username", "eve", "--email", "", stdout=StringIO())

        eve = User.objects.get(username="eve")
        assert entries() == [("account.role_granted", "command", None, {"account": eve.pk, "role": "superusers"})]

    def test_a_changed_password_is_logged(self, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("getpass.getpass", lambda **options: "a long new sentence")
        call_command("changepassword", "alice", stdout=StringIO())

        assert User.objects.get(pk=alice.pk).check_password("a long new sentence")
        assert entries() == [("account.password_changed", "command", None, {"account": alice.pk})]
