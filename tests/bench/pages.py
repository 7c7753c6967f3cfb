"""The cost of lists, filters, orders and searches does not depend on the number of Spaces. Also the CPU time of pages,
and the time until a recording plays.

BENCH_PAGES_SPACES: how many Spaces there are on the large side (1,000,000); the small side has 1,000. BENCH_PAGES_LOG:
entries of the log for each Space (10). BENCH_PAGES_REQUESTS: of each page, on each side (100). BENCH_PAGES_PLAYS: how
often the page with the player is loaded (20). BENCH_PAGES_ONLY: names of pages (all). BENCH_PAGES_PEER: 0 to skip the
list of another project.
"""

import os
from collections.abc import Iterator

from tests.bench import Figure
from tests.bench._site import site

SMALL = 1000
SPACES = int(os.environ.get("BENCH_PAGES_SPACES", "1000000"))
ENTRIES = int(os.environ.get("BENCH_PAGES_LOG", "10"))
REQUESTS = int(os.environ.get("BENCH_PAGES_REQUESTS", "100"))
PLAYS = int(os.environ.get("BENCH_PAGES_PLAYS", "20"))
PEER = os.environ.get("BENCH_PAGES_PEER", "1") == "1"
ONLY = os.environ.get("BENCH_PAGES_ONLY", "")
NO_LIMITS = {"SEARCHES_PER_MINUTE": "1000000", "EXPORTS_PER_HOUR": "1000000"}


def figures() -> Iterator[Figure]:
    with site(**NO_LIMITS) as folder:
        from tests.bench._pages import ratios  # need the settings
        from tests.bench._player import time_to_play

        if PLAYS:
            yield from time_to_play(folder, PLAYS)
        yield from ratios(folder, SMALL, SPACES, ENTRIES, REQUESTS, ONLY, with_peer=PEER)
