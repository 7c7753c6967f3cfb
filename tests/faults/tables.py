"""Read pending work and the deadlines of Spaces with plain SQL."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

DAY = timedelta(days=1)
# Rows that a worker should have processed, for each table of work (test_work_log.py compares them).
STUCK = {
    "archive_space": "state IN ('receiving', 'processing', 'expiring') OR (state <> 'deleted' AND expires_at <= now())",
    "archive_uploadsession": "state IN ('open', 'uploaded') OR (upload_id <> '' AND "
    "(state = 'aborted' OR (state = 'accepted' AND kind = 'transcript')))",
    "archive_transcription": "state IN ('requested', 'running')",
    "archive_bundle": "state IN ('requested', 'building') OR (state = 'ready' AND verified_by = '') "
    "OR (state IN ('failed', 'removed') AND NOT storage_cleared)",
    "archive_exportpart": "state IN ('requested', 'building') OR (state = 'ready' AND verified_by = '') "
    "OR (state IN ('failed', 'removed') AND NOT storage_cleared)",
    "archive_arrival": "state IN ('pending', 'copying', 'examining') "
    "OR (state IN ('accepted', 'refused') AND NOT settled)",
    "archive_notice": "state = 'pending'",
    "archive_digest": "state = 'pending'",
    "archive_webhookdelivery": "state = 'pending'",
    "archive_invitation": "state = 'pending' AND expires_at > now()",
    "archive_accountmail": "state = 'pending'",
    "archive_checkpointmail": "state = 'pending'",
    "archive_logverification": "state = 'pending'",
    "archive_logsequencer": "problem <> '{}'",
    "archive_logpublisher": "problem <> '{}'",
    "archive_deletionrecheck": "marker <> '' OR finished_at IS NULL OR finished_at < now() - interval '24 hours'",
}


def rows(sql: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return list(cursor.fetchall())


def stuck() -> list[str]:
    """Return a line for each row that still waits for a worker."""
    return [
        f"{table} {pk} is {state}: {problem}"
        for table, waits in STUCK.items()
        for pk, state, problem in rows(f"SELECT id, state, problem FROM {table} WHERE {waits}")
    ]


def promised(ended_at: datetime, lifted: Sequence[datetime | None], *, held: bool) -> datetime | None:
    """Return the deadline by the retention rule. `lifted`: when each violation was lifted, None if it was not."""
    if held:
        return None
    if None in lifted:
        return ended_at + 120 * DAY
    last = max((moment + 7 * DAY for moment in lifted if moment), default=ended_at)
    return min(max(ended_at + 30 * DAY, last), ended_at + 120 * DAY)


def deadlines() -> Iterator[str]:
    """Yield a line for each deadline that differs from the retention rule."""
    facts: dict[UUID, list[datetime | None]] = {}
    for pk, lifted_at in rows("SELECT space_id, lifted_at FROM archive_violation"):
        facts.setdefault(pk, []).append(lifted_at)
    held = {pk for (pk,) in rows("SELECT space_id FROM archive_hold WHERE state = 'standing'")}
    for pk, ended_at, expires_at in rows("SELECT id, ended_at, expires_at FROM archive_space WHERE state <> 'deleted'"):
        if expires_at != (due := promised(ended_at, facts.get(pk, []), held=pk in held)):
            yield f"{pk} is kept until {expires_at}, and the rule says {due}"
