"""Uploading from a real browser into the store, compared with the engine of `aws s3 cp`.

BENCH_UPLOAD_MIB: the size of the file (1024). BENCH_UPLOAD_ROUNDS: how often each side is timed (3); the quickest
counts. The peer is s3transfer, the library behind `aws s3 cp`, with its settings (parts of 8 MiB, ten at a time);
awscli itself pins another botocore. Ours is the page: from the click until the Space has arrived, with a SHA-256 of
each part that the browser computes and the store checks.
"""

import os
from collections.abc import Iterator

from tests.bench import Figure
from tests.bench._site import site

MIB = 1024**2
SIZE = int(os.environ.get("BENCH_UPLOAD_MIB", "1024")) * MIB
ROUNDS = int(os.environ.get("BENCH_UPLOAD_ROUNDS", "3"))


def figures() -> Iterator[Figure]:
    with site() as folder:
        from tests.bench._upload import compare  # needs the settings

        yield from compare(folder, SIZE, ROUNDS)
