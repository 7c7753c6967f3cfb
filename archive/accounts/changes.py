"""Shared by all changes of accounts: lock the rows, check that the caller may change the account, write the log entry.

Changes of accounts are rare, so they are serialized: each locks the row of the group `admins` first. Otherwise two
admins could revoke each other at the same moment and leave the archive without an admin.
"""

from typing import Any

from django.contrib.auth.models import Group
from django.db.models import QuerySet

from archive import log
from archive.errors import Refused
from archive.log import OPERATOR, Actor
from archive.models import User
from archive.models.user import ADMINS


def lock_account(account_id: int, by: User | None, *, by_superuser: bool = False) -> User:
    """Return the account, locked until the transaction ends and read after all earlier changes of accounts. Raises
    Refused if it does not exist or was closed, and if `by` may not change it (with `by_superuser`: is not a
    superuser)."""
    Group.objects.select_for_update().get(name=ADMINS)
    ids = {account_id} | ({by.pk} if by else set())
    rows = {user.pk: user for user in User.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")}
    account = rows.get(account_id)
    if account is None:
        raise Refused("account.not_found")
    if account.closed_at is not None:
        raise Refused("account.closed")
    if by is not None:
        check_may_change(account, rows.get(by.pk, by), by_superuser=by_superuser)
    return account


def check_may_change(account: User, by: User, *, by_superuser: bool = False) -> None:
    """Raise Refused unless `by` may change the roles and the activity of this account. Admins and superusers may; only
    superusers may change those of a superuser."""
    if not by.may_change_accounts:
        raise Refused("account.not_an_admin", user=by.username)
    if by_superuser and not by.is_superuser:
        raise Refused("account.not_a_superuser", user=by.username)
    if conflict := find_superuser_conflict(account, by):
        raise conflict


def find_superuser_conflict(account: User, by: User) -> Refused | None:
    """Return the error to raise if only a superuser may change this account."""
    if account.is_superuser and not by.is_superuser:
        return Refused("account.not_a_superuser", user=by.username)
    return None


def check_is_no_older_admin(account: User, by: User | None) -> None:
    if conflict := find_older_admin_conflict(account, by):
        raise conflict


def find_older_admin_conflict(account: User, by: User | None) -> Refused | None:
    """Return the error to raise if `account` has been an admin for longer than `by`. So a new admin, or a thief of
    their session, can't remove all other admins or keep ending their sessions. Superusers and the operator may."""
    if by is None or by.is_superuser or by.pk == account.pk:
        return None
    since, own = (User.objects.get(pk=user.pk).role_since(ADMINS) for user in (account, by))
    if since is not None and (own is None or since < own):
        return Refused("account.older_admin", user=account.username, since=since)
    return None


def check_is_not_last_admin(account: User) -> None:
    if conflict := find_last_admin_conflict(account):
        raise conflict


def find_last_admin_conflict(account: User) -> Refused | None:
    """Return the error to raise if no other active admin would remain without this one."""
    if account.is_active and account.is_admin and not active_admins().exclude(pk=account.pk).exists():
        return Refused("account.last_admin")
    return None


def active_admins() -> QuerySet[User]:
    return User.objects.filter(is_active=True, groups__name=ADMINS)


def record(event: str, account: User, by: User | None, **detail: Any) -> None:
    """Log a change, in its transaction. `by` is None for the operator."""
    log.record(event, space_id=None, actor=actor_of(by), account=account.pk, **detail)


def actor_of(by: User | None) -> Actor:
    """Return the actor for the log. `by` is None for the operator."""
    return Actor.of(by) if by else OPERATOR
