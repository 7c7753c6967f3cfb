"""Change passwords, with a log entry for each change."""

from django.db import transaction

from archive.accounts.changes import record
from archive.log import events
from archive.models import User


def set_password(account: User, password: str, by: User | None) -> None:
    """Store the hash of a new password, which must have been validated. `by` is None for the operator."""
    with transaction.atomic():
        account.set_password(password)
        account.save(update_fields=["password"])
        record_change(account, by)


def record_change(account: User, by: User | None) -> None:
    """Log that the password changed. Call it in the transaction of the change."""
    record(events.ACCOUNT_PASSWORD_CHANGED, account, by)
