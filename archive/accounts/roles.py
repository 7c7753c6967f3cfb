"""Grant and revoke roles, and deactivate and activate accounts.

Each function changes one account in one transaction, with its log entry, and is idempotent. `by` is the account that
requests the change, or None for the operator, who uses a command without --by. Nobody may give a role to themselves,
and the last active admin can't lose the role. No admin may revoke the role of one who has been an admin for longer, or
deactivate them.

A role counts from its grant, or from the last activation of its account: decisions that need two people require a role
that is older than the case.
"""

from django.contrib.auth.models import Group
from django.db import transaction

from archive.accounts.changes import check_is_no_older_admin, check_is_not_last_admin, lock_account, record
from archive.errors import Refused
from archive.log import events
from archive.models import RoleMembership, User
from archive.models.user import ADMINS, AUDITORS, SUPERUSERS

ROLES = (ADMINS, AUDITORS, SUPERUSERS)


def grant_role(account_id: int, role: str, by: User | None) -> bool:
    """Give the account a role, starting now. Returns False if it has it already. Raises Refused."""
    _check_role(role)
    if by is not None and by.pk == account_id:
        raise Refused("account.own_role")
    with transaction.atomic():
        account = lock_account(account_id, by, by_superuser=role == SUPERUSERS)
        if _has_role(account, role):
            return False
        if role == SUPERUSERS:
            account.is_superuser = account.is_staff = True
            account.save(update_fields=["is_superuser", "is_staff"])
        else:
            RoleMembership.objects.create(user=account, group=Group.objects.get(name=role), granted_by=by)
        record(events.ACCOUNT_ROLE_GRANTED, account, by, role=role)
    return True


def revoke_role(account_id: int, role: str, by: User | None) -> bool:
    """Revoke a role. Returns False if the account does not have it. Raises Refused, also for the last active admin."""
    _check_role(role)
    with transaction.atomic():
        account = lock_account(account_id, by, by_superuser=role == SUPERUSERS)
        if not _has_role(account, role):
            return False
        if role == SUPERUSERS:
            account.is_superuser = account.is_staff = False
            account.save(update_fields=["is_superuser", "is_staff"])
        else:
            if role == ADMINS:
                check_is_no_older_admin(account, by)
                check_is_not_last_admin(account)
            RoleMembership.objects.filter(user=account, group__name=role).delete()
        record(events.ACCOUNT_ROLE_REVOKED, account, by, role=role)
    return True


def set_active(account_id: int, *, active: bool, by: User | None) -> bool:
    """Deactivate the account, or activate it again, in which case its roles start now. Returns False if nothing
    changes. Raises Refused, also for the last active admin."""
    if active and by is not None and by.pk == account_id:
        raise Refused("account.own_activation")
    with transaction.atomic():
        account = lock_account(account_id, by)
        if account.is_active == active:
            return False
        if active:
            _grant_again(account, by)
        else:
            check_is_no_older_admin(account, by)
            check_is_not_last_admin(account)
        account.is_active = active
        account.session_generation += 1  # old sessions and download links must not work again after an activation
        account.save(update_fields=["is_active", "session_generation"])
        record(events.ACCOUNT_ACTIVATED if active else events.ACCOUNT_DEACTIVATED, account, by)
    return True


def record_new_superuser(account: User) -> None:
    """Log that a command of the operator created this account as a superuser. Call it in that transaction."""
    record(events.ACCOUNT_ROLE_GRANTED, account, None, role=SUPERUSERS)


def _grant_again(account: User, by: User | None) -> None:
    """Let the account's roles start now, in new rows, since rows of roles never change."""
    groups = list(RoleMembership.objects.filter(user=account).values_list("group_id", flat=True))
    RoleMembership.objects.filter(user=account).delete()
    RoleMembership.objects.bulk_create(RoleMembership(user=account, group_id=group, granted_by=by) for group in groups)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Refused("account.no_such_role", role=role, roles=list(ROLES))


def _has_role(account: User, role: str) -> bool:
    return account.is_superuser if role == SUPERUSERS else account.role_since(role) is not None
