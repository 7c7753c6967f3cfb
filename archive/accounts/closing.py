"""Close an account: erase the personal data, keep the row.

Tombstones, the log, certificates, flags and holds refer to the account by its number. They stay valid, and nothing
links the number to a person any more. Spaces are not erased here: each has a deadline and a proven deletion. So an
account that hosts Spaces can't be closed before they are deleted.
"""

from typing import Any

from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from archive import feeds, recorders
from archive.accounts.changes import actor_of, check_is_no_older_admin, check_is_not_last_admin, lock_account, record
from archive.errors import Refused
from archive.log import events
from archive.models import (
    Digest,
    FormSubmission,
    IdempotencyKey,
    Invitation,
    Notice,
    Participant,
    ReviewClaim,
    RoleMembership,
    SavedLogView,
    Space,
    User,
)
from archive.webhooks import endpoints

NAME = "closed #{pk}"  # no user name may contain a blank or #
OWN = "archive"  # this app's tables are named below; in other apps, all rows that refer to the account are deleted


def close_account(account_id: int, by: User | None) -> None:
    """Erase the name, the address and the settings of the account, and disable it for good. `by` is its owner, an
    admin, or None for the operator. Raises Refused while it hosts Spaces, for the last active admin, and if the account
    has been an admin for longer than `by`."""
    with transaction.atomic():
        account = lock_account(account_id, None if by is not None and by.pk == account_id else by)
        check_is_no_older_admin(account, by)
        check_may_close(account)
        record(events.ACCOUNT_CLOSED, account, by)
        actor = actor_of(by)
        endpoints.remove_all_of(account, actor)
        feeds.revoke_all_of(account, actor)
        recorders.revoke_all_of(account, actor)
        _erase_rows(account)
        _erase_account(account)


def check_may_close(account: User) -> None:
    """Raise Refused if the account can't be closed now."""
    check_is_not_last_admin(account)
    spaces = Space.objects.filter(host=account).exclude(state=Space.State.DELETED)
    if held := spaces.filter(expires_at=None).count():
        raise Refused("account.hosts_held_spaces", count=held)
    if (last := spaces.order_by("expires_at").last()) is not None:
        raise Refused("account.hosts_spaces", count=spaces.count(), until=last.expires_at)


def _erase_rows(account: User) -> None:
    RoleMembership.objects.filter(user=account).delete()
    Notice.objects.filter(user=account).delete()
    Digest.objects.filter(user=account).delete()
    SavedLogView.objects.filter(user=account).delete()
    ReviewClaim.objects.filter(admin=account).delete()
    IdempotencyKey.objects.filter(user=account).delete()
    FormSubmission.objects.filter(user=account).delete()
    Participant.objects.filter(user=account).update(user=None)
    if account.email:
        Invitation.objects.filter(email__iexact=account.email).delete()
    for relation in foreign_relations():
        rows_of(relation, account).delete()
    _erase_admin_entries(account)


def _erase_account(account: User) -> None:
    User.objects.filter(pk=account.pk).update(
        username=NAME.format(pk=account.pk),
        first_name="",
        last_name="",
        email="",
        password=make_password(None),  # unusable: matches no password
        time_zone="",
        time_zone_chosen=False,
        unmailed_kinds=[],
        digest_since=None,
        is_active=False,
        is_staff=False,
        is_superuser=False,
        last_login=None,
        session_generation=F("session_generation") + 1,
        closed_at=Now(),
    )


def foreign_relations() -> list[Any]:
    """Return relations of other apps' tables to accounts: e-mail addresses, second factors, linked accounts,
    sessions."""
    return [relation for relation in relations() if relation.related_model._meta.app_label != OWN]


def relations() -> list[Any]:
    """Return every relation of a table to accounts, including those without a reverse name."""
    fields = User._meta.get_fields(include_hidden=True)
    return [field for field in fields if field.auto_created and not field.concrete and not field.many_to_many]


def rows_of(relation: Any, account: User) -> Any:
    """Return the rows of one relation that refer to the account."""
    return relation.related_model._default_manager.filter(**{relation.field.name: account})


def _erase_admin_entries(account: User) -> None:
    """Delete entries of Django's admin about the account, since they repeat its user name. (`foreign_relations` covers
    the entries about its own acts.)"""
    if apps.is_installed("django.contrib.admin"):
        entries = apps.get_model("admin", "LogEntry")._default_manager.filter(object_id=str(account.pk))
        entries.filter(content_type__app_label=OWN, content_type__model="user").delete()
