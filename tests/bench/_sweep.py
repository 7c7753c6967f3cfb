"""The measures of sweep.py. Import it only after Django has its settings."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import connection

from archive.database_roles import as_owner
from archive.models import Derived, Recording, Space, Transcript, User
from archive.retention import due as due_spaces
from archive.retention.purge import sweep_all
from archive.storage import keys, store
from tests.bench import Figure, at_least, at_most, without_goal

SIDE = 1000  # due Spaces on each side of the ratio
SMALL = b"x" * 1000  # content of each object; deletions cost the same for any size
HASHED = {"size": len(SMALL), "sha256": "0" * 64, "crc32": 0, "etag": "none"}

ROWS = """
WITH made AS (
    INSERT INTO archive_space (id, host_id, title, audience, ended_at, expires_at, deadline_reasons, transcribe, state,
        is_flagged, is_appealed, processing_step, processing_step_done, processing_step_total, fingerprint, salt,
        attempts, unforeseen, fence, problem, reported_cause)
    SELECT gen_random_uuid(), %(host)s, 'A row', '', now() + %(left)s - interval '30 days' - n * interval '1 second',
        now() + %(left)s - n * interval '1 second', '[{"code": "base", "days": 30}]', false, 'available', false, false,
        '', 0, 0, '', repeat('0b', 32), 0, 0, 0, '{}', ''
    FROM generate_series(1, %(count)s) n RETURNING id, ended_at
)
INSERT INTO archive_logentry (event, premis, space_id, actor_kind, detail)
SELECT 'space.registered', '', id, 'system', jsonb_build_object('ended_at', ended_at,
    'policy', '{"retention_days": 30, "violation_extra_days": 90, "lift_grace_days": 7}'::jsonb) FROM made
"""


@dataclass
class Cost:
    seconds: float = 0
    statements: int = 0
    calls: int = 0


def rate(due: int, among: int) -> Iterator[Figure]:
    fill(among - due)
    make_due(due)
    cost = swept(due)
    yield without_goal("sweep_time", round(cost.seconds, 1), "s")
    yield at_least("sweep_rate", due / cost.seconds, "Spaces/s", 10_000 / 900)  # 10,000 within 15 minutes
    yield at_most("sweep_statements", cost.statements / due, "/Space", 1)
    yield at_most("sweep_s3_calls", cost.calls / due, "/Space", 2.5)


def ratio(small: int, large: int) -> Iterator[Figure]:
    """Compare the two sides. On each, the quicker one of two rounds counts."""
    times = []
    for stored in (small, large):
        fill(stored - Space.objects.count())
        rounds = []
        for _ in range(2):
            make_due(SIDE)
            rounds.append(swept(SIDE).seconds)
        times.append(min(rounds))
    yield at_most("sweep_large_to_small", times[1] / times[0], "times", 1.2)


def fill(count: int) -> None:
    """Write Spaces that are due in three weeks or earlier."""
    _insert(count, "'21 days'")


def make_due(count: int) -> None:
    """Write Spaces that have been due for an hour or longer, with their objects."""
    _insert(count, "'-1 hour'")
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    ids = [due.id for due in due_spaces.due_spaces()]
    assert len(ids) == count
    _put(ids)


def _insert(count: int, left: str) -> None:
    host = User.objects.get_or_create(username="host")[0]
    with connection.cursor() as cursor:
        cursor.execute(ROWS.replace("%(left)s", f"interval {left}"), {"host": host.pk, "count": max(count, 0)})


def _put(ids: list[UUID]) -> None:
    sound = {"extension": "m4a", "content_type": "audio/mp4", "codec": "aac", "duration_ms": 1, "sample_rate": 1}
    recordings = [Recording(space_id=pk, key=keys.recording(pk, 1, "m4a"), channels=1, **sound, **HASHED) for pk in ids]
    transcripts = [
        Transcript(space_id=pk, key=keys.transcript(pk, "1", "en"), language="en", cues=[], **HASHED) for pk in ids
    ]
    derived = [
        Derived(space_id=pk, key=keys.peaks(pk), kind="peaks", content_type="application/json", **HASHED) for pk in ids
    ]
    Recording.objects.bulk_create(recordings)
    Transcript.objects.bulk_create(transcripts)
    Derived.objects.bulk_create(derived)
    bucket = store()
    client, name = bucket.client, bucket.bucket
    with ThreadPoolExecutor(8) as threads:
        everything = [row.key for row in chain(recordings, transcripts, derived)]
        list(threads.map(lambda key: client.put_object(Bucket=name, Key=key, Body=SMALL), everything))


def swept(due: int) -> Cost:
    with counted() as cost:
        began = time.monotonic()
        gone = sum(1 for _ in sweep_all())
        cost.seconds = time.monotonic() - began
    assert gone == due, f"{gone} of {due} were deleted"
    return cost


@contextmanager
def counted() -> Iterator[Cost]:
    """Count this process's queries and requests to the store."""
    cost = Cost()

    def statement(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        cost.statements += 1
        return execute(sql, params, many, context)

    def call(**kwargs: Any) -> None:
        cost.calls += 1

    client = store().client
    client.meta.events.register("before-call.s3", call)
    try:
        with connection.execute_wrapper(statement):
            yield cost
    finally:
        client.meta.events.unregister("before-call.s3", call)
