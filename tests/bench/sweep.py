"""The cost of a deletion depends on what is due and not on what is stored, and few calls delete many Spaces.

BENCH_SWEEP_STORED: how many Spaces there are on the large side (1,000,000; the small side has a hundredth), of which
1,000 are due on each side. BENCH_SWEEP_DUE among BENCH_SWEEP_AMONG: for the rate (2,000 among 20,000; the goal is for
10,000 among 100,000). Each due Space has three real objects in the store; the others are rows with one log entry each.
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
