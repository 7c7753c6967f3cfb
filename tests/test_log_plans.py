"""Queries for entries of the log read one page of one index, whatever PostgreSQL's statistics say."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from archive.audit.find import MAX_COUNTED, count_entries, find_page
from archive.audit.log_filter import LogFilter
from archive.content_access import record_access
from archive.log.groups import GROUPS
from archive.models import ContentAccess, User
from portal.presenters.log import accesses, history
from tests.support.factory import make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("owner", "db")  # only the owner may run ANALYZE

SIZE = 50
SPACE = UUID("f512b3fa-0000-4000-8000-000000000001")
OTHER = UUID("f512b3fb-0000-4000-8000-000000000002")
FILTERS = {
    "all": (LogFilter(), "log_by_time"),
    "events": (LogFilter(choices=GROUPS["decisions"].choices), "log_by_event"),
    "played": (LogFilter(choices=GROUPS["played"].choices), "log_by_event"),
    "actor": (LogFilter(actor_ids=(7, 8)), "log_by_actor"),
    "rule": (LogFilter(rule="hate"), "log_by_rule"),
    "space": (LogFilter(space_ids=(SPACE,)), "log_by_space"),
    "two Spaces": (LogFilter(space_ids=(SPACE, OTHER)), "log_by_space"),
}
COUNT = 20_000
ENTRIES = """
INSERT INTO archive_logentry (event, premis, space_id, actor_kind, actor_id, detail)
SELECT (ARRAY['violation.flagged', 'content.played', 'content.accessed_by_admin', 'hold.placed'])[1 + n %% 4], '',
    CASE n / 80 WHEN 0 THEN %(space)s WHEN 1 THEN %(other)s ELSE md5((n / 20)::text)::uuid END, 'user', n %% 9,
    CASE n %% 4 WHEN 0 THEN '{"rule": "hate"}'::jsonb ELSE '{"kind": "played"}'::jsonb END
FROM generate_series(0, %(count)s - 1) AS n
"""
# What PostgreSQL believes: only the number of entries (autovacuum may have counted the few entries of an earlier test);
# a sample of 300, most or all entries; that there are only two Spaces and two people; that each entry has its own Space
# and person.
STATISTICS = {
    "none": "ANALYZE archive_logentry (id)",
    "few": "SET LOCAL default_statistics_target = 1; ANALYZE archive_logentry",
    "usual": "SET LOCAL default_statistics_target = 100; ANALYZE archive_logentry",
    "all": "SET LOCAL default_statistics_target = 1000; ANALYZE archive_logentry",
    "frequent": "ALTER TABLE archive_logentry ALTER space_id SET (n_distinct = 2), ALTER space_id SET STATISTICS 0,"
    " ALTER actor_id SET (n_distinct = 2), ALTER actor_id SET STATISTICS 0; ANALYZE archive_logentry",
    "rare": "ALTER TABLE archive_logentry ALTER space_id SET (n_distinct = -1), ALTER actor_id SET (n_distinct = -1);"
    " ANALYZE archive_logentry",
}


@pytest.fixture
def plans() -> Iterator[list[str]]:
    """Collect the plans of the statements that find entries, as they were executed."""
    made: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "archive_logentry e" in sql:
            with connection.cursor() as inner:
                inner.cursor.execute(f"EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) {sql}", params)
                made.append("\n".join(line for (line,) in inner.cursor.fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield made


def add_entries() -> None:
    with connection.cursor() as cursor:
        cursor.execute(ENTRIES, {"space": SPACE, "other": OTHER, "count": COUNT})


def faults_in(plan: str, index: str, most: int) -> list[str]:
    """Return what a plan does in each range besides reading at most `most` entries from this index in order."""
    ranged = plan[plan.index("->  Limit") :]
    faults = [what for what in ("Sort", "Seq Scan", "Bitmap", "Rows Removed") if what in ranged]
    scans = re.findall(r"(\w+) on archive_logentry e \(actual rows=([\d.]+)", ranged)
    return faults + [f"{rows} of {used}" for used, rows in scans if used != index or float(rows) > most]


def test_each_filter_reads_one_page_of_its_index(plans: list[str]) -> None:
    add_entries()
    for statistics in STATISTICS:
        with transaction.atomic():
            check_plans(plans, statistics)
            transaction.set_rollback(True)


def check_plans(plans: list[str], statistics: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(STATISTICS[statistics])
        cursor.execute("SELECT count(*) FROM pg_stats WHERE tablename = 'archive_logentry' AND attname = 'event'")
        assert statistics == "none" or cursor.fetchone() == (1,)  # autovacuum may have created some before

    found: dict[str, tuple[str, list[str]]] = {}
    for name, (wanted, index) in FILTERS.items():
        middle = find_page(wanted, SIZE).entries[10].pk
        find_page(wanted, SIZE, before=middle)
        find_page(wanted, SIZE, after=middle)
        found |= {plan: (name, faults) for plan in plans if (faults := faults_in(plan, index, SIZE + 1))}
        plans.clear()
        count_entries(wanted)
        found |= {plan: (name, faults) for plan in plans if (faults := faults_in(plan, index, MAX_COUNTED + 1))}
        plans.clear()

    assert not found, statistics + "".join(f"\n\n{name}: {faults}\n{plan}" for plan, (name, faults) in found.items())


def test_entries_of_a_space_are_read_in_the_order_of_the_log(auditor: User, alice: User) -> None:
    """With sorting switched off, PostgreSQL sorts only where no index gives the order. The log needs many entries: with
    few, PostgreSQL would choose any index."""
    add_entries()
    with connection.cursor() as cursor:
        cursor.execute(STATISTICS["usual"])
    space = make_row(alice)
    record_access(ContentAccess.Kind.PLAYED, [space], alice)

    with CaptureQueriesContext(connection) as queries:
        assert make_client(auditor).get(f"/log/spaces/{space.pk}/").status_code == 200
        assert (len(history(space, alice)), len(accesses(space, auditor).others)) == (0, 1)

    pages = [query["sql"] for query in queries if 'FROM "archive_logentry"' in query["sql"] and "LIMIT" in query["sql"]]
    assert len(pages) >= 4
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        for sql in pages:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert re.search("log_by_(space|actor) on", plan)  # a user's own visits may be read from either index
            assert "Sort" not in plan
