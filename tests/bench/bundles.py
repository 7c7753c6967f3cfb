"""Composing a bundle inside the store, compared with streaming it through a worker into the same store; and many at
once.

BENCH_BUNDLES_MIB: sizes of the recording ("64,1024,10240"). BENCH_BUNDLES_ROUNDS: how often each side is timed (3),
beyond 2 GiB once; the quickest counts. BENCH_BUNDLES_MANY: how many at once (50), of BENCH_BUNDLES_MANY_MIB each (20).

Both sides run in processes of their own that have loaded everything that a worker loads (_bundle.py). The peer is
zipstream-ng with boto3's own upload_fileobj. CPU time is that of the process and the store together; with other load on
the machine it says more than elapsed time. A ready bundle is read back later for its SHA-256; these figures have no
goal.
"""

import os
from collections.abc import Iterator

from tests.bench import Figure
from tests.bench._site import site

SIZES = [int(size) for size in os.environ.get("BENCH_BUNDLES_MIB", "64,1024,10240").split(",")]
ROUNDS = int(os.environ.get("BENCH_BUNDLES_ROUNDS", "3"))
MANY = int(os.environ.get("BENCH_BUNDLES_MANY", "50"))
MANY_MIB = int(os.environ.get("BENCH_BUNDLES_MANY_MIB", "20"))


def figures() -> Iterator[Figure]:
    with site(DISPATCH_SECONDS="60") as folder:
        from tests.bench._bundles import compare, many  # need the settings

        for size in SIZES:
            yield from compare(size, ROUNDS if size <= 2048 else 1)
        yield from many(folder, MANY, MANY_MIB)
