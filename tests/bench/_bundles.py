"""The measures of `bundles`, on a running site."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from archive import dbtime, lifecycle
from archive.bundles.build import request
from archive.log import SYSTEM
from archive.models import Bundle, Space, StoreReport
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from embedded.process import Process
from tests import plugin
from tests.bench import Figure, at_least, at_most, without_goal
from tests.support.bundles import make_long_space
from tests.support.factory import make_noise, make_user
from tests.support.processes import ROOT, Services
from tests.support.procfs import process_tree
from tests.support.proxy import CountingProxy
from tests.support.waiting import wait_until

MIB = 1024**2
LANES = 4  # number of processes when many bundles are made at once


@dataclass(frozen=True)
class Took:
    """Elapsed seconds; CPU seconds of the process and of the store; bytes between the two; peak of resident memory in
    bytes."""

    seconds: float
    processor: float
    passed: int
    memory: int

    def __add__(self, other: "Took") -> "Took":
        """Add the costs of two runs, one after the other."""
        seconds, processor = self.seconds + other.seconds, self.processor + other.processor
        return Took(seconds, processor, self.passed + other.passed, max(self.memory, other.memory))


def compare(mebibytes: int, rounds: int) -> Iterator[Figure]:
    space = make_long_space(make_user(f"host of {mebibytes}"), mebibytes=mebibytes)
    assert store().capabilities.copies_parts
    composed, verified, streamed = [], [], []
    for _ in range(rounds):
        bundle = request(space.pk, SYSTEM)
        made = _run("compose", bundle.pk)
        bundle.refresh_from_db()
        by_store = bundle.verified_by == Bundle.Verification.STORE
        # Must be read back, as from a store that cannot verify.
        Bundle.objects.filter(pk=bundle.pk).update(verified_by="", crc32=None)
        verified.append(_run("prove", bundle.pk))
        composed.append(made if by_store else made + verified[-1])
        bundle.refresh_from_db()
        lifecycle.transition(bundle, Bundle.State.READY, Bundle.State.REMOVED, actor=SYSTEM)
        _forget(bundle.key)
        streamed.append(_run("stream", space.pk))
        _forget(f"{keys.prefix(space.pk)}bundles/")
    _forget(keys.prefix(space.pk))
    yield from _figures(f"bundle {mebibytes} MiB", mebibytes, composed, verified, streamed)


def _figures(
    name: str, mebibytes: int, composed: list[Took], verified: list[Took], streamed: list[Took]
) -> Iterator[Figure]:
    ours, peers = min(t.seconds for t in composed), min(t.seconds for t in streamed)
    ratio, unit = round(peers / ours, 2), "x stream"
    yield at_least(name, ratio, unit, 3) if mebibytes == 1024 else without_goal(name, ratio, unit)
    yield without_goal(f"{name}: composed", round(ours, 2), "s")
    yield without_goal(f"{name}: streamed", round(peers, 2), "s")
    work = min(t.processor for t in streamed) / min(t.processor for t in composed)
    yield without_goal(f"{name}: processor", round(work, 2), unit)
    yield at_most(f"{name}: bytes, verified", round(max(t.passed for t in composed) / MIB, 2), "MiB", 16)
    yield without_goal(f"{name}: bytes, streamed", round(max(t.passed for t in streamed) / MIB, 2), "MiB")
    yield at_most(f"{name}: memory", round(max(t.memory for t in composed) / MIB, 1), "MiB", 150)
    yield without_goal(f"{name}: memory, streamed", round(max(t.memory for t in streamed) / MIB, 1), "MiB")
    yield without_goal(f"{name}: read back", round(mebibytes / min(t.seconds for t in verified), 1), "MiB/s")
    yield without_goal(f"{name}: memory, read back", round(max(t.memory for t in verified) / MIB, 1), "MiB")


def many(folder: Path, count: int, mebibytes: int) -> Iterator[Figure]:
    """Request bundles as the site does. Four processes of a real worker build them, with a real beat and broker. A
    proxy counts the bytes between worker and store."""
    host = make_user("host of many")
    spaces = [make_noise(host, megabytes=mebibytes) for _ in range(count)]
    services = Services(folder, plugin.engines)
    try:
        services.beat()
        with CountingProxy(store().client.meta.endpoint_url) as relay:
            capabilities = store().capabilities.as_json()  # the same store at another address
            place = f"{relay.url} {store().bucket}"
            StoreReport.objects.create(place=place, capabilities=capabilities, findings=[], tried_at=dbtime.now())
            worker = services.worker(concurrency=LANES, S3_ENDPOINT_URL=relay.url)
            wait_until(lambda: "ready." in worker.log.read_text(), "the worker is ready", 60)
            before = _processor_of_the_store() + _processor_of(worker)
            start = time.perf_counter()
            bundles = [_ask(space) for space in spaces]
            mine = Bundle.objects.filter(pk__in=bundles)
            wait_until(lambda: not _unfinished(mine).exists(), "all bundles are built and verified", 1800)
            took = time.perf_counter() - start
            processor = _processor_of_the_store() + _processor_of(worker) - before
            passed = (relay.received + relay.sent) / MIB
    finally:
        services.stop()
    streamed, peers = _streamed_at_once([space.pk for space in spaces])
    name = f"{count} bundles at once"
    yield without_goal(name, round(took, 2), "s")
    yield without_goal(f"{name}: streamed", round(streamed, 2), "s")
    yield without_goal(f"{name}: clock", round(streamed / took, 2), "x stream")
    yield without_goal(f"{name}: processor", round(peers / processor, 2), "x stream")
    yield without_goal(f"{name}: rate", round(count / took, 2), "/s")
    yield at_most(f"{name}: bytes each, verified", round(passed / count, 2), "MiB", 16)
    yield at_most(f"{name}: failed", mine.exclude(state="ready").count(), "", 0)


def _unfinished(bundles: QuerySet[Bundle]) -> QuerySet[Bundle]:
    return bundles.filter(Q(state__in=Bundle.AT_WORK) | Q(state=Bundle.State.READY, verified_by=""))


def _ask(space: Space) -> UUID:
    return request(space.pk, SYSTEM).pk


def _run(way: str, *pks: UUID) -> Took:
    before = _processor_of_the_store()
    document = _started(way, pks)
    return Took(
        document["seconds"],
        document["processor"] + _processor_of_the_store() - before,
        document["passed"],
        document["memory"],
    )


def _started(way: str, pks: Sequence[UUID]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench._bundle", way, *map(str, pks)]
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, check=True)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _streamed_at_once(spaces: Sequence[UUID]) -> tuple[float, float]:
    """Return elapsed and CPU seconds of LANES processes that stream all bundles. The clock starts when each has loaded
    what it needs."""
    before = _processor_of_the_store()
    with ThreadPoolExecutor(LANES) as lanes:
        shares = [spaces[lane::LANES] for lane in range(LANES) if spaces[lane::LANES]]
        took = list(lanes.map(lambda share: _started("stream", share), shares))
    processor = sum(one["processor"] for one in took) + _processor_of_the_store() - before
    return max(one["seconds"] for one in took), processor


def _processor_of_the_store() -> float:
    """Return the store's CPU seconds, user and system, since its start."""
    (weed,) = (
        pid for pid in process_tree(os.getpid()) if b"mini" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    )
    return _processor(weed)


def _processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _processor_of(worker: Process) -> float:
    return sum(_processor(pid) for pid in process_tree(worker.pid or 0))


def _forget(prefix: str) -> None:
    purge_listing(store(), store().listing(prefix))
