"""The measures of log.py that need the engines. Import it only after Django has its settings."""

import hashlib
import re
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection

from archive.models import LogCheckpoint, LogQueue, LogSequencer
from archive.transparency import sequence
from archive.transparency.tile_store import frontier
from archive.transparency.verify_log import TILE
from embedded.postgres import find_programs
from tests import plugin
from tests.bench import Figure, at_least, without_goal

WRITERS = 16
PLAIN = "bench_plain_log"
INSERT = """
\\set space random(1, 1000000)
INSERT INTO {table} (event, premis, space_id, actor_kind, actor_id, detail) VALUES ('space.flagged', 'quarantine',
    ('5e0b6f8e-8b1b-4a63-9df0-' || lpad(:space::text, 12, '0'))::uuid, 'user', 7,
    '{{"rule": "spam", "deadline": "2026-12-22T20:00:00Z", "violation": 4711}}');
"""
# An hour's entries, queued as by the trigger, but without its cost.
BACKLOG = """
SET session_replication_role = replica;
WITH added AS (
    INSERT INTO archive_logentry (event, premis, at, space_id, actor_kind, actor_id, detail)
    SELECT 'space.flagged', 'quarantine', now(), gen_random_uuid(), 'user', n % 97,
        jsonb_build_object('rule', 'spam', 'deadline', '2026-12-22T20:00:00Z', 'violation', n)
    FROM generate_series(1, {count}) n RETURNING id
)
INSERT INTO archive_logqueue SELECT id FROM added;
"""


def writers(seconds: int, rounds: int) -> Iterator[Figure]:
    """Compare writing with and without the log's trigger. Both sides take turns, so that other load on the machine
    affects both. The ratio is the median over pairs of neighbours."""
    with superuser() as owner:
        owner.execute(f"CREATE TABLE {PLAIN} (LIKE archive_logentry INCLUDING ALL)")
    plain, logged = [], []
    for _ in range(rounds):
        plain.append(inserted_per_second(PLAIN, seconds))
        logged.append(inserted_per_second("archive_logentry", seconds))
    plain.append(inserted_per_second(PLAIN, seconds))
    ratios = [2 * rate / (before + after) for rate, before, after in zip(logged, plain, plain[1:], strict=False)]
    yield without_goal("log_writers_plain", round(max(plain)), "/s")
    yield without_goal("log_writers", round(max(logged)), "/s")
    yield at_least("log_writers_to_plain", round(statistics.median(ratios), 3), "x plain", 0.9)


def inserted_per_second(table: str, seconds: int) -> float:
    """Return the rate after one uncounted second: a new connection loads its caches, and the portal keeps its
    connections."""
    script = plugin.DATA / f"{table}.sql"
    script.write_text(INSERT.format(table=table))
    program = find_programs() / "bin/pgbench"
    command: list[str | Path] = [
        program,
        "-n",
        "-c",
        str(WRITERS),
        "-j",
        "2",
        "-P",
        "1",
        "-T",
        str(seconds + 1),
        "-M",
        "prepared",
        "-f",
        script,
    ]
    done = subprocess.run([*command, superuser_url()], capture_output=True, text=True, check=True)
    rates = re.findall(r"^progress: [0-9.]+ s, ([0-9.]+) tps", done.stderr, re.MULTILINE)
    in_all = re.findall(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)  # a busy machine may miss a report
    return statistics.mean(map(float, rates[1:] or in_all))


def sequencer(entries: int, backlog: int) -> Iterator[Figure]:
    """Measure the rate with little to do, after a pause, and in a large tree."""
    numbered_per_second()  # number what the writers left
    rates = {}
    for name, count in (("small", 2000), ("backlog", backlog)):
        queue(count)
        rates[name] = numbered_per_second()
    grow(entries)
    queue(backlog)
    rates["large"] = numbered_per_second()
    yield without_goal("log_sequencer_small", round(rates["small"]), "/s")
    yield at_least("log_sequencer_backlog", round(rates["backlog"]), "/s", 2000)
    yield at_least("log_sequencer_large_tree", round(rates["large"]), "/s", 2000)
    yield at_least("log_sequencer_large_to_small", round(rates["large"] / rates["backlog"], 2), "x", 0.8)


def grow(size: int) -> None:
    """Append leaves without entries up to a tree of at least `size` leaves, with the nodes above them, all
    published."""
    row = LogSequencer.objects.get()
    size = -(-max(size, row.size) // TILE**2) * TILE**2  # only complete tiles
    tree = frontier(row)
    leaves: list[tuple[int, int, bytes]] = []
    nodes: list[tuple[int, int, bytes]] = []
    for index in range(row.size, size):
        for level, known in tree.append(hashlib.sha256(str(index).encode()).digest()):
            (nodes if level else leaves).append((level, index >> 8 * level, known))
    with superuser() as owner, owner.cursor() as cursor:
        with cursor.copy("COPY archive_logleaf (index, entry_id, hash) FROM STDIN") as copy:
            for _, index, known in leaves:
                copy.write_row((index, -1 - index, known))
        with cursor.copy("COPY archive_lognode (level, index, hash) FROM STDIN") as copy:
            for node in nodes:
                copy.write_row(node)
    changes = {"size": size, "tiled": size, "frontier": b"".join(tree.hashes)}
    LogSequencer.objects.update(**changes)


def queue(count: int) -> None:
    with superuser() as owner:
        owner.execute(BACKLOG.format(count=count))


def numbered_per_second() -> float:
    """Return the rate until nothing is pending, including tiles and a signed checkpoint."""
    settings.LOG_CHECKPOINT_SECONDS = 0
    waiting, start = LogQueue.objects.count(), time.monotonic()
    while LogQueue.objects.exists():
        assert sequence.run()
    seconds = time.monotonic() - start
    assert LogCheckpoint.objects.latest("id").size == LogSequencer.objects.get().size
    return waiting / seconds


def superuser() -> psycopg.Connection:
    return psycopg.connect(superuser_url())


def superuser_url() -> str:
    return plugin.engines.postgres.superuser_url(str(connection.settings_dict["NAME"]))
