"""What `bundles` measures, on a site that runs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from archive import lifecycle
from archive.bundles.build import request
from archive.log import SYSTEM
from archive.models import Bundle, Space
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from tests import plugin
from tests.bench import Figure, at_least, at_most, without_goal
from tests.support.bundles import make_long_space
from tests.support.factory import make_noise, make_user
from tests.support.processes import ROOT, Services
from tests.support.procfs import process_tree
from tests.support.waiting import wait_until

MIB = 1024**2


@dataclass(frozen=True)
class Took:
    """Seconds by the clock; seconds of the processor, of the process and of the store; bytes between the two; the most
    memory that was resident, bytes."""

    seconds: float
    processor: float
    passed: int
    memory: int


def compare(mebibytes: int, rounds: int) -> Iterator[Figure]:
    space = make_long_space(make_user(f"host of {mebibytes}"), mebibytes=mebibytes)
    assert store().capabilities.copies_parts
    composed, verified, streamed = [], [], []
    for _ in range(rounds):
        bundle = request(space.pk, SYSTEM)
        composed.append(_run("compose", bundle.pk))
        verified.append(_run("prove", bundle.pk))
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
    yield at_most(f"{name}: bytes", round(max(t.passed for t in composed) / MIB, 2), "MiB", 16)
    yield without_goal(f"{name}: bytes, streamed", round(max(t.passed for t in streamed) / MIB, 2), "MiB")
    yield at_most(f"{name}: memory", round(max(t.memory for t in composed) / MIB, 1), "MiB", 150)
    yield without_goal(f"{name}: memory, streamed", round(max(t.memory for t in streamed) / MIB, 1), "MiB")
    yield without_goal(f"{name}: read back", round(mebibytes / min(t.seconds for t in verified), 1), "MiB/s")
    yield without_goal(f"{name}: memory, read back", round(max(t.memory for t in verified) / MIB, 1), "MiB")


def many(folder: Path, count: int, mebibytes: int) -> Iterator[Figure]:
    """Asked for as the site does it, built by four processes of a real worker, with a real beat and broker."""
    host = make_user("host of many")
    spaces = [make_noise(host, megabytes=mebibytes) for _ in range(count)]
    services = Services(folder, plugin.engines)
    try:
        services.beat()
        worker = services.worker(concurrency=4)
        wait_until(lambda: "ready." in worker.log.read_text(), "the worker is ready", 60)
        start = time.perf_counter()
        bundles = [_ask(space) for space in spaces]
        mine = Bundle.objects.filter(pk__in=bundles)
        wait_until(lambda: not mine.filter(state__in=Bundle.AT_WORK).exists(), "all are built", 1800)
        took = time.perf_counter() - start
    finally:
        services.stop()
    yield without_goal(f"{count} bundles at once", round(took, 2), "s")
    yield without_goal(f"{count} bundles at once: rate", round(count / took, 2), "/s")
    yield at_most(f"{count} bundles at once: failed", mine.exclude(state="ready").count(), "", 0)


def _ask(space: Space) -> UUID:
    return request(space.pk, SYSTEM).pk


def _run(way: str, pk: UUID) -> Took:
    command = [sys.executable, "-m", "tests.bench._bundle", way, str(pk)]
    before = _processor_of_the_store()
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, check=True)
    document = json.loads(done.stdout)
    return Took(
        document["seconds"],
        document["processor"] + _processor_of_the_store() - before,
        document["passed"],
        document["memory"],
    )


def _processor_of_the_store() -> float:
    """Seconds, user and system, since it was started."""
    (weed,) = (
        pid for pid in process_tree(os.getpid()) if b"mini" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    )
    fields = Path(f"/proc/{weed}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _forget(prefix: str) -> None:
    purge_listing(store(), store().listing(prefix))
