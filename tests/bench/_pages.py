"""The measures of pages.py, once Django has its settings.

Both sides are in one database, one after the other: first there are few Spaces, then many. 30 % of the Spaces are kept
and 70 % tombstones; a tenth of them is one host's; of the first ones 25 are flagged, of the others one in 1000. So each
list fills a page on both sides.
"""

import statistics
import time
from collections.abc import Iterator

from django.db import connection
from django.test import Client

from archive.database_roles import as_owner
from archive.models import User
from tests.bench import Figure, at_most, without_goal
from tests.support.factory import make_user
from tests.support.http_clients import make_client
from tests.support.search_urls import search_url

KEPT = 0.3
# n is the number of the row, from 1; a deadline is up to 30 days away.
SPACES = """
INSERT INTO archive_space (id, host_id, title, audience, ended_at, expires_at, deadline_reasons, transcribe, state,
    processing_step, processing_step_done, processing_step_total, fingerprint, salt, attempts, unforeseen, fence,
    problem, deleted_at, is_flagged)
SELECT gen_random_uuid(), CASE WHEN n / 10 %% 10 = 0 THEN %(host)s ELSE %(other)s END,
    CASE WHEN kept THEN 'Evening ' || n ELSE '' END, '', ends - interval '30 days', ends,
    '[{"code": "base", "days": 30}]', false, CASE WHEN kept THEN 'available' ELSE 'deleted' END, '', 0, 0, '',
    CASE WHEN kept THEN repeat('0b', 32) ELSE '' END, 0, 0, 0, '{}', CASE WHEN kept THEN NULL ELSE ends END,
    kept AND n %% CASE WHEN n <= 250 THEN 10 ELSE 1000 END = 1
FROM (
    SELECT n, n %% 10 < %(tenths)s AS kept, now() + CASE WHEN n %% 10 < %(tenths)s
        THEN interval '1 hour' + n * interval '30 days' / %(last)s ELSE - n * interval '1 minute' END AS ends
    FROM generate_series(%(first)s, %(last)s) n
) AS made
"""
INDEX = """
INSERT INTO archive_spaceindex (space_id, host_id, title_key, duration_ms, vector)
SELECT id, host_id, lower(title), 1000 + (hashtext(id::text) & 1048575),
    array_to_tsvector(string_to_array(lower(title) || ' @' || host_id || ' #' || replace(id::text, '-', ''), ' '))
FROM archive_space WHERE state = 'available' ON CONFLICT DO NOTHING
"""
LOG = """
INSERT INTO archive_logentry (event, premis, space_id, actor_kind, detail)
SELECT 'space.available', 'accession', id, 'system', '{}' FROM archive_space, generate_series(1, %(entries)s)
WHERE NOT EXISTS (SELECT FROM archive_logentry WHERE space_id = archive_space.id)
"""


def ratios(small: int, large: int, entries: int, requests: int) -> Iterator[Figure]:
    admin, host, other = make_user("admin", "admins"), make_user("host"), make_user("other")
    clients = {"admin": make_client(admin), "host": make_client(host)}
    pages = addresses(admin, host)
    fill(1, small, host, other, entries)
    before = measure(clients, pages, requests)
    fill(small + 1, large, host, other, entries)
    after = measure(clients, pages, requests)
    for name in pages:
        yield at_most(f"page_{name}", round(after[name] / before[name], 2), "x", 1.5)
    yield without_goal("page_slowest_p95", round(1000 * max(after.values())), "ms")


def addresses(admin: User, host: User) -> dict[str, tuple[str, str]]:
    """{name: (who, address)}"""
    pages = {
        f"{who}_{code}": (who, f"/?filter={code}") for who in ("admin", "host") for code in ("all", "due", "deleted")
    }
    pages |= {
        f"{who}_{sort}": (who, f"/?sort={sort}") for who in ("admin", "host") for sort in ("newest", "title", "length")
    }
    pages |= {"admin_flagged": ("admin", "/?filter=flagged"), "admin_held": ("admin", "/?filter=held")}
    pages |= {"admin_appealed": ("admin", "/?filter=appealed"), "log": ("admin", "/log/")}
    pages |= {"admin_search": ("admin", search_url(admin, "evening 901"))}
    return pages | {
        "host_search": ("host", search_url(host, "evening 90")),
        "host_box": ("host", search_url(host, "900", "/")),
    }


def fill(first: int, last: int, host: User, other: User, entries: int) -> None:
    params = {"host": host.pk, "other": other.pk, "first": first, "last": last, "tenths": round(10 * KEPT)}
    with connection.cursor() as cursor:
        cursor.execute(SPACES, params)
        cursor.execute(INDEX)
        cursor.execute(LOG, {"entries": entries})
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measure(clients: dict[str, Client], pages: dict[str, tuple[str, str]], requests: int) -> dict[str, float]:
    """{name: the 95th percentile of the times of its page, in seconds}. The pages take turns."""
    times: dict[str, list[float]] = {name: [] for name in pages}
    for turn in range(requests + 2):
        for name, (who, address) in pages.items():
            connection.cursor().execute("DELETE FROM archive_ratelimit")
            begun = time.perf_counter()
            answer = clients[who].get(address)
            if turn >= 2:  # the first ones fill caches
                times[name].append(time.perf_counter() - begun)
            assert answer.status_code == 200, address
    return {name: statistics.quantiles(values, n=20)[-1] for name, values in times.items()}
