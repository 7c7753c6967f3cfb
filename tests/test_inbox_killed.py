"""Kill processes that import recordings from inboxes (SIGKILL) at labeled steps: afterwards each good recording is in
the archive once and gone from its inbox, and each bad one is still there with its outcome. `make test` kills at a few
steps, `make test-long` at each, with 20 files."""

import hashlib
import json
import os
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from archive import recorders
from archive.intake.arrivals import inbox_scan
from archive.models import Arrival, LogEntry, RecorderToken, Space, User
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from tests.faults import ForkServer, start_fork_server
from tests.support.arrivals import run_until_idle
from tests.support.inboxes import FolderInbox, Inbox, StoreInbox, sidecar
from tests.support.killing import Job, Place, kill_at_each, recover
from tests.support.leases import end_pauses
from tests.support.processes import Services
from tests.test_livekit_killed import assert_logged_once, assert_objects_are_known, is_ours

JOBS: list[Job] = [("scan_inboxes",), ("scan_inboxes",), ("work",)]
ARRIVALS = "intake.arrivals"
STEPS: list[Place] = [
    ("scan_inboxes", f"before commit in {ARRIVALS}.inbox_scan:_advance"),
    ("work", f"after s3 CompleteMultipartUpload in {ARRIVALS}.sources:write_outcome"),
]
CLEAN_UP = f"{ARRIVALS}.inbox_clean_up"
CLEAN_UP_STEPS = [
    f"after commit in {CLEAN_UP}:_log_due",
    f"after s3 DeleteObject in {ARRIVALS}.inbox_files:_remove_same",
    f"before commit in {CLEAN_UP}:_remove",
]
BAD: dict[str, dict[str, Any]] = {"intake.no_such_host": {"host": "x"}, "arrival.sidecar_unknown_fields": {"x": 1}}


@pytest.fixture
def token(committed: None, alice: User, admin: User) -> RecorderToken:
    return recorders.create_token("studio", 30, admin, [alice])[0]


@pytest.fixture
def zygote(services: Services, token: RecorderToken, tmp_path: Path) -> Iterator[ForkServer]:
    inboxes = {"INBOX_IN_STORE": "1", "INBOX_FOLDER": str(tmp_path / "inbox")}
    with start_fork_server({**services.env, **inboxes}, tmp_path) as running:
        yield running


@pytest.fixture
def files(token: RecorderToken, tone: Path, tmp_path: Path) -> "Files":
    purge_listing(store(), store().listing(keys.INBOX))
    return Files([StoreInbox(token.prefix), FolderInbox(tmp_path / "inbox" / token.prefix)], tone.read_bytes())


class Files:
    """The dropped files, and the expected result for each."""

    def __init__(self, inboxes: Sequence[Inbox], tone: bytes) -> None:
        self.inboxes, self.tone = inboxes, tone
        self.sha256: dict[str, str] = {}
        self.bad: dict[tuple[int, str], str] = {}
        self.good: set[tuple[int, str]] = set()

    def drop(self, count: int) -> None:
        """Drop this many recordings into the inboxes in turn. Every fifth is bad."""
        for _ in range(count):
            number = len(self.sha256) + len(self.bad)
            which, name = number % len(self.inboxes), f"talk-{number:03}.m4a"
            data = self.tone + struct.pack(">I4s", 8 + 16, b"free") + os.urandom(16)
            facts: dict[str, Any] = {"title": name}
            if number % 5 == 3:
                code = list(BAD)[number % len(BAD)]
                facts |= BAD[code]
                self.bad[which, name] = code
            else:
                self.sha256[name] = hashlib.sha256(data).hexdigest()
                self.good.add((which, name))
            ended_at = (timezone.now() - timedelta(hours=1, minutes=number)).isoformat()
            self.inboxes[which].put(name, data)
            self.inboxes[which].put(f"{name}.json", json.dumps(sidecar(**facts, ended_at=ended_at)).encode())

    def check(self) -> None:
        spaces = {space.title: space for space in Space.objects.all()}
        assert Space.objects.count() == len(spaces) == len(self.sha256)
        for title, sha256 in self.sha256.items():
            assert (spaces[title].state, spaces[title].recordings.get().sha256) == ("available", sha256)
            assert_objects_are_known(spaces[title])
        left: list[set[str]] = [set() for _ in self.inboxes]
        for which, name in self.good:
            left[which].add(f"{name}.outcome.json")
            outcome = self.inboxes[which].outcome(name)
            assert (outcome["outcome"], outcome["space"]) == ("accepted", str(spaces[name].pk))
        for (which, name), code in self.bad.items():
            left[which] |= {name, f"{name}.json", f"{name}.outcome.json"}
            assert self.inboxes[which].outcome(name)["code"] == code
        assert [set(inbox.names()) for inbox in self.inboxes] == left
        states = Counter(Arrival.objects.values_list("state", "settled"))
        assert states == {("accepted", True): len(self.good), ("refused", True): len(self.bad)}
        assert_logged_once()


def kill(server: ForkServer, places: Sequence[Place], again: Callable[[], None]) -> set[Place]:
    """Kill at each place, and call `again` after it. Returns the places where a process died."""
    died = set()
    for place, killed in kill_at_each(server, JOBS, places):
        if killed:
            died.add(place)
        again()
    return died


def test_killed_at_some_steps(zygote: ForkServer, files: Files) -> None:
    files.drop(2)

    assert kill(zygote, STEPS, lambda: files.drop(1)) == set(STEPS)

    recover(zygote, JOBS)
    files.check()


@pytest.fixture
def expired(files: Files, settings: Any, tmp_path: Path) -> Callable[[], None]:
    """Drop a refused recording past its deadline into each inbox."""
    settings.INBOX_IN_STORE, settings.INBOX_FOLDER = True, str(tmp_path / "inbox")

    sizes = count(1)

    def drop() -> None:
        data = os.urandom(next(sizes))
        for inbox in files.inboxes:
            inbox.drop("expired.m4a", data, host="nobody-here")
        for _ in range(2):
            inbox_scan.scan()
            end_pauses()
        run_until_idle()
        long_ago = timezone.now() - timedelta(days=31)
        Arrival.objects.update(created_at=timezone.now() - timedelta(days=2), ended_at=long_ago)
        assert Arrival.objects.filter(state="refused", settled=True).count() == 2

    return drop


def kill_clean_up(server: ForkServer, drop: Callable[[], None], files: Files, labels: Sequence[str]) -> None:
    for label in labels:
        drop()
        before = LogEntry.objects.count()
        assert server.run("clean_inboxes", kill_at=1, label=label).killed
        removed = sum("expired.m4a" not in inbox.names() for inbox in files.inboxes)
        server.run("clean_inboxes")

        assert [inbox.names() for inbox in files.inboxes] == [["expired.m4a.outcome.json"]] * 2
        assert not Arrival.objects.exists()
        entries = LogEntry.objects.order_by("id")[before:].values_list("event", "detail__source")
        assert Counter(entries) >= Counter({("inbox.expired", "inbox"): 1, ("inbox.expired", "folder"): 1})
        assert sum(event == "inbox.cleaned" for event, _ in entries) + removed >= 2


def test_clean_up_killed_at_some_steps(zygote: ForkServer, files: Files, expired: Callable[[], None]) -> None:
    kill_clean_up(zygote, expired, files, CLEAN_UP_STEPS)


@pytest.mark.long
def test_clean_up_killed_at_each_step(zygote: ForkServer, files: Files, expired: Callable[[], None]) -> None:
    expired()
    points = list(dict.fromkeys(zygote.run("clean_inboxes").points))
    assert set(points) >= set(CLEAN_UP_STEPS)

    kill_clean_up(zygote, expired, files, points)


@pytest.mark.long
def test_twenty_files_and_a_kill_at_each_step(zygote: ForkServer, files: Files) -> None:
    files.drop(4)
    places = [place for place in recover(zygote, JOBS) if is_ours(place)]
    assert set(places) >= set(STEPS)
    files.check()
    files.drop(20)

    died = kill(zygote, places, lambda: files.drop(1))

    assert [place for place in places if place not in died] == []
    recover(zygote, JOBS)
    files.check()
