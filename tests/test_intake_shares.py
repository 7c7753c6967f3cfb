"""Recordings of one host are examined one at a time, so that other hosts do not wait behind them."""

from pathlib import Path

import pytest
from django.db.models import Q

from archive import tasks, wakeups
from archive.intake import publish
from archive.models import Recording, Space, User
from tests.support.factory import make_row
from tests.support.leases import claim_space
from tests.support.rows import reload_space, update_space
from tests.support.uploads import store_upload

pytestmark = pytest.mark.usefixtures("db")


def processing(host: User, count: int) -> list[Space]:
    return [make_row(host, state="processing") for _ in range(count)]


def test_a_second_recording_waits_for_the_first(alice: User, bob: User, tone: Path) -> None:
    first, second = processing(alice, 2)
    (other,) = processing(bob, 1)
    for space in (first, second, other):
        store_upload(space, tone)
    claim_space(first)

    assert not publish.finish(second.pk)
    assert reload_space(second).attempts == 0
    assert publish.finish(other.pk)

    update_space(first, lease_until=None)
    assert publish.finish(second.pk)


def test_a_space_with_an_examined_recording_is_claimed_at_once(alice: User, tone: Path) -> None:
    """`ingest` decodes a recording before it stores it, so its recordings are already examined."""
    first, second = processing(alice, 2)
    claim_space(first)
    stored = {"key": "x", "size": 1, "sha256": "0" * 64, "crc32": 0, "etag": "x"}
    facts = {"extension": "m4a", "codec": "aac", "duration_ms": 1000, "sample_rate": 48_000, "channels": 1}
    Recording.objects.create(space=second, **stored, **facts)

    assert publish._claim(second.pk) is not None


def test_a_host_with_many_uploads_does_not_fill_the_queue(alice: User, bob: User) -> None:
    waiting = processing(alice, 20)
    (other,) = processing(bob, 1)

    (work,) = [work for work in tasks.WORK if work.task is tasks.publish_space]
    pending = list(work.pending_ids(Q()))

    assert other.pk in pending
    assert len(pending) == 2
    assert set(pending) - {other.pk} <= {space.pk for space in waiting}


def test_the_next_recording_is_woken(
    alice: User, tone: Path, django_capture_on_commit_callbacks: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = processing(alice, 2)
    store_upload(first, tone)
    woken: list[object] = []
    monkeypatch.setattr(wakeups, "wake", lambda model, *pks: woken.extend(pks))

    assert publish.finish(first.pk)

    assert second.pk in woken
