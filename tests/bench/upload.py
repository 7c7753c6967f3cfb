"""Uploading from a real browser into the store, against `aws s3 cp`'s own engine into the same one.

BENCH_UPLOAD_MIB: the size of the file (1024). BENCH_UPLOAD_ROUNDS: how often each side is timed (3); the quickest
counts. The peer is s3transfer with the settings that `aws s3 cp` has (parts of 8 MiB, ten at a time), which is the
library that does its work: awscli itself pins another botocore. Ours is the page: from the click to the Space that has
arrived, with a SHA-256 of each part computed in the browser, and checked by the store.
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
