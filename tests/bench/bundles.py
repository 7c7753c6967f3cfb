"""Composing a bundle inside the store, against streaming it through a worker into the same store; and many at once.

BENCH_BUNDLES_MIB: sizes of the recording ("64,1024,10240"). BENCH_BUNDLES_ROUNDS: how often each side is timed, beyond
2 GiB once (3); the quickest counts. BENCH_BUNDLES_MANY: how many at once (50), of BENCH_BUNDLES_MANY_MIB each (20).

Both sides run in processes of their own that have loaded all that a worker has (_bundle.py). The peer is zipstream-ng,
uploaded by boto3's own upload_fileobj as it comes. Processor time is that of the process and of the store together: on
a machine where others work too, it tells more than a clock. Reading back for the SHA-256 follows when a bundle is ready
already; its figures have no goal.
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
