"""The retention log: verifying it offline, what it costs those who write to it, and the speed of its sequencer.

BENCH_LOG_ENTRIES: of the export that verify_log.py checks, and of the tree to which the sequencer appends (1,000,000).
BENCH_LOG_BACKLOG: pending entries when the sequencer comes back (200,000). BENCH_LOG_SECONDS: how long each side writes
in each of BENCH_LOG_ROUNDS (2 s, 15 rounds): 16 connections insert entries, each in its own transaction, into the log
and into a table with the same columns and indexes but no trigger. The database is durable.
"""

import os
from collections.abc import Iterator

from tests.bench import Figure
from tests.bench._log_export import verification
from tests.bench._site import site, use_durable_database

ENTRIES = int(os.environ.get("BENCH_LOG_ENTRIES", "1000000"))
BACKLOG = int(os.environ.get("BENCH_LOG_BACKLOG", "200000"))
SECONDS = int(os.environ.get("BENCH_LOG_SECONDS", "2"))
ROUNDS = int(os.environ.get("BENCH_LOG_ROUNDS", "15"))


def figures() -> Iterator[Figure]:
    yield from verification(ENTRIES)
    use_durable_database()
    with site():
        from tests.bench import _log  # needs the settings

        yield from _log.writers(SECONDS, ROUNDS)
        yield from _log.sequencer(ENTRIES, BACKLOG)
