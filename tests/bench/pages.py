"""Lists, filters, orders and searches: the time of a page does not follow the number of Spaces.

BENCH_PAGES_SPACES: how many Spaces there are on the large side (1,000,000); the small side has 1,000.
BENCH_PAGES_LOG: entries of the log for each Space (10). BENCH_PAGES_REQUESTS: of each page, on each side (60).
"""

import os
from collections.abc import Iterator

from tests.bench import Figure
from tests.bench._site import site

SMALL = 1000
SPACES = int(os.environ.get("BENCH_PAGES_SPACES", "1000000"))
ENTRIES = int(os.environ.get("BENCH_PAGES_LOG", "10"))
REQUESTS = int(os.environ.get("BENCH_PAGES_REQUESTS", "60"))


def figures() -> Iterator[Figure]:
    with site():
        from tests.bench._pages import ratios  # needs the settings

        yield from ratios(SMALL, SPACES, ENTRIES, REQUESTS)
