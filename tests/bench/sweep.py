"""Deleting what is due: the cost follows what is due and not what is stored, and few calls do for many.

BENCH_SWEEP_STORED: how many Spaces there are on the large side (1,000,000; the small side has a hundredth of it), of
which 1,000 are due on each. BENCH_SWEEP_DUE among BENCH_SWEEP_AMONG: for the rate (2,000 among 20,000; 10,000 among
100,000 is what it must do). Spaces that are due have real objects in the store, three each; the others are rows, with
an entry in the log each.
"""

import os
from collections.abc import Iterator

from tests.bench import Figure
from tests.bench._site import site

STORED = int(os.environ.get("BENCH_SWEEP_STORED", "1000000"))
DUE = int(os.environ.get("BENCH_SWEEP_DUE", "2000"))
AMONG = int(os.environ.get("BENCH_SWEEP_AMONG", str(10 * DUE)))


def figures() -> Iterator[Figure]:
    with site():
        from tests.bench._sweep import rate, ratio  # need the settings

        yield from rate(DUE, AMONG)
        yield from ratio(STORED // 100, STORED)
