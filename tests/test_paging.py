"""Keyset pagination: each row appears once and in order, whatever the cursor."""

import base64
import json
import re
from collections.abc import Callable
from datetime import timedelta
from itertools import chain

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from archive import dbtime, log
from archive.log import SYSTEM, events
from archive.models import Space, User
from portal.paging import page_of, rows_after, rows_around
from tests.support.factory import make_held, make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def rows(alice: User) -> list[Space]:
    """Seven Spaces, the nearest deadline first; three of them have the same end."""
    now = dbtime.now()
    ended = [now - timedelta(days=days) for days in (20, 12, 9, 9, 9, 4, 1)]
    return [make_row(alice, ended_at=moment, title=f"Row {n}") for n, moment in enumerate(ended)]


def all_pages(size: int, *, descending: bool = False) -> list[list[Space]]:
    """Return the pages of all Spaces by deadline, one after the other."""
    pages: list[list[Space]] = []
    cursor: str | None = None
    while cursor is not None or not pages:
        order = ("expires_at", "id")
        page, cursor = page_of(Space.objects.all(), cursor, order, size, descending=descending)
        pages.append(list(page))
    return pages


@pytest.mark.parametrize("descending", [False, True])
def test_pages_show_each_row_once_and_in_order(rows: list[Space], descending: bool) -> None:
    ordered = sorted(rows, key=lambda s: (s.expires_at, s.id), reverse=descending)

    for size in (1, 2, 3, 7, 8):
        assert list(chain(*all_pages(size, descending=descending))) == ordered, size


def test_rows_around_and_after_one(rows: list[Space], alice: User) -> None:
    held, order, spaces = make_held(alice), ("expires_at", "id"), Space.objects.all()
    ordered = sorted(rows, key=lambda s: (s.expires_at, s.id))

    assert rows_around(spaces, ordered[3], order, 2, 10) == (ordered[1:3], [*ordered[3:], held])
    assert rows_around(spaces, ordered[3], order, 2, 3) == (ordered[1:3], ordered[3:6])
    earlier, later = rows_around(spaces, ordered[3], order, 2, 10, descending=True)
    assert [*earlier, *later] == [*reversed(ordered[:6]), held]
    assert list(rows_after(spaces, ordered[3], order).order_by(*order)) == ordered[4:]
    assert set(rows_after(spaces, ordered[3], order, descending=True)) == set(ordered[:3])


INVALID = [
    "",
    "nonsense",
    "é",
    base64.urlsafe_b64encode(b"[1, 2]").decode(),
    base64.urlsafe_b64encode(b"7").decode(),
    base64.urlsafe_b64encode(json.dumps(["2026-01-01T00:00:00", "1"]).encode()).decode(),  # no time zone
    base64.urlsafe_b64encode(json.dumps(["2026-01-01T00:00:00+00:00", "x"]).encode()).decode(),
]


def test_an_invalid_cursor_starts_at_the_beginning(rows: list[Space]) -> None:
    pages = {cursor: page_of(Space.objects.all(), cursor, ("expires_at", "id"), 2)[0] for cursor in INVALID}

    assert {cursor: page[0] for cursor, page in pages.items()} == dict.fromkeys(INVALID, rows[0])


@pytest.mark.parametrize("url", ["/", "/log/"])
@pytest.mark.parametrize("key", ["5", "00000000-0000-4000-8000-000000000000", "9" * 60])
def test_a_cursor_of_another_list_is_harmless(rows: list[Space], admin: User, url: str, key: str) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(["2026-01-01T00:00:00+00:00", key]).encode()).decode()

    assert rows
    assert make_client(admin).get(url, {"after": cursor}).status_code == 200


def add_spaces(host: User, count: int) -> None:
    for n in range(count):
        space = make_row(host, ended_ago=timedelta(days=24, hours=n))
        with transaction.atomic():
            log.record(events.BUNDLE_READY, space_id=space.id, actor=SYSTEM, size=7)


@pytest.mark.parametrize("url", ["/", "/?filter=due", "/?filter=flagged", "/log/?event=all"])
def test_the_number_of_queries_does_not_grow(alice: User, admin: User, url: str) -> None:
    client = make_client(admin)
    counts: list[int] = []
    for _ in (2, 20):
        add_spaces(alice, 2 if not counts else 18)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1] <= (20 if url.startswith("/log/") else 14)


def test_the_next_page_link_of_the_site(alice: User, make_many: Callable[[int], None]) -> None:
    make_many(30)
    client = make_client(alice)
    seen: list[str] = []
    url = "/"
    while url:
        answer = client.get(url)
        seen += [str(row.space.id) for row in answer.context["rows"]]
        url = answer.context["next_url"] or ""

    assert (len(seen), len(set(seen))) == (30, 30)


@pytest.fixture
def make_many(alice: User) -> Callable[[int], None]:
    return lambda count: add_spaces(alice, count)


def test_held_spaces_come_last(rows: list[Space], alice: User) -> None:
    held = sorted((make_held(alice, title=f"Held {n}") for n in range(3)), key=lambda space: space.id)

    for size in (1, 2, 3, 4, 7, 9, 10, 11):
        pages = all_pages(size)
        assert list(chain(*pages)) == [*sorted(rows, key=lambda s: (s.expires_at, s.id)), *held], size
        assert len(pages) == -(-10 // size)


def test_held_spaces_on_pages_of_the_site(alice: User, admin: User) -> None:
    for _ in range(30):
        make_held(alice)
    add_spaces(alice, 10)
    seen, url = [], "/"
    while url:
        answer = make_client(admin).get(url)
        seen += [row.space for row in answer.context["rows"]]
        url = answer.context["next_url"] or ""

    assert [space.expires_at is None for space in seen] == [False] * 10 + [True] * 30
    assert len({space.pk for space in seen}) == 40
    assert len(make_client(admin).get("/?filter=held").context["rows"]) == 25


@pytest.mark.parametrize(
    "url", ["/", "/moderation/?order=listened", "/moderation/appeals/", "/moderation/holds/", "/log/"]
)
def test_a_forged_cursor_is_harmless(admin: User, url: str) -> None:
    client = make_client(admin)
    for text in ("- x", "- ", "x 5", "5 00000000-0000-4000-8000-000000000000", "2026-01-01 5"):
        cursor = base64.urlsafe_b64encode(text.encode()).decode()
        assert client.get(url, {"after": cursor, "order": "listened"}).status_code == 200, text


@pytest.mark.parametrize("descending", [False, True])
def test_each_query_begins_at_its_place_in_an_index(rows: list[Space], descending: bool) -> None:
    """PostgreSQL would check a condition that is joined by "or" for each row before that place."""
    order, queue = ("expires_at", "id"), Space.objects.to_review()
    _, cursor = page_of(queue, None, order, 2, descending=descending)
    with connection.cursor() as sql:
        sql.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        with CaptureQueriesContext(connection) as queries:
            page_of(queue, cursor, order, 2, descending=descending)
            rows_around(queue, rows[2], order, 2, 3, descending=descending)
            list(rows_after(queue, rows[2], order, descending=descending).order_by("expires_at", "id"))
        placed = [query["sql"] for query in queries if re.search("expires_at\" [<>]= '", query["sql"])]
        plans = []
        for statement in placed:
            sql.execute(f"EXPLAIN {statement}")
            plans.append("\n".join(line for (line,) in sql.fetchall()))

    assert len(plans) == 4
    assert [plan for plan in plans if not re.search(r"Index Cond: .*expires_at [<>]= '", plan)] == []
