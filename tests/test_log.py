"""The retention log is append-only."""

import ast
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from archive import log
from archive.log import SYSTEM, Actor, events
from archive.models import LogEntry, User
from portal.presenters.log import log_line
from portal.presenters.log_details import detail_facts
from tests.support.factory import make_row

SPACE = uuid.UUID("00000000-0000-4000-8000-000000000001")


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def save_again() -> None:
    entry = LogEntry.objects.get()
    entry.event = "space.registered"
    entry.save()


TAMPERING: list[Callable[[], object]] = [
    save_again,
    lambda: LogEntry.objects.update(event="space.registered"),
    lambda: LogEntry.objects.get().delete(),
    lambda: LogEntry.objects.all().delete(),
    lambda: LogEntry.objects.all()._raw_delete("default"),
    lambda: sql("UPDATE archive_logentry SET detail = '{}'"),
    lambda: sql("DELETE FROM archive_logentry"),
    lambda: sql("TRUNCATE archive_logentry"),
]


@pytest.mark.parametrize(
    "tamper",
    TAMPERING,
    ids=["save", "update", "delete one", "delete all", "raw delete", "UPDATE", "DELETE", "TRUNCATE"],
)
@pytest.mark.usefixtures("owner", "db")
def test_not_even_the_owner_changes_or_deletes_an_entry(tamper: Callable[[], object]) -> None:
    log.record(events.SPACE_DELETED, space_id=SPACE, actor=SYSTEM, size=10)

    with pytest.raises(IntegrityError, match="the retention log is append-only"), transaction.atomic():
        tamper()

    entry = LogEntry.objects.get()
    assert (entry.event, entry.detail) == ("space.deleted", {"size": 10})


@pytest.mark.usefixtures("db")
def test_an_entry_has_event_actor_and_time() -> None:
    entry = log.record(events.BUNDLE_READY, space_id=SPACE, actor=Actor("user", 7), size=10)

    entry.refresh_from_db()
    assert (entry.event, entry.premis, entry.space_id) == ("bundle.ready", "packaging", SPACE)
    assert (entry.actor_kind, entry.actor_id, entry.detail) == ("user", 7, {"size": 10})
    assert entry.at.tzinfo is not None


@pytest.mark.usefixtures("db")
def test_unknown_events_are_refused() -> None:
    with pytest.raises(KeyError, match=r"space\.vanished"):
        log.record("space.vanished", space_id=SPACE, actor=SYSTEM)

    assert not LogEntry.objects.exists()


@pytest.mark.usefixtures("committed")
def test_an_entry_needs_a_transaction(alice: User) -> None:
    with pytest.raises(RuntimeError, match="in the transaction of the change"):
        log.record(events.SPACE_DELETED, space_id=SPACE, actor=SYSTEM)

    assert not LogEntry.objects.exists()


@pytest.mark.usefixtures("db")
def test_an_entry_outlives_its_space(alice: User) -> None:
    space = make_row(alice)
    log.record(events.SPACE_REGISTERED, space_id=space.pk, actor=Actor.of(alice))

    space.delete()
    alice.delete()

    assert LogEntry.objects.get().event == "space.registered"


def test_every_constant_is_an_event_and_has_a_label_of_its_own() -> None:
    constants = [value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)]

    assert list(events.EVENTS.values()) == constants
    assert len({str(event.label) for event in events.EVENTS.values()}) == len(constants)


def test_every_event_has_an_icon() -> None:
    icons = (Path(__file__).parent.parent / "archive/static/archive/icons.svg").read_text()

    assert [event for event in events.EVENTS.values() if f'id="{event.icon}"' not in icons] == []


def test_every_event_fits_its_columns() -> None:
    widths = {field.name: field.max_length or 0 for field in LogEntry._meta.fields}

    too_long = [event for event in events.EVENTS.values() if len(event) > widths["event"]]
    too_long += [event for event in events.EVENTS.values() if len(event.premis) > widths["premis"]]

    assert too_long == []


def test_an_event_is_its_name() -> None:
    assert events.SPACE_DELETED == "space.deleted"
    assert json.dumps([events.SPACE_DELETED]) == '["space.deleted"]'


@pytest.mark.usefixtures("db")
def test_an_entry_of_a_newer_version_is_shown_by_its_name() -> None:
    entry = LogEntry.objects.create(event="space.cloned", actor_kind="system", detail={"size": 10})

    line = log_line(entry, {}, {})

    assert (line.label, line.icon, line.summary, line.facts) == ("space.cloned", "dot", "", [("size", "10 bytes")])


@pytest.mark.parametrize("detail", [{}, {"x": None}, {name: [1] for name in ("kind", "size", "role", "rule", "after")}])
def test_an_entry_with_an_unknown_detail_is_shown(detail: dict[str, Any]) -> None:
    """Entries cannot be changed, so a page that fails on one would stay broken."""
    for event in events.EVENTS:
        line = log_line(LogEntry(event=event, actor_kind="system", at=datetime.now(UTC), detail=detail), {}, {})

        assert line.label


def test_values_of_a_detail_have_names_and_units() -> None:
    """The values that programs log, as text for people."""
    digest = "6b" * 32
    detail = {
        "crc32": 0xBEEF, "duration_ms": 88_000, "size": 84_200_000, "sha256": digest, "reason": digest,
        "deadline": None, "deadline_reasons": ["base", "violation"], "attempts": 1, "by_mail": True,
        "ended_at": "2026-12-22T14:05:09Z",
    }  # fmt: skip

    assert detail_facts(detail) == [
        ("CRC-32 checksum", "0000beef"),
        ("length", "1 min 28 s".replace(" ", "\u202f").replace("min\u202f", "min ")),
        ("size", "84.2 MB (84\u202f200\u202f000 bytes)"),
        ("SHA-256 checksum", digest),
        ("reason, as a salted hash", digest),
        ("deadline", "no deadline"),
        ("deadline reasons", "regular period; flagged"),
        ("attempts", "1"),
        ("by mail", "yes"),
        ("ended at", "22 December 2026, 14:05:09 UTC"),
    ]


def test_a_notice_about_a_deletion_is_not_taken_for_a_deleted_notice() -> None:
    entry = LogEntry(event="notice.sent", actor_kind="system", detail={"kind": "deleted", "user": 7})

    line = log_line(entry, {}, {})

    assert (line.label, line.summary, line.facts) == ("Notice sent by e-mail", "about: Space deleted", [("user", "7")])


def test_a_commitment() -> None:
    made = log.commitment("0b" * 32, "Seeds")

    # printf '"Seeds"' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0b0b...
    assert made == "6b69bf8ef6def236090044cfb6ad05e1cd976064ca9732473af3f4cdc4fa38ee"


def test_a_commitment_binds_the_value_and_hides_behind_the_salt() -> None:
    made = log.commitment("0b" * 32, {"a": 1, "b": 2})

    assert made == log.commitment("0b" * 32, {"b": 2, "a": 1})
    assert made != log.commitment("0b" * 32, {"a": 1, "b": 3})
    assert made != log.commitment("0c" * 32, {"a": 1, "b": 2})


def test_each_event_is_declared_once() -> None:
    """A second declaration of a name would give entries of the first one its label and summary."""
    declared = [
        (node.targets[0].id, node.value.args[0].value)  # type: ignore[attr-defined]
        for node in ast.parse(Path(events.__file__).read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("Event(")
    ]
    names, codes = zip(*declared, strict=True)

    assert len(names) > 100
    assert len(set(names)) == len(set(codes)) == len(names)
