"""The page of the log's proof shows which others hold checkpoints."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils.html import strip_tags

from archive.models import (
    CheckpointCopy,
    CheckpointMail,
    CheckpointTimestamp,
    LogCheckpoint,
    LogCosignature,
    User,
)
from tests.support.http_clients import make_client

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def old() -> LogCheckpoint:
    return LogCheckpoint.objects.create(size=1, note="old")


@pytest.fixture
def newest(old: LogCheckpoint) -> LogCheckpoint:
    return LogCheckpoint.objects.create(size=1303, note="new")


def read(user: User) -> str:
    return " ".join(strip_tags(make_client(user).get("/log/proof/").content.decode()).split())


def mail(checkpoint: LogCheckpoint, recipient: str, at: datetime, **more: Any) -> None:
    fields = {"state": "sent", "sent_at": at, **more}
    CheckpointMail.objects.create(checkpoint=checkpoint, recipient=recipient, day=at.date(), **fields)


def test_without_any_the_page_says_so(auditor: User, newest: LogCheckpoint) -> None:
    assert "Nobody but this archive holds a checkpoint yet." in read(auditor)


def test_each_holder_has_its_newest(auditor: User, old: LogCheckpoint, newest: LogCheckpoint) -> None:
    mail(old, "a", NOON - timedelta(days=1))
    for recipient in ("a", "b"):
        mail(newest, recipient, NOON)
    mail(newest, "c", NOON, state="failed", sent_at=None)
    for row in (old, newest):
        CheckpointCopy.objects.create(
            checkpoint=row, place="https://s3.example.net/kept", key="k", locked_until=datetime(2028, 1, 5, tzinfo=UTC)
        )
        CheckpointTimestamp.objects.create(checkpoint=row, authority="CN=TSA", stamped_at=NOON, response=b"r")
    LogCosignature.objects.create(checkpoint=newest, witness="one.example", line="l")
    LogCosignature.objects.create(checkpoint=old, witness="two.example", line="l")

    page = read(auditor)

    at = "the last time at 1 November 2026, 12:00 UTC. The newest one is mailed once a day."
    assert f"Mailboxes of auditors: the newest checkpoint, mailed to 2 addresses, {at}" in page
    assert "Second bucket kept: the newest checkpoint, written at " in page
    assert ", and locked by that store until 5 January 2028." in page
    assert "Witness one.example: the newest checkpoint, cosigned at " in page
    assert "Witness two.example: an older checkpoint, of 1 entry, cosigned at " in page
    assert "Time-stamp authority CN=TSA: the newest checkpoint, stamped at 1 November 2026, 12:00 UTC by" in page
    assert "Nobody but" not in page


def test_a_bucket_without_a_lock_is_said(auditor: User, newest: LogCheckpoint) -> None:
    CheckpointCopy.objects.create(checkpoint=newest, place="https://s3.example.net/kept", key="k")

    assert "That store does not lock it." in read(auditor)


def test_the_queries_do_not_grow(auditor: User, newest: LogCheckpoint, django_assert_max_num_queries: Any) -> None:
    client = make_client(auditor)
    client.get("/log/proof/")
    for number in range(20):
        mail(newest, str(number), NOON)
        LogCosignature.objects.create(checkpoint=newest, witness=f"{number}.example", line="l")

    with django_assert_max_num_queries(22):
        client.get("/log/proof/")
