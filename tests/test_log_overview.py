"""The overview counts deletions by day and shows their delays. Stored figures equal computed ones."""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from archive import dbtime, formatting
from archive.audit.days import CLOSED, Day, Delays, compute_days, list_days, store_closed_days
from archive.audit.overview import compliance, list_late
from archive.formatting import format_delay
from archive.log import rfc3339
from archive.models import LogCheckpoint, LogDay, LogQueue, User
from archive.retention.purge import purge
from archive.transparency import sequence, verification
from tests.support.database import as_superuser
from tests.support.deadlines import make_due
from tests.support.factory import make_held, make_row, make_user
from tests.support.http_clients import make_client
from tests.support.old_entries import add_old_entry as add

pytestmark = pytest.mark.usefixtures("committed")

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def add_deletion(at: datetime, delay: float) -> int:
    deadline = rfc3339(at - timedelta(seconds=delay))
    return add("space.deleted", at, deadline=deadline, removed=[{"key": "k", "size": 1}])


def test_days_have_counts_and_delays() -> None:
    for event in ("space.received", "space.received", "violation.flagged", "hold.placed", "bundle.ready"):
        add(event, NOON)
    for delay in (3.9, 3.1, 40, 899.9, 900.5):
        add_deletion(NOON, delay)
    add_deletion(NOON, -60)  # an abandoned upload, deleted before its deadline
    add_deletion(NOON + timedelta(days=1), 5)

    first, second, third = compute_days(date(2026, 3, 9), date(2026, 3, 11))

    assert (first.uploaded, first.deleted, first.delays.worst) == (0, 0, None)
    assert (second.uploaded, second.flagged, second.held, second.deleted) == (2, 1, 1, 6)
    assert second.delays.counts == {4: 2, 40: 1, 900: 1, 901: 1}  # rounded up to whole seconds
    assert (second.delays.late, second.delays.worst) == (1, 901)
    assert (second.delays.median, second.delays.p99) == (40, None)
    assert third.delays.counts == {5: 1}


def test_a_day_ends_at_midnight_in_utc() -> None:
    add("hold.placed", datetime(2026, 3, 10, 23, 59, 59, 999999, tzinfo=UTC))
    add("hold.placed", datetime(2026, 3, 11, tzinfo=UTC))

    assert [day.held for day in compute_days(date(2026, 3, 10), date(2026, 3, 11))] == [1, 1]


def test_the_median_is_the_usual_one_and_99_of_100_needs_100() -> None:
    delays = Delays()
    assert (delays.median, delays.p99, delays.total, delays.late) == (None, None, 0, 0)
    delays.counts.update([7, 34])
    assert (delays.median, delays.p99) == (21, None)
    delays.counts.update([34])
    assert delays.median == 34
    hundred = Delays(Counter(range(1, 101)))
    assert (hundred.median, hundred.p99, hundred.quantile(1)) == (51, 99, 100)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (7.2, "8 s"), (59.5, "1 min"), (88, "1 min 28 s"), (3601, "1 h 1 min"), (3599.5, "1 h"),
     (86399, "1 d"), (86401, "1 d 1 h")],
)  # fmt: skip
def test_a_delay_never_looks_shorter_than_it_was(seconds: float, text: str) -> None:
    assert format_delay(seconds).replace("\u202f", " ") == text


def test_stored_days_equal_computed_ones() -> None:
    for n in range(5):
        add("space.received", NOON + timedelta(days=n))
        add_deletion(NOON + timedelta(days=n), 10.5 * n)
    first, last = date(2026, 3, 10), date(2026, 3, 14)

    assert store_closed_days() == 31
    while store_closed_days():
        pass

    computed = compute_days(first, last)
    assert list_days(first, last) == computed
    assert LogDay.objects.get(day=last).delays == {"42": 1}
    newest = LogDay.objects.order_by("-day")[0].day
    assert newest == (dbtime.now() - CLOSED).astimezone(UTC).date() - timedelta(days=1)


def test_stored_days_are_not_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    add("hold.placed", NOON)
    store_closed_days()
    asked: list[tuple[date, date]] = []

    def compute(first: date, last: date) -> list[Day]:
        asked.append((first, last))
        return compute_days(first, last)

    monkeypatch.setattr("archive.audit.days.compute_days", compute)
    days = list_days(date(2026, 3, 8), date(2026, 4, 11))

    assert asked == [(date(2026, 3, 8), date(2026, 3, 9)), (date(2026, 4, 10), date(2026, 4, 11))]
    assert sum(day.held for day in days) == 1


def test_an_open_day_is_not_stored_and_still_counted() -> None:
    now = dbtime.now()
    add("space.received", now)
    add("space.received", now - CLOSED)
    today = now.astimezone(UTC).date()

    assert store_closed_days() == 0
    assert sum(day.uploaded for day in list_days(today - timedelta(days=2), today)) == 2


def test_a_purge_is_counted_with_its_deadline(alice: User, auditor: User) -> None:
    space = make_row(alice)
    make_due(space)
    assert purge(space.pk)
    with transaction.atomic():
        make_held(alice)

    answer = make_client(auditor).get("/log/overview/")

    card, (deletion,) = answer.context["card"], answer.context["deletions"]
    space.refresh_from_db()
    assert (card.due, card.on_time, card.late, card.abandoned, card.on_hold) == (1, 1, 0, 0, 1)
    assert (deletion.space_id, deletion.deadline, deletion.is_late) == (space.pk, space.expires_at, False)
    page = answer.content.decode()
    assert "Yes: the 1 deletion of this period was confirmed within 15 minutes of its deadline" in page
    began = formatting.format_date(space.created_at.astimezone(UTC).date())
    assert re.search(rf"The log begins on <time[^>]*>{began}</time>", page)
    assert page.count('class="begins"') == 5
    assert "99 of 100 within</dt>" not in page


def test_an_overdue_space_is_an_alarm(alice: User, auditor: User) -> None:
    space = make_row(alice, ended_ago=timedelta(days=30, minutes=16))
    make_row(alice, ended_ago=timedelta(days=30, minutes=14), state="expiring")
    today = dbtime.now().astimezone(UTC).date()

    card = compliance(list_days(today, today), dbtime.now())

    assert (card.overdue, card.oldest_pending, card.due) == (1, space.expires_at, 0)
    page = make_client(auditor).get("/log/overview/").content.decode()
    assert "1 Space is overdue now." in page
    assert "Yes:" not in page


def test_a_period_without_deletions_says_none(auditor: User) -> None:
    page = make_client(auditor).get("/log/overview/", {"since": "2026-01-01", "until": "2026-01-31"}).content.decode()

    assert "No Space was due in this period, and nothing is overdue now." in page
    assert "None: nothing was deleted in this period." in page


def test_late_deletions_are_listed(auditor: User) -> None:
    late = add_deletion(NOON, 3 * 86400)
    add_deletion(NOON, 5)
    add_deletion(NOON + timedelta(days=40), 901)

    answer = make_client(auditor).get("/log/overview/", {"since": "2026-03-01", "until": "2026-03-31"})

    assert [row.number for row in answer.context["late"]] == [late]
    assert len(answer.context["deletions"]) == 2
    page = answer.content.decode()
    assert "1 deletion of this period was overdue" in page
    assert "3\u202fd" in page
    assert list_late(compute_days(date(2026, 3, 11), date(2026, 3, 12))) == []


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"since": "x"}, "Enter a day such as 2026-11-22."),
        ({"since": "2026-02-02", "until": "2026-02-01"}, "“From” is later than “To”."),
        ({"since": "2024-01-01", "until": "2025-01-01"}, "A period has at most 366 days."),
        ({"until": "0001-01-05"}, "Enter a day such as 2026-11-22."),
        ({"since": "9999-12-31", "until": "9999-12-31"}, "Enter a day such as 2026-11-22."),
        ({"since": "2024-01-01", "until": "2024-12-31"}, ""),
    ],
)
def test_a_wrong_period_shows_an_error_and_no_figures(auditor: User, query: dict[str, str], problem: str) -> None:
    answer = make_client(auditor).get("/log/overview/", query)

    assert answer.status_code == 200
    assert "".join(answer.context["problems"]).startswith(problem)
    assert ("card" in answer.context) == (not problem)


def test_the_charts_have_a_bar_for_each_day_with_something(auditor: User) -> None:
    add("space.received", NOON)
    add("space.received", NOON)
    add("space.received", NOON + timedelta(days=1))
    add_deletion(NOON, 1800)

    answer = make_client(auditor).get("/log/overview/", {"since": "2026-03-10", "until": "2026-03-11"})

    uploaded = answer.context["charts"][0]
    assert [(bar.x, bar.y, bar.width, bar.height) for bar in uploaded.bars] == [(36, 0, 288, 120), (396, 60, 288, 60)]
    assert (answer.context["delays"].most, answer.context["delays"].limit_y) == (1800, 60)
    assert answer.content.decode().count("<rect") == 4


def sign(entry: int) -> None:
    LogQueue.objects.create(entry_id=entry)
    assert sequence.run()


def verify(by: User) -> None:
    verification.run(verification.request(by).pk)


def test_the_overview_says_whether_the_log_is_unchanged(auditor: User) -> None:
    client = make_client(auditor)
    page = client.get("/log/overview/").content.decode()
    assert "none has been signed" in page
    assert "The log has not been verified here yet." in page

    entry = add("hold.placed", NOON)
    sign(entry)
    verify(auditor)

    page = client.get("/log/overview/").content.decode()
    newest = LogCheckpoint.objects.get()
    size = f"{newest.size} entr{'y' if newest.size == 1 else 'ies'}, signed at"
    assert size in page
    assert f"Verified: {newest.size} entr" in page
    assert "for <bdi>otto</bdi>" in page

    as_superuser(f"UPDATE archive_logentry SET event = 'hold.released' WHERE id = {entry}")
    verify(make_user("vera", "auditors"))

    page = client.get("/log/overview/").content.decode()
    assert 'class="notice urgent"' in page
    assert f"Entry {entry} was changed (place 0 of the tree)." in page
    assert "for <bdi>vera</bdi>" in page


def test_the_overview_costs_the_same_with_more_checkpoints(auditor: User, settings: Settings) -> None:
    settings.LOG_CHECKPOINT_SECONDS = 0  # each entry gets an index
    client = make_client(auditor)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/log/overview/").status_code == 200
        return len(queries)

    sign(add_deletion(dbtime.now(), 1))
    verify(auditor)
    before = count()
    for number in range(3):
        sign(add_deletion(dbtime.now(), 1))
        verify(make_user(f"auditor-{number}", "auditors"))

    assert LogCheckpoint.objects.count() > 3
    assert count() == before
