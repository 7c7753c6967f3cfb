"""The retention log: entries are added, and never changed."""

import uuid
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from archive import log
from archive.log import SYSTEM, Actor, events
from archive.models import LogEntry, User
from tests.factory import make_row

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
@pytest.mark.usefixtures("db")
def test_no_entry_is_changed_or_removed(tamper: Callable[[], object]) -> None:
    log.record(events.SPACE_DELETED, space_id=SPACE, actor=SYSTEM, size=10)

    with pytest.raises(IntegrityError, match="the retention log is append-only"), transaction.atomic():
        tamper()

    entry = LogEntry.objects.get()
    assert (entry.event, entry.detail) == ("space.deleted", {"size": 10})


@pytest.mark.usefixtures("db")
def test_an_entry_says_what_who_and_when() -> None:
    entry = log.record(events.BUNDLE_READY, space_id=SPACE, actor=Actor("user", 7), size=10)

    entry.refresh_from_db()
    assert (entry.event, entry.premis, entry.space_id) == ("bundle.ready", "packaging", SPACE)
    assert (entry.actor_kind, entry.actor_id, entry.detail) == ("user", 7, {"size": 10})
    assert entry.at.tzinfo is not None


@pytest.mark.usefixtures("db")
def test_only_events_that_have_words() -> None:
    with pytest.raises(KeyError, match=r"space\.vanished"):
        log.record("space.vanished", space_id=SPACE, actor=SYSTEM)

    assert not LogEntry.objects.exists()


@pytest.mark.usefixtures("committed")
def test_only_in_the_transaction_of_the_change(alice: User) -> None:
    with pytest.raises(RuntimeError, match="in the transaction of the change"):
        log.record(events.SPACE_DELETED, space_id=SPACE, actor=SYSTEM)

    assert not LogEntry.objects.exists()


@pytest.mark.usefixtures("db")
def test_an_entry_outlives_what_it_speaks_of(alice: User) -> None:
    space = make_row(alice)
    log.record(events.SPACE_REGISTERED, space_id=space.pk, actor=Actor.of(alice))

    space.delete()
    alice.delete()

    assert LogEntry.objects.get().event == "space.registered"


def test_every_event_has_words_and_premis_names_only_events() -> None:
    names = {value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)}

    assert set(events.WORDS) == names
    assert set(events.PREMIS) <= names


def test_a_commitment() -> None:
    made = log.commitment("0b" * 32, "Seeds")

    # printf '"Seeds"' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0b0b...
    assert made == "6b69bf8ef6def236090044cfb6ad05e1cd976064ca9732473af3f4cdc4fa38ee"


def test_a_commitment_binds_the_value_and_hides_behind_the_salt() -> None:
    made = log.commitment("0b" * 32, {"a": 1, "b": 2})

    assert made == log.commitment("0b" * 32, {"b": 2, "a": 1})
    assert made != log.commitment("0b" * 32, {"a": 1, "b": 3})
    assert made != log.commitment("0c" * 32, {"a": 1, "b": 2})
