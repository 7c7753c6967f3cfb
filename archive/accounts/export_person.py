"""Export all data about a person as JSON: the answer to a request for access.

It reads every table that refers to accounts, of any app, so a new table is included automatically. It leaves out
secrets (hashes of passwords and tokens, keys of second factors) and content: recordings and transcripts are in the
bundles.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Model, Q

from archive.accounts.closing import relations, rows_of
from archive.log import rfc3339
from archive.models import Invitation, LogEntry, Participant, Space, User

# Names of columns that are secret, and of columns with content.
SECRET = {
    "password",
    "secret_sha256",
    "token_sha256",
    "token",
    "token_secret",
    "data",
    "session_key",
    "key",
    "settings",
    "secret",
    "former_secret",
}
CONTENT = {"cues", "evidence"}  # evidence quotes lines of Spaces, also of other hosts


def export_person(user: User) -> dict[str, Any]:
    """Return the account, and the rows that refer to it, by table and column."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for relation in relations():
        model, column = relation.related_model, relation.field.name
        rows = [row_as_json(row) for row in rows_of(relation, user).order_by("pk")]
        if rows:
            tables[f"{model._meta.db_table}.{column}"] = rows
    return {
        "account": {**row_as_json(user), "roles": sorted(user.roles)},
        "tables": tables,
        "participants_in_own_spaces": _participants(user),
        "invitations_to_this_address": _invitations(user),
        "log": [row_as_json(entry) for entry in log_entries(user)],
    }


def log_entries(user: User) -> Any:
    """Return log entries by the account, and about it. They hold ids only, and are never erased."""
    about = Q(detail__account=user.pk) | Q(detail__user=user.pk) | Q(detail__host=user.pk)
    spaces = Q(space_id__in=Space.objects.filter(host=user).values("pk"))
    return LogEntry.objects.filter(Q(actor_id=user.pk) | about | spaces).order_by("id")


def row_as_json(row: Model) -> dict[str, Any]:
    """Return the columns of a row, without secrets and content."""
    fields = [field for field in row._meta.concrete_fields if field.name not in SECRET | CONTENT]
    return {field.name: _as_json(field.value_from_object(row)) for field in fields}


def _participants(user: User) -> list[dict[str, Any]]:
    rows = Participant.objects.filter(space__host=user).exclude(space__state=Space.State.DELETED)
    return [row_as_json(row) for row in rows.order_by("pk")]


def _invitations(user: User) -> list[dict[str, Any]]:
    if not user.email:
        return []
    return [row_as_json(row) for row in Invitation.objects.filter(email__iexact=user.email).order_by("pk")]


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, UUID | date):
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str | list | dict) else str(value)
