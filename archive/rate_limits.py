"""Rate limits per user or recorder token, which all processes count together in PostgreSQL.

The generic cell rate algorithm stores one time for each limit and caller: when all counted requests will be used up.
One statement reads and moves it, so of two simultaneous requests only one gets the last place. A transaction that rolls
back counts nothing. The broker is not needed.

`settings.RATE_LIMITS` maps a limit to (requests, seconds): that many at once, then one whenever its share of the time
has passed.
"""

from typing import NamedTuple

from django.conf import settings
from django.db import connection

from archive.errors import TooManyRequests
from archive.models import RateLimit

# Returns no row when the limit is reached: the WHERE then prevents the update.
TAKE = """
INSERT INTO archive_ratelimit AS counted (key, used_up_at)
VALUES (%(key)s, clock_timestamp() + %(each)s * interval '1 second')
ON CONFLICT (key) DO UPDATE
SET used_up_at = greatest(counted.used_up_at, clock_timestamp()) + %(each)s * interval '1 second'
WHERE greatest(counted.used_up_at, clock_timestamp()) + %(each)s * interval '1 second'
    <= clock_timestamp() + %(period)s * interval '1 second'
RETURNING key
"""
WAIT = """
SELECT ceil(extract(epoch FROM used_up_at - clock_timestamp()) + %(each)s - %(period)s)
FROM archive_ratelimit WHERE key = %(key)s
"""
OLD = """
DELETE FROM archive_ratelimit WHERE key IN (
    SELECT key FROM archive_ratelimit WHERE used_up_at < clock_timestamp() LIMIT 1000 FOR UPDATE SKIP LOCKED
)
"""


class Caller(NamedTuple):
    """The user or recorder token whose requests are counted together."""

    kind: str  # "user" or "recorder"
    id: str


def count(limit: str, caller: Caller) -> None:
    """Count one request. Raises TooManyRequests at the limit, and then does not count it."""
    most, period = settings.RATE_LIMITS[limit]
    values: dict[str, str | float] = {
        "key": f"{limit}:{caller.kind}:{caller.id}",
        "each": period / most,
        "period": period,
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKE, values)
        if cursor.fetchone() is not None:
            return
        cursor.execute(WAIT, values)
        row = cursor.fetchone()
    raise TooManyRequests("limit.reached", most=most, period=period, seconds=max(1, int(row[0]) if row else 1))


def take_turn(name: str, seconds: float) -> bool:
    """Return whether this process is the first to take the turn `name` within the last `seconds`."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"key": f"turn:{name}", "each": seconds, "period": seconds})
        return cursor.fetchone() is not None


def delete_old() -> None:
    """Delete the counts that are used up, a thousand at a time."""
    if RateLimit.objects.exists():
        with connection.cursor() as cursor:
            cursor.execute(OLD)
