"""Every list gets its order from an index, whatever its filter, so that a page costs the same for any number of Spaces.

With sorting switched off, PostgreSQL sorts only where no index gives the order, so plans on an empty database show it.
`make bench ARGS=pages` measures the cost in a large archive.
"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive import dbtime
from archive.editing.facts import Facts, SpaceEdit, edit_space, read_editable
from archive.models import Recording, Space, User
from archive.retention.purge import purge
from archive.search import index_spaces, names
from portal.forms.lists import SPACE_FILTERS, SPACE_ORDERS
from portal.presenters.space_list import PAGE, ListQuery, space_list
from tests.support.deadlines import make_due
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.webhook_receiver import subscribe

pytestmark = pytest.mark.usefixtures("db")

UNSORTED = "SET LOCAL enable_sort = off; SET LOCAL enable_incremental_sort = off; SET LOCAL enable_seqscan = off"


def sorted_plans(queries: CaptureQueriesContext, size: int) -> list[str]:
    """Return the plans with a sort among the statements that read one row more than a page of this size."""
    pages = [sql for sql in (query["sql"] for query in queries.captured_queries) if f"LIMIT {size + 1}" in sql]
    assert pages
    plans = []
    with connection.cursor() as cursor:
        cursor.execute(UNSORTED)
        for sql in pages:
            cursor.execute(f"EXPLAIN {sql}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    return [plan for plan in plans if "Sort" in plan]


@pytest.mark.parametrize("sort", SPACE_ORDERS)
@pytest.mark.parametrize("role", ["alice", "admin"])
def test_the_orders_of_spaces(alice: User, admin: User, role: str, sort: str) -> None:
    user = {"alice": alice, "admin": admin}[role]

    with CaptureQueriesContext(connection) as queries:
        for code in SPACE_FILTERS:
            space_list(user, ListQuery(code, sort), None, dbtime.now())

    assert sorted_plans(queries, PAGE) == []


# The log sorts within one page per event or person; tests/test_log_plans.py checks its plans.
@pytest.mark.parametrize(
    ("url", "size"),
    [
        ("/moderation/", 20),
        ("/moderation/?order=newest", 20),
        ("/moderation/?order=listened", 20),
        ("/moderation/?tab=reviewed", 20),
        ("/moderation/?tab=flagged", 20),
        ("/moderation/?host=1", 20),
        ("/moderation/?host=1&order=newest", 20),
        ("/moderation/?host=1&order=listened", 20),
        ("/moderation/?host=1&tab=flagged", 20),
        ("/moderation/appeals/decided/", 25),
        ("/moderation/holds/", 25),
        ("/log/deadlines/", 50),
        ("/certificates/", 50),
        ("/people/", 50),
        ("/people/invitations/", 50),
        ("/notices/", 25),
    ],
)
def test_the_orders_of_other_lists(admin: User, url: str, size: int) -> None:
    client = make_client(admin)

    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200

    assert sorted_plans(queries, size) == []


def test_the_deliveries_of_a_webhook(admin: User) -> None:
    endpoint, _ = subscribe("https://example.org/", admin)

    with CaptureQueriesContext(connection) as queries:
        assert make_client(admin).get(f"/webhooks/{endpoint.pk}/").status_code == 200

    assert sorted_plans(queries, 50) == []


def edit_title(space: Space, title: str, host: User) -> None:
    edition = read_editable(Space.objects.get(pk=space.pk)).edition
    assert edit_space(space.pk, edition, SpaceEdit(Facts(title), []), host)


def add_recording(space: Space, duration_ms: int) -> None:
    facts = {"extension": "m4a", "content_type": "audio/mp4", "codec": "aac", "sample_rate": 48000, "channels": 1}
    stored = {"key": f"spaces/{space.pk}/x", "size": 1, "sha256": "0" * 64, "crc32": 1, "etag": "e"}
    Recording.objects.create(space=space, duration_ms=duration_ms, **facts, **stored)
    index_spaces(space.pk)


def keys(space: Space) -> tuple[str | None, int | None]:
    row = Space.objects.get(pk=space.pk)
    return row.title_key, row.duration_ms


def test_the_columns_to_sort_by_follow_what_they_copy(alice: User) -> None:
    space = make_row(alice, title="Élan  vital!")
    assert keys(space) == ("elan vital", None)

    for title, key in (("Über uns", "uber uns"), ("", None), ("?!", None), ("Zebra", "zebra")):
        edit_title(space, title, alice)
        assert keys(space) == (key, None)
    add_recording(space, 61_000)
    assert keys(space) == ("zebra", 61_000)

    make_due(space)
    assert purge(space.pk)
    assert keys(space) == (None, None)


def test_a_title_that_was_read_before_an_edit_is_not_written(alice: User) -> None:
    """This happens when a recording is stored while its Space is edited."""
    space = make_row(alice, title="Before")
    before = names.read_rows([space.pk])
    edit_title(space, "After", alice)

    names.write_rows(before)

    assert keys(space) == ("after", None)
