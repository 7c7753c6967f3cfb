"""End sessions, and allow links for new passwords."""

from django.db import transaction
from django.db.models import F

from archive.accounts.changes import check_is_no_older_admin, lock_account, record
from archive.errors import Refused
from archive.log import events
from archive.models import LogEntry, User


def end_sessions(account_id: int, by: User | None) -> None:
    """End all sessions of the account, including unlisted ones. Raises Refused, also for an older admin's."""
    with transaction.atomic():
        account = lock_account(account_id, None if by is not None and by.pk == account_id else by)
        check_is_no_older_admin(account, by)
        User.objects.filter(pk=account.pk).update(session_generation=F("session_generation") + 1)
        record(events.ACCOUNT_SESSIONS_ENDED, account, by)


def allow_reset_link(account_id: int, by: User) -> User:
    """Log that `by` gets a link that can change the account's password. Returns the account. Raises Refused for an
    account with a role: with the password of another admin, one person could act as two. A former role counts too,
    since an admin could revoke it, make the link, and grant it again."""
    with transaction.atomic():
        account = lock_account(account_id, by)
        if not account.is_active:
            raise Refused("account.inactive")
        if account.pk == by.pk:
            raise Refused("account.own_reset_link")
        if account.has_role or _has_had_a_role(account):
            raise Refused("account.reset_link_of_a_role")
        record(events.ACCOUNT_RESET_LINK_CREATED, account, by)
        return account


def _has_had_a_role(account: User) -> bool:
    return LogEntry.objects.filter(event=events.ACCOUNT_ROLE_GRANTED, detail__account=account.pk).exists()
