"""Lists, filters, orders and searches: what a page costs does not follow the number of Spaces. And the time until a
recording plays.

BENCH_PAGES_SPACES: how many Spaces there are on the large side (1,000,000); the small side has 1,000.
BENCH_PAGES_LOG: entries of the log for each Space (10). BENCH_PAGES_REQUESTS: of each page, on each side (20).
BENCH_PAGES_PLAYS: how often the page with the player is loaded (20).
"""

import os
from collections.abc import Iterator

from tests.bench import Figure
from tests.bench._site import site

SMALL = 1000
SPACES = int(os.environ.get("BENCH_PAGES_SPACES", "1000000"))
ENTRIES = int(os.environ.get("BENCH_PAGES_LOG", "10"))
REQUESTS = int(os.environ.get("BENCH_PAGES_REQUESTS", "20"))
PLAYS = int(os.environ.get("BENCH_PAGES_PLAYS", "20"))


def figures() -> Iterator[Figure]:
    with site() as folder:
        from tests.bench._pages import ratios  # need the settings
        from tests.bench._player import time_to_play

        yield from time_to_play(folder, PLAYS)
        yield from ratios(SMALL, SPACES, ENTRIES, REQUESTS)
