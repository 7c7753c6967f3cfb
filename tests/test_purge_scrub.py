"""A purge removes titles, names and transcripts from the database, and leaves the tombstone."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.bundles.build import build, request
from archive.log import SYSTEM
from archive.models import Appeal, Hold, Participant, Rule, Space, User, Violation
from archive.moderation.appeals import appeal, decide
from archive.moderation.evidence import Lines
from archive.moderation.holds import place, release
from archive.moderation.violations import flag, lift
from archive.retention.purge import purge
from tests.support.deadlines import make_due
from tests.support.factory import make_row

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(zebrafish: Space) -> Space:
    return zebrafish


def columns_of_words() -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type IN ('text', 'character varying', 'jsonb')"
        )
        yield from cursor.fetchall()


def where(word: str) -> set[tuple[str, str]]:
    """Return every column of the database that contains `word`."""
    result = set()
    with connection.cursor() as cursor:
        for table, column in columns_of_words():
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" WHERE "{column}"::text ILIKE %s)', [f"%{word}%"])
            if cursor.fetchone() == (True,):
                result.add((table, column))
    return result


def test_no_content_is_left_in_the_database(space: Space, admin: User, second_admin: User) -> None:
    appealed = flag(space.pk, "spam", "An axolotl.", admin, Lines(1, (1,)))
    decide(appeal(appealed.pk, "A wombat.", space.host).pk, "A kakapo.", second_admin, granted=False)
    lift(space.pk, "A pangolin.", admin)
    release(place(space.pk, "A tapir.", admin).pk, "A numbat.", second_admin)
    build(request(space.pk, SYSTEM).pk)
    make_due(space)
    words = ["zebrafish", "okapi", "quagga", "narwhal", "axolotl", "pangolin", "wombat", "kakapo", "tapir", "numbat"]
    words += [space.salt, space.fingerprint]
    assert ("archive_violation", "evidence") in where("quagga")
    assert all(where(word) for word in words)

    assert purge(space.pk)

    assert {word: where(word) for word in words if where(word)} == {}
    # the row only records that there were some
    assert (space.violations.count(), Appeal.objects.count(), space.holds.count()) == (1, 1, 1)


def test_the_number_of_queries_does_not_grow_with_what_it_has(alice: User, admin: User) -> None:
    small, large = make_row(alice), make_row(alice)
    for seat in range(1, 11):
        Participant.objects.create(space=large, role="speaker", seat=seat, name="Ida")
        Violation.objects.create(space=large, rule=Rule.objects.get(code="spam"), flagged_by=admin)
        released = {"state": "released", "released_by": admin, "released_at": large.ended_at}
        Hold.objects.create(space=large, reason="A court.", placed_by=admin, **released)
    counts = []

    for space in (small, large):
        make_due(space)
        with CaptureQueriesContext(connection) as queries:
            assert purge(space.pk)
        counts.append(len(queries))

    assert counts[0] == counts[1]
