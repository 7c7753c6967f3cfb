"""A LiveKit recording becomes a Space: it is copied from LiveKit's bucket inside the store, or through the worker."""

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from archive import recorders, tasks
from archive.intake.arrivals import livekit_events
from archive.models import Arrival, LogEntry, Participant, RecorderToken, Space, UploadSession, User
from archive.retention import purge
from archive.storage import Store, keys, store
from tests.faults.proxy import Fault, Proxy
from tests.support.arrivals import run_round, run_until_idle
from tests.support.factory import make_space
from tests.support.livekit import RoomScript, an_hour_ago, egress_bucket, put_recording, switch_on
from tests.support.log_entries import events
from tests.support.object_stores import override_store

pytestmark = pytest.mark.usefixtures("bucket")
MIB = 1024**2


@pytest.fixture
def token(db: None, alice: User, admin: User, settings: Any) -> RecorderToken:
    made, _ = recorders.create_token("livekit", 30, admin, [alice])
    switch_on(settings, made)
    return made


@pytest.fixture
def egresses(token: RecorderToken) -> Store:
    return egress_bucket()


@pytest.fixture
def announce(token: RecorderToken, egresses: Store) -> Callable[..., Arrival]:
    """Put a recording into LiveKit's bucket, and send the events of its room."""

    def announce(content: Path | bytes, script: RoomScript | None = None) -> Arrival:
        script = script or RoomScript(an_hour_ago())
        data = content if isinstance(content, bytes) else content.read_bytes()
        egresses.client.put_object(Bucket=egresses.bucket, Key=script.path, Body=data)
        for event in (
            script.joined("alice", 600, "host"),
            script.joined("bo", 500, "cohost"),
            script.left("zoe", 400, 100, publishes=False),
            script.ended(),
            script.finished(),
        ):
            livekit_events.apply(event, token)
        return Arrival.objects.get(source_id=script.egress_id)

    return announce


def fetch(bucket: Store, key: str) -> bytes:
    info = bucket.head(key)
    return bucket.read(key, 0, info.size, info.etag)


def take(arrival: Arrival) -> Arrival:
    tasks.take_arrival(str(arrival.pk))
    arrival.refresh_from_db()
    return arrival


def ready(arrival: Arrival) -> Arrival:
    """Skip the wait for late events."""
    Arrival.objects.filter(pk=arrival.pk).update(retry_at=None)
    return arrival


def test_it_becomes_a_space_and_its_source_stays(
    announce: Callable[..., Arrival], tone: Path, egresses: Store, token: RecorderToken
) -> None:
    script = RoomScript(an_hour_ago())
    announce(tone, script)
    run_until_idle()

    space = Space.objects.get()
    assert (space.state, space.title, space.host.username) == ("available", "Seed swap", "alice")
    assert (space.ended_at, space.expires_at) == (script.ended_at, script.ended_at + timedelta(days=30))
    assert (space.listeners_peak, space.recorder) == (1, token)
    people = list(Participant.objects.values_list("role", "name"))
    assert people == [("host", "Alice"), ("cohost", "Bo")]
    (recording,) = space.recordings.all()
    assert fetch(store(), recording.key) == tone.read_bytes()
    arrival = Arrival.objects.get()
    assert (arrival.state, arrival.settled, arrival.space) == ("accepted", True, space)
    assert [event for event in events(space) if event.startswith(("arrival", "space"))] == [
        "space.registered",
        "arrival.started",
        "space.received",
        "arrival.copied",
        "space.available",
        "arrival.accepted",
    ]

    livekit_events.apply(script.ended(), token)
    livekit_events.apply(script.joined("late", 10), token)
    run_until_idle()
    assert (Space.objects.count(), Participant.objects.count()) == (1, 2)

    Space.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert purge.purge(space.pk)
    assert fetch(egresses, script.path) == tone.read_bytes()  # the object is LiveKit's, so a purge leaves it
    assert not Arrival.objects.exists()


def test_in_one_store_the_worker_reads_no_byte(
    announce: Callable[..., Arrival], tone: Path, settings: Any, token: RecorderToken
) -> None:
    arrival = ready(announce(tone))
    with Proxy(os.environ["S3_ENDPOINT_URL"]) as proxy:
        switch_on(settings, token, endpoint_url=proxy.url)
        with override_store(endpoint_url=proxy.url):
            take(arrival)

    assert arrival.state == "examining"
    assert len([line for line in proxy.lines if line.endswith(" copy") and "/spaces/" in line]) == 1
    assert [line.split()[0] for line in proxy.lines if "/livekit-egress/" in line] == ["HEAD"]
    upload = UploadSession.objects.get()
    assert (upload.state, fetch(store(), upload.key)) == ("uploaded", tone.read_bytes())


def test_another_store_is_streamed_through_the_worker(
    announce: Callable[..., Arrival], settings: Any, token: RecorderToken
) -> None:
    data = os.urandom(17 * MIB)
    arrival = ready(announce(data))
    with Proxy(os.environ["S3_ENDPOINT_URL"]) as proxy:
        switch_on(settings, token, endpoint_url=proxy.url)
        take(arrival)

    assert arrival.state == "examining"
    assert [line.split()[0] for line in proxy.lines] == ["HEAD", "GET", "GET"]  # at most 16 MiB in memory
    upload = UploadSession.objects.get()
    assert (upload.part_count, fetch(store(), upload.key) == data) == (2, True)


def test_a_bucket_that_our_key_may_not_read_is_streamed(
    announce: Callable[..., Arrival], tone: Path, settings: Any, token: RecorderToken
) -> None:
    arrival = ready(announce(tone))
    denied = Fault(r"/spaces/.* copy", status=403, code="AccessDenied")
    with Proxy(os.environ["S3_ENDPOINT_URL"], denied) as proxy:
        switch_on(settings, token, endpoint_url=proxy.url)
        with override_store(endpoint_url=proxy.url):
            take(arrival)

    assert (arrival.state, denied.seen) == ("examining", 1)
    assert fetch(store(), UploadSession.objects.get().key) == tone.read_bytes()


@pytest.mark.long
def test_a_copy_that_failed_half_way_goes_on_there(
    announce: Callable[..., Arrival], settings: Any, token: RecorderToken
) -> None:
    data = os.urandom(33 * MIB)
    arrival = ready(announce(data))
    third = Fault(r"partNumber=3", times=3, status=503, code="SlowDown")
    with Proxy(os.environ["S3_ENDPOINT_URL"], third) as proxy, override_store(endpoint_url=proxy.url):
        assert take(arrival).problem_code == "storage.answer"
        assert (arrival.state, arrival.attempts) == ("copying", 1)
        take(ready(arrival))

    assert arrival.state == "examining"
    assert len([line for line in proxy.lines if re.search(r"partNumber=1\b", line)]) == 1
    assert fetch(store(), UploadSession.objects.get().key) == data
    assert Space.objects.count() == 1


def test_the_source_is_deleted_when_the_settings_say_so(
    announce: Callable[..., Arrival], tone: Path, egresses: Store, settings: Any
) -> None:
    settings.LIVEKIT_DELETE_SOURCE = True
    put_recording(egresses, "rooms/another.m4a", tone)
    announce(tone)
    run_until_idle()

    assert Space.objects.get().state == "available"
    assert [version.key for version in egresses.listing("").versions] == ["rooms/another.m4a"]
    (entry,) = LogEntry.objects.filter(event="arrival.source_removed")
    assert entry.detail == {"arrival": str(Arrival.objects.get().pk), "source": "livekit"}


def accepted_by_hand(arrival: Arrival, egresses: Store, tone: Path, alice: User) -> Space:
    """An accepted arrival without an examined Space: only its source remains to be removed."""
    space = make_space(alice, recording=tone, transcript=None)
    info = egresses.head(arrival.path)
    Arrival.objects.filter(pk=arrival.pk).update(
        state="accepted", space=space, size=info.size, etag=info.etag, retry_at=None
    )
    return space


def test_nothing_is_deleted_that_is_not_safely_stored(
    announce: Callable[..., Arrival], tone: Path, egresses: Store, settings: Any, alice: User
) -> None:
    settings.LIVEKIT_DELETE_SOURCE = True
    arrival = announce(tone)
    space = accepted_by_hand(arrival, egresses, tone, alice)
    key = space.recordings.get().key
    store().client.delete_object(Bucket=store().bucket, Key=key)

    tasks.settle_arrival(str(arrival.pk))

    arrival.refresh_from_db()
    assert (arrival.settled, arrival.problem_code) == (False, "storage.answer")
    assert fetch(egresses, arrival.path) == tone.read_bytes()


def test_another_recording_under_the_same_key_is_not_deleted(
    announce: Callable[..., Arrival], tone: Path, egresses: Store, settings: Any, alice: User
) -> None:
    settings.LIVEKIT_DELETE_SOURCE = True
    arrival = announce(tone)
    accepted_by_hand(arrival, egresses, tone, alice)
    egresses.client.put_object(Bucket=egresses.bucket, Key=arrival.path, Body=b"the next one")

    tasks.settle_arrival(str(arrival.pk))

    arrival.refresh_from_db()
    assert arrival.settled
    assert fetch(egresses, arrival.path) == b"the next one"


def test_a_space_that_is_due_is_refused_and_leaves_nothing(announce: Callable[..., Arrival], tone: Path) -> None:
    arrival = take(ready(announce(tone, RoomScript(timezone.now() - timedelta(days=31)))))

    assert (arrival.state, arrival.problem_code) == ("refused", "intake.deadline_passed")
    assert not Space.objects.exists()


def test_what_is_no_recording_is_refused_with_the_reason(announce: Callable[..., Arrival], egresses: Store) -> None:
    announce(b"What we talked about.\n" * 100)
    run_until_idle()

    arrival, space = Arrival.objects.get(), Space.objects.get()
    assert (arrival.state, space.state) == ("refused", "rejected")
    assert arrival.problem_code == space.problem_code != ""
    assert not store().listing(keys.prefix(space.pk))
    assert egresses.listing("")


def test_a_missing_recording_is_waited_for_a_day(announce: Callable[..., Arrival], tone: Path, egresses: Store) -> None:
    arrival = ready(announce(tone))
    egresses.client.delete_object(Bucket=egresses.bucket, Key=arrival.path)
    assert (take(arrival).state, arrival.problem_code) == ("pending", "storage.answer")

    Arrival.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert (take(ready(arrival)).state, arrival.problem_code) == ("refused", "arrival.recording_missing")
    assert not Space.objects.exists()


def test_quotas_of_the_token_apply(announce: Callable[..., Arrival], tone: Path, settings: Any) -> None:
    settings.MAX_OPEN_UPLOADS, settings.MAX_UPLOAD_BYTES = 1, tone.stat().st_size
    large = ready(announce(tone.read_bytes() + b"x", RoomScript(an_hour_ago(), 1)))
    assert (take(large).state, large.problem_code) == ("refused", "upload.too_large")
    assert not Space.objects.exists()

    second = ready(announce(tone, RoomScript(an_hour_ago(), 2)))
    other = Space.objects.create(
        host=User.objects.get(username="alice"), ended_at=an_hour_ago(), expires_at=timezone.now() + timedelta(days=1)
    )
    begun = UploadSession.objects.create(
        space=other, kind="recording", size=1, part_size=1, key="k", upload_id="u", recorder=second.recorder
    )
    assert (take(second).state, second.problem_code) == ("copying", "upload.too_many_open")

    UploadSession.objects.filter(pk=begun.pk).update(state="aborted")
    assert take(ready(second)).state == "examining"


def test_a_token_revoked_meanwhile_is_refused(
    announce: Callable[..., Arrival], tone: Path, token: RecorderToken, admin: User
) -> None:
    arrival = ready(announce(tone))
    recorders.revoke(token.pk, admin)

    assert (take(arrival).state, arrival.problem_code) == ("refused", "arrival.token_not_working")
    assert not Space.objects.exists()


@pytest.mark.long
def test_a_space_deleted_before_it_was_copied_is_begun_again(announce: Callable[..., Arrival], tone: Path) -> None:
    """After a day without workers, the sweep deletes the Space as abandoned. The recording must not be lost."""
    arrival = ready(announce(tone))
    with override_store(endpoint_url="http://127.0.0.1:1"):  # our store is down, LiveKit's works
        assert take(arrival).state == "copying"
    space = Space.objects.get()
    Space.objects.update(created_at=timezone.now() - timedelta(days=2), lease_until=None)
    assert purge.purge(space.pk)

    run_until_idle()

    assert [one.state for one in Space.objects.order_by("created_at")] == ["deleted", "available"]
    assert (Arrival.objects.get().state, "arrival.restarted" in events(space)) == ("accepted", True)


@pytest.mark.long
def test_a_source_that_changes_while_it_is_copied_is_refused(announce: Callable[..., Arrival], egresses: Store) -> None:
    arrival = ready(announce(os.urandom(17 * MIB)))
    second = Fault(r"partNumber=2", times=3, status=503, code="SlowDown")
    with Proxy(os.environ["S3_ENDPOINT_URL"], second) as proxy, override_store(endpoint_url=proxy.url):
        take(arrival)
    egresses.client.put_object(Bucket=egresses.bucket, Key=arrival.path, Body=os.urandom(17 * MIB))

    assert (take(ready(arrival)).state, arrival.problem_code) == ("refused", "arrival.source_changed")
    assert UploadSession.objects.get().state == "aborted"


@pytest.mark.long
def test_two_egresses_of_one_room_are_two_spaces(announce: Callable[..., Arrival], tone: Path) -> None:
    first, second = RoomScript(an_hour_ago(), 1), RoomScript(an_hour_ago() - timedelta(minutes=10), 2)
    second.room.CopyFrom(first.room)
    for script in (first, second):
        ready(announce(tone, script))
    run_round()

    assert sorted(Space.objects.values_list("title", "state")) == [("Seed swap", "processing")] * 2
