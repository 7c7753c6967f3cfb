"""Kill processes that receive LiveKit events and fetch recordings (SIGKILL) at labeled steps: afterwards each room has
exactly one Space, and each source is removed. `make test` kills at a few steps, `make test-long` at each."""

import hashlib
import os
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from archive import recorders
from archive.models import Arrival, LogEntry, RecorderToken, Space, User
from archive.storage import Store, keys, store
from tests.faults import ForkServer, start_fork_server
from tests.support.killing import Job, Place, kill_at_each, recover
from tests.support.livekit import RoomScript, an_hour_ago, as_body, egress_bucket, setting_values, switch_on
from tests.support.processes import Services

ARRIVALS = "intake.arrivals"
AT_ONCE = 5
STEPS: list[Place] = [
    ("work", f"after commit in {ARRIVALS}.take:_register"),
    ("work", f"after s3 DeleteObject in {ARRIVALS}.sources:_remove"),
]


@pytest.fixture
def token(committed: None, alice: User, admin: User, settings: Any) -> RecorderToken:
    made, _ = recorders.create_token("livekit", 30, admin, [alice])
    switch_on(settings, made)
    return made


@pytest.fixture
def zygote(services: Services, token: RecorderToken, tmp_path: Path) -> Iterator[ForkServer]:
    livekit = {**setting_values(token), "LIVEKIT_DELETE_SOURCE": "1", "LIVEKIT_WAIT_SECONDS": "0"}
    with start_fork_server({**services.env, **livekit}, tmp_path) as running:
        yield running


class Rooms:
    """Recorded rooms, and the Spaces that they must become."""

    def __init__(self, tone: Path, folder: Path) -> None:
        self.tone, self.folder, self.bucket = tone.read_bytes(), folder, egress_bucket()
        self.sha256: dict[str, str] = {}
        folder.mkdir()

    def record(self, count: int) -> None:
        """Put a recording for each room into LiveKit's bucket, and its events into the folder."""
        for _ in range(count):
            number = len(self.sha256)
            script = RoomScript(an_hour_ago() - timedelta(minutes=number), number, metadata="")
            data = self.tone + struct.pack(">I4s", 8 + 16, b"free") + os.urandom(16)
            self.bucket.client.put_object(Bucket=self.bucket.bucket, Key=script.path, Body=data)
            self.sha256[script.room.name] = hashlib.sha256(data).hexdigest()
            events = [script.ended(), script.joined("bo", 9), script.joined("alice", 600, "host"), script.finished()]
            for order, event in enumerate(events):
                (self.folder / f"{number:03}-{order}").write_bytes(as_body(event))

    def check(self) -> None:
        """Assert that there are exactly the right Spaces, each with its own bytes and events, and that LiveKit's bucket
        is empty."""
        spaces = {space.title: space for space in Space.objects.all()}
        assert Space.objects.count() == len(spaces) == len(self.sha256)
        for title, sha256 in self.sha256.items():
            space = spaces[title]
            assert (space.state, space.recordings.get().sha256) == ("available", sha256)
            assert list(space.participants.values_list("role", "name")) == [("host", "Alice"), ("speaker", "Bo")]
            assert_objects_are_known(space)
        states = Counter(Arrival.objects.values_list("state", "settled"))
        assert states == {("accepted", True): len(self.sha256)}
        assert not self.bucket.listing("").versions
        assert_logged_once()


def assert_objects_are_known(space: Space) -> None:
    known = {row.key for rows in (space.recordings, space.derived) for row in rows.all()}
    assert {version.key for version in store().listing(keys.prefix(space.pk)).versions} == known


def assert_logged_once() -> None:
    arrivals = LogEntry.objects.filter(event__startswith="arrival.").values_list("event", "detail__arrival")
    assert {entry: count for entry, count in Counter(arrivals).items() if count > 1} == {}
    spaces = LogEntry.objects.filter(event__in=["space.registered", "space.received", "space.available"])
    assert max(Counter(spaces.values_list("event", "space_id")).values()) == 1


def kill(server: ForkServer, jobs: Sequence[Job], places: Sequence[Place], rooms: Rooms) -> set[Place]:
    """Kill at each place, with a new room for each, then recover. Returns the places where a process died."""
    died = set()
    for place, killed in kill_at_each(server, jobs, places):
        if killed:
            died.add(place)
        rooms.record(1)
    recover(server, jobs)
    rooms.check()
    return died


def is_ours(place: Place) -> bool:
    """Return whether the step belongs to this pipeline. The store's capabilities (`_copies`) are tested only once a
    day."""
    return ("arrivals" in place[1] or "uploads" in place[1]) and not place[1].endswith(":_copies")


def test_killed_at_some_steps(zygote: ForkServer, tone: Path, tmp_path: Path) -> None:
    rooms = Rooms(tone, tmp_path / "events")
    jobs: list[Job] = [("deliver_livekit_events", str(rooms.folder)), ("work",)]
    rooms.record(1)

    assert kill(zygote, jobs, STEPS, rooms) == set(STEPS)


@pytest.mark.long
def test_killed_at_each_step(zygote: ForkServer, tone: Path, tmp_path: Path) -> None:
    rooms = Rooms(tone, tmp_path / "events")
    jobs: list[Job] = [("deliver_livekit_events", str(rooms.folder)), ("work",)]
    rooms.record(1)
    places = [place for place in recover(zygote, jobs) if is_ours(place)]
    assert set(places) >= set(STEPS)
    rooms.check()

    rooms.record(1)
    for start in range(0, len(places), AT_ONCE):  # recover after each few, so that all rooms reach the last steps
        some = places[start : start + AT_ONCE]
        assert kill(zygote, jobs, some, rooms) == set(some)
        rooms.record(1)
    assert Store("livekit").listing("").uploads == ()
