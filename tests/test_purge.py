"""Deleting a Space removes all of its objects, and no others."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from archive import dbtime, leases
from archive.bundles.build import build, request
from archive.errors import make_problem
from archive.log import SYSTEM
from archive.models import Space, User
from archive.retention.purge import begin, purge
from archive.storage import keys, store
from tests.faults.proxy import Fault, Proxy
from tests.support.deadlines import make_due
from tests.support.factory import make_space
from tests.support.log_entries import event_detail, events
from tests.support.object_stores import UNREACHABLE, WRONG_KEY, override_store
from tests.support.rows import reload_space

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(zebrafish: Space) -> Space:
    return zebrafish


def test_a_purge_leaves_no_object(space: Space, bob: User, tone: Path) -> None:
    prefix, client, bucket = keys.prefix(space.pk), store().client, store().bucket
    build(request(space.pk, SYSTEM).pk)
    client.put_object(Bucket=bucket, Key=f"{prefix}stray/of/nobody", Body=b"x")
    client.create_multipart_upload(Bucket=bucket, Key=f"{prefix}bundles/open.zip")
    neighbor = make_space(bob, recording=tone, transcript=None)
    before = store().listing(keys.prefix(neighbor.pk))
    make_due(space)

    assert purge(space.pk)

    assert not store().listing(prefix)
    assert len(before.versions) == 2
    assert store().listing(keys.prefix(neighbor.pk)) == before
    space.refresh_from_db()
    assert space.state == "deleted"
    assert space.deleted_at is not None


def test_objects_missing_from_the_listing_are_deleted_by_our_rows(space: Space) -> None:
    sound = space.recordings.get()
    entry = rf"<Version>(?:(?!</Version>).)*{re.escape(sound.key)}.*?</Version>".encode()
    make_due(space)
    forgetful = Fault("^GET .*versions", changed=lambda body: re.sub(entry, b"", body))

    with Proxy(settings.S3_ENDPOINT_URL, forgetful) as proxy, override_store(endpoint_url=proxy.url):
        assert purge(space.pk)

    assert forgetful.seen == 2
    assert len(event_detail(space, "deletion.inventoried")["objects"]) == 2, "it was left out"
    assert not store().listing(keys.prefix(space.pk))


def test_the_log_says_what_was_deleted(space: Space) -> None:
    bundle = request(space.pk, SYSTEM)
    build(bundle.pk)
    bundle.refresh_from_db()
    sound, written, peaks = space.recordings.get(), space.transcripts.get(), space.derived.get()
    store().client.create_multipart_upload(Bucket=store().bucket, Key=f"{keys.prefix(space.pk)}open")
    make_due(space)

    purge(space.pk)

    assert events(space)[-4:] == ["deletion.started", "bundle.removed", "deletion.inventoried", "space.deleted"]
    assert event_detail(space, "deletion.started")["why"] == "deadline"
    listed = event_detail(space, "deletion.inventoried")
    assert {row["key"]: row["size"] for row in listed["objects"]} == {
        sound.key: sound.size,
        written.key: written.size,
        peaks.key: peaks.size,
        bundle.key: bundle.size,
    }
    assert (listed["object_count"], listed["open_uploads"]) == (4, 1)
    assert event_detail(space, "space.deleted")["removed"] == [
        {"key": sound.key, "size": sound.size, "sha256": sound.sha256},
        {"key": written.key, "size": written.size, "sha256": written.sha256},
        {"key": peaks.key, "size": peaks.size, "sha256": peaks.sha256},
        {"key": bundle.key, "size": bundle.size, "etag": bundle.etag},
    ]


def test_an_object_that_reappears_is_detected(space: Space) -> None:
    make_due(space)
    client, bucket, late = store().client, store().bucket, f"{keys.prefix(space.pk)}late"

    def write_late(**kwargs: Any) -> None:
        client.put_object(Bucket=bucket, Key=late, Body=b"x")

    client.meta.events.register("after-call.s3.DeleteObjects", write_late)
    try:
        assert not purge(space.pk)
    finally:
        client.meta.events.unregister("after-call.s3.DeleteObjects", write_late)

    space.refresh_from_db()
    assert space.state == "expiring"
    assert space.problem == make_problem("storage.not_empty", prefix=f"spaces/{space.pk}/", objects=1, uploads=0)
    Space.objects.update(retry_at=None)
    assert purge(space.pk)


def test_a_second_purge_does_nothing(space: Space) -> None:
    make_due(space)
    assert purge(space.pk)
    before = events(space)

    assert not purge(space.pk)
    assert events(space) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [(WRONG_KEY, "the object store answered 403"), (UNREACHABLE, "the object store can't be reached")],
    ids=["denied", "down"],
)
def test_a_purge_fails_without_the_store(space: Space, options: dict[str, Any], words: str) -> None:
    make_due(space)
    with override_store(**options):
        assert not purge(space.pk)
    assert reload_space(space).state == "available", "nothing starts"
    begin(space.pk)

    with override_store(**options):
        assert not purge(space.pk)

    space.refresh_from_db()
    assert space.state == "expiring"
    assert words in space.problem_text
    assert space.retry_at is not None
    assert space.retry_at > dbtime.now()
    assert "space.deleted" not in events(space)
    assert len(store().listing(keys.prefix(space.pk)).versions) == 3

    Space.objects.update(retry_at=dbtime.now())
    assert purge(space.pk)
    assert not store().listing(keys.prefix(space.pk))
    assert event_detail(space, "space.deleted")["attempts"] == 2


def test_only_one_worker_purges_a_space(space: Space) -> None:
    make_due(space)
    begin(space.pk)
    assert leases.claim(Space, space.pk, ["expiring"])

    assert not purge(space.pk)
    assert len(store().listing(keys.prefix(space.pk)).versions) == 3
