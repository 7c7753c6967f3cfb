"""Files for auditors: every entry of a view, every deletion of a period, every change by another policy."""

import csv
import json
from datetime import timedelta
from io import StringIO
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from archive import log
from archive.audit import find
from archive.audit.export import csv_lines, in_chunks, safe_cell
from archive.log import SYSTEM, Actor, events
from archive.models import LogEntry, Space, User
from archive.moderation.violations import flag
from archive.retention.purge import purge
from tests.support.deadlines import make_due
from tests.support.factory import make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")

SPACE = UUID("f512b3fa-0000-4000-8000-000000000001")
FILES = ("/log/entries.{}?event=all", "/log/deletions.{}", "/log/simulation.{}?retention_days=60")


def download(user: User, path: str) -> str:
    answer: Any = make_client(user).get(path)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


def test_who_may_download_a_file(alice: User, admin: User, auditor: User) -> None:
    exported = LogEntry.objects.filter(event="log.exported")
    for user, status in ((admin, 200), (auditor, 200), (alice, 404)):
        client = make_client(user)
        for path, ending in product(FILES, ("csv", "jsonl")):
            before = exported.count()
            assert client.get(path.format(ending)).status_code == status, (user, path)
            assert exported.count() - before == (status == 200), (user, path)


def test_the_entries_of_a_view_are_whole(alice: User, auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The download reads the entries in several statements."""
    monkeypatch.setattr(find, "EXPORT_ROWS", 3)
    numbers = [
        log.record(events.SPACE_DELETED, space_id=SPACE, actor=SYSTEM, removed=[], listed_empty_at=None).pk
        for _ in range(7)
    ]
    log.record(events.BUNDLE_REQUESTED, space_id=SPACE, actor=Actor.of(alice))
    numbers.reverse()

    rows = list(csv.DictReader(StringIO(download(auditor, "/log/entries.csv?event=deletions"), newline="")))
    lines = [json.loads(line) for line in download(auditor, "/log/entries.jsonl?event=deletions").splitlines()]

    assert [int(row["entry"]) for row in rows] == [line["entry"] for line in lines] == numbers
    assert rows[0]["space"] == str(SPACE)
    assert (rows[0]["event"], rows[0]["what_happened"], rows[0]["actor"]) == (
        "space.deleted",
        "Space deleted",
        "Spacekeep",
    )
    assert lines[0]["detail"] == {"removed": [], "listed_empty_at": None}
    assert json.loads(rows[0]["detail"]) == lines[0]["detail"]


def test_lines_of_csv_end_as_the_standard_says(auditor: User) -> None:
    log.record(events.SPACE_DELETED, space_id=SPACE, actor=SYSTEM, removed=[], listed_empty_at=None)

    text = download(auditor, "/log/entries.csv?event=deletions")

    assert text.startswith("entry,at,event,what_happened,premis,space,actor_kind,actor_id,actor,summary,detail\r\n")
    assert text.endswith('"{""listed_empty_at"": null, ""removed"": []}"\r\n')


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("a=1", "a=1"),
        ("", ""),
        (-1, -1),
        (None, None),
    ],
)
def test_no_cell_is_a_formula(value: object, cell: object) -> None:
    assert safe_cell(value) == cell


def test_a_name_that_is_a_formula_is_text(auditor: User, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(username="@alice")
    log.record(events.BUNDLE_REQUESTED, space_id=SPACE, actor=Actor.of(alice))

    (row,) = csv.DictReader(StringIO(download(auditor, "/log/entries.csv?event=bundles"), newline=""))

    assert row["actor"] == "'@alice"


def test_a_file_is_sent_in_pieces() -> None:
    """So that memory use does not depend on the number of entries."""
    read = []

    def rows() -> Any:
        for n in range(1200):
            read.append(n)
            yield [n]

    chunks = in_chunks(csv_lines(["n"], rows()))
    next(chunks)

    assert len(read) == 499
    assert len(list(chunks)) == 2


def test_a_deletion_has_its_deadline_and_delay(alice: User, auditor: User) -> None:
    space = make_row(alice)
    make_due(space)
    assert purge(space.pk)
    space.refresh_from_db()

    (line,) = [json.loads(line) for line in download(auditor, "/log/deletions.jsonl").splitlines()]
    (row,) = csv.DictReader(StringIO(download(auditor, "/log/deletions.csv"), newline=""))

    assert space.expires_at is not None
    assert line["deadline"] == space.expires_at.isoformat().replace("+00:00", "Z")
    assert (line["space"], line["on_time"]) == (str(space.pk), True)
    assert 0 <= line["delay_seconds"] < 60
    assert row["space"] == str(space.pk)


def test_a_simulation_lists_all(alice: User, auditor: User) -> None:
    spaces = [make_row(alice, ended_ago=timedelta(days=days)) for days in (20, 10)]

    rows = list(csv.DictReader(StringIO(download(auditor, "/log/simulation.csv?retention_days=15"), newline="")))

    assert [(row["space"], row["change"]) for row in rows] == [
        (str(spaces[0].pk), "at once"),
        (str(spaces[1].pk), "earlier"),
    ]
    assert make_client(auditor).get("/log/simulation.csv").status_code == 404


@pytest.mark.parametrize(
    "path", ["/log/entries.csv?space=xyz", "/log/deletions.csv?since=x", "/log/simulation.csv?retention_days=0"]
)
def test_a_wrong_filter_gives_no_file(auditor: User, path: str) -> None:
    answer = make_client(auditor).get(path)

    assert answer.status_code == 422
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert not LogEntry.objects.filter(event="log.exported").exists()


def test_the_log_says_who_downloaded_what_without_names(alice: User, auditor: User) -> None:
    download(auditor, "/log/entries.csv?who=alice&space=f512&since=2026-01-01")

    entry = LogEntry.objects.get(event="log.exported")
    assert (entry.actor_id, entry.detail) == (
        auditor.pk,
        {
            "what": "entries",
            "format": "csv",
            "filters": {"events": ["all"], "actors": [alice.pk], "space": "f512", "since": "2026-01-01"},
        },
    )


def test_flags_are_in_the_file_with_their_rule(alice: User, admin: User, auditor: User) -> None:
    flag(make_row(alice, id=SPACE).pk, "spam", "Watches.", admin)

    rows = list(csv.DictReader(StringIO(download(auditor, "/log/entries.csv?event=violation.flagged"), newline="")))

    assert [(row["summary"], row["actor"]) for row in rows] == [("Spam or fraud", "ada")]
    assert Space.objects.count() == 1
