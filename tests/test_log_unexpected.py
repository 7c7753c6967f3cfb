"""Entries of the log may have an unexpected detail, from another version or by mistake. They cannot be changed, so
everything that shows the log has to cope with each of them forever."""

import csv
import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from archive.log import events, summaries
from archive.log.detail_names import NAMES
from archive.log.events import Event
from archive.models import LogEntry, Space, User
from archive.models.log import LOGGED_DEADLINE
from archive.retention.replay import READ, Entry, judge
from archive.status.deletions import read_deletions
from portal.presenters.log import log_line
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.test_log_files import download


def find_keys() -> list[str]:
    """Collect every key that has a label, or that a summary may read: the string constants of its code."""
    codes = (getattr(function, "__code__", None) for function in vars(summaries).values())
    constants = {constant for code in codes for constant in getattr(code, "co_consts", ())}
    read = {constant for constant in constants if isinstance(constant, str) and constant.isidentifier()}
    return sorted({*NAMES, *read, "kind", "role", "rule", "recorder"})


KEYS = find_keys()
ODD: list[Any] = [
    None, True, -1, 0, 1.5, 10**400, "", "x", "host", "2026-02-31T00:00:00Z", "2026-13-45T00:00:00Z", "2026-01-01",
    [], ["x"], [[]], [{}], [{"key": "a"}], [{"key": "a", "size": "b"}], {}, {"a": None}, {"title": [1]},
]  # fmt: skip
DETAILS: list[dict[str, Any]] = [{}, *(dict.fromkeys(KEYS, value) for value in ODD)]
REPLAYED = ["ended_at", "deadline", "after", "policy", "violation", "lifted_at", "hold", "why"]  # what a replay reads
STORED: list[Any] = [None, 1.5, "x", "2026-02-31T00:00:00Z", [[]], [{"key": "a"}], {"a": None}]
YEARS = ("0000", "0001", "1900", "2000", "2023", "2024", "9999", "12024")
HOURS = ("00:00:00", "23:59:59.999999", "23:59:60", "24:00:00", "24:00:01", "25:00:00", "00:00:00.1234567")
DAYS = [f"{year}-{month:02}-{day:02}" for year in YEARS for month in range(14) for day in range(33)]

# Python may refuse such a count one day, with one of the expected errors.
pytestmark = pytest.mark.filterwarnings("ignore:Plural value must be an integer")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=3),
    max_leaves=6,
)


def check_line(event: str, detail: dict[str, Any]) -> None:
    line = log_line(LogEntry(event=event, actor_kind="system", at=datetime.now(UTC), detail=detail), {}, {})

    assert line.label
    assert isinstance(line.summary, str)
    assert all(isinstance(text, str) for fact in line.facts for text in fact)
    assert {name for name in detail if name not in line.detail} <= {"kind", "role", "removed"}
    assert all(isinstance(one["size"], int | None) for one in line.removed)


def test_every_event_is_shown_with_every_odd_detail() -> None:
    for event in events.EVENTS:
        for detail in DETAILS:
            check_line(event, detail)


@given(st.sampled_from(sorted(events.EVENTS)), st.dictionaries(st.sampled_from(KEYS), json_values))
def test_every_event_is_shown_with_any_detail(event: str, detail: dict[str, Any]) -> None:
    check_line(event, detail)


@given(st.lists(st.tuples(st.sampled_from(READ), st.dictionaries(st.sampled_from(REPLAYED), json_values)), max_size=4))
def test_a_replay_reports_entries_that_it_cannot_read(entries: list[tuple[Event, dict[str, Any]]]) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    judge(UUID(int=1), [Entry(number, now, event, detail) for number, (event, detail) in enumerate(entries)], now)


def test_an_unreadable_entry_leaves_the_history_of_a_replay_as_it_was() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    registered = {"ended_at": "2026-03-01T00:00:00Z", "deadline": "2026-03-31T00:00:00Z"}
    entries = [
        Entry(1, now, events.SPACE_REGISTERED, registered),
        Entry(2, now, events.DEADLINE_MOVED, {"after": "2026-02-31T00:00:00Z", "policy": {"retention_days": "9"}}),
        Entry(3, datetime(2026, 3, 31, tzinfo=UTC), events.DELETION_STARTED, {"why": "deadline"}),
        Entry(4, datetime(2026, 3, 31, tzinfo=UTC), events.SPACE_DELETED, {}),
    ]

    findings = judge(UUID(int=1), entries, datetime(2026, 5, 1, tzinfo=UTC))

    assert [(found.entry, found.text) for found in findings] == [(2, "The details of deadline.moved cannot be read.")]


def is_time(text: str) -> bool:
    try:
        datetime.strptime(text if "." in text else text.replace("Z", ".0Z"), "%Y-%m-%dT%H:%M:%S.%f%z")
    except ValueError:
        return False
    return not text.endswith(":60Z")


@pytest.mark.usefixtures("db")
def test_every_logged_time_can_be_cast_and_every_other_text_is_none() -> None:
    """In SQL, where one invalid text would end each query that reads it."""
    texts = [
        *(f"{day}T00:00:00Z" for day in DAYS),
        *(f"2024-02-29T{hour}Z" for hour in HOURS),
        "x",
        "2024-02-29T00:00:00Z\n",
    ]
    entries = "(SELECT jsonb_build_object('deadline', text) AS detail, text FROM unnest(%s::text[]) AS text) AS entries"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT text, {LOGGED_DEADLINE} FROM {entries}", [texts])
        cast = {text: time for text, time in cursor.fetchall() if time is not None}

    assert set(cast) == {text for text in texts if is_time(text)}
    assert all(datetime.fromisoformat(text) == time for text, time in cast.items())


def write(space: Space, detail: dict[str, Any], user: User) -> None:
    """Write entries that the page of a Space shows, all with this detail, by the system and by a user."""
    names = sorted({*events.SHOWN_TO_HOST, *events.CONTENT_ISSUED, events.SPACE_DELETED})
    rows = [LogEntry(event=name, space_id=space.pk, actor_kind="system", detail=detail) for name in names]
    rows += [
        LogEntry(event=name, space_id=space.pk, actor_kind="user", actor_id=user.pk, detail=detail)
        for name in events.CONTENT_ISSUED
    ]
    LogEntry.objects.bulk_create(rows)


@pytest.mark.usefixtures("db")
def test_every_page_and_file_of_the_log_is_shown(alice: User, admin: User, auditor: User) -> None:
    host, reader = make_client(alice), make_client(auditor)
    for detail in ({}, *(dict.fromkeys(KEYS, value) for value in STORED)):
        space = make_row(alice)
        write(space, detail, admin)

        assert host.get(f"/spaces/{space.pk}/").status_code == 200, detail
        assert reader.get(f"/spaces/{space.pk}/").status_code == 200, detail
        assert reader.get(f"/log/spaces/{space.pk}/").status_code == 200, detail

    for path in ("/log/", "/log/?event=deletions", "/log/overview/", "/certificates/", "/log/deadlines/"):
        assert reader.get(path).status_code == 200, path
    assert read_deletions().deleted == 0  # as the status page and the metrics do
    for name in ("entries", "deletions"):
        lines = [json.loads(line) for line in download(auditor, f"/log/{name}.jsonl?event=all").splitlines()]
        rows = list(csv.DictReader(StringIO(download(auditor, f"/log/{name}.csv?event=all"), newline="")))
        assert len(rows) >= len(lines) >= len(STORED), name
