"""A sequencer that is killed at any step leaves a log that the next run completes, without a gap, a fork or a loss.

`make test` kills it a few times, `make test-long` at each of STEPS, `make kills` (KILLS) at every place and then at
random places.
"""

import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from django.db import transaction

from archive import log
from archive.errors import ObjectMissing
from archive.log import SYSTEM, events
from archive.models import CheckpointTimestamp, LogCheckpoint, LogEntry, LogLeaf, LogQueue
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from archive.transparency import second_bucket, timestamps
from archive.transparency.keys import public_keys
from archive.transparency.verify import verify
from archive.transparency.verify_log import Checkpoint
from tests.faults import ForkServer, start_fork_server
from tests.support.leases import expire_leases
from tests.support.processes import Services
from tests.support.second_bucket import contents, use_second_bucket
from tests.support.tsa import run_authority

KILLS = int(os.environ.get("KILLS", "0"))
SEED = int(os.environ.get("KILLS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
STEPS = [
    "before commit in transparency.sequence:number_entries",
    "after commit in transparency.sequence:number_entries",
    "after s3 PutObject in transparency.tile_store:_put",
    "before commit in transparency.checkpoints:_sign",
    "after commit in transparency.checkpoints:_sign",
    "before s3 CompleteMultipartUpload in transparency.checkpoints:_publish",
    "after s3 CompleteMultipartUpload in transparency.checkpoints:_publish",
    "after s3 PutObject in transparency.second_bucket:_write",
    "after s3 PutObject in transparency.timestamps:_store",
]
# For `make test`: one step for each state that a restart can find. A death right after a commit leaves the same state
# as one before the next step. A death before a commit also shows that nothing is written outside of it.
SAMPLE = [
    "before commit in transparency.sequence:number_entries",
    "after s3 PutObject in transparency.tile_store:_put",
    "before commit in transparency.checkpoints:_sign",
    "before s3 CompleteMultipartUpload in transparency.checkpoints:_publish",
    "after s3 PutObject in transparency.second_bucket:_write",
    "after s3 PutObject in transparency.timestamps:_store",
]
CHOICES = [STEPS] if KILLS else [SAMPLE, pytest.param(STEPS, marks=pytest.mark.long)]

pytestmark = pytest.mark.usefixtures("committed", "empty_bucket")


@pytest.fixture
def zygote(services: Services, tmp_path: Path) -> Iterator[ForkServer]:
    """Processes with a second bucket and a time-stamp authority."""
    with use_second_bucket() as second, run_authority(tmp_path) as authority:
        env = {
            "LOG_BUCKET": second.bucket,
            "LOG_S3_ACCESS_KEY_ID": services.env["S3_ACCESS_KEY_ID"],
            "LOG_S3_SECRET_ACCESS_KEY": services.env["S3_SECRET_ACCESS_KEY"],
            "LOG_TSA_URL": authority.url,
            "LOG_TSA_CA": str(authority.ca),
        }
        with start_fork_server({**services.env, **env}, tmp_path) as running:
            yield running


def write(count: int) -> None:
    with transaction.atomic():
        log.record_all(events.DIGEST_EMPTY, [(None, {"number": i}) for i in range(count)], actor=SYSTEM)


def published() -> list[Checkpoint]:
    try:
        return [Checkpoint.parse(store().get(keys.log_object("checkpoint")).decode())]
    except ObjectMissing:
        return []


def assert_each_entry_waits_or_has_an_index() -> None:
    numbered = LogLeaf.objects.order_by("index").values_list("index", "entry_id")
    assert [index for index, _ in numbered] == list(range(len(numbered)))
    waiting = list(LogQueue.objects.values_list("entry_id", flat=True))
    assert sorted([*waiting, *(pk for _, pk in numbered)]) == list(
        LogEntry.objects.order_by("id").values_list("id", flat=True)
    )


def assert_complete(outside: Sequence[Checkpoint]) -> None:
    """`outside`: everything that was published when the process died."""
    assert not LogQueue.objects.exists()
    newest = LogCheckpoint.objects.latest("id")
    assert newest.size == LogEntry.objects.count() == verify(known=outside)["count"]
    assert [checkpoint.note for checkpoint in published()] == [newest.note]
    assert [text for _, text in contents(second_bucket.bucket())] == list(
        LogCheckpoint.objects.order_by("id").values_list("note", flat=True)
    )
    stamp = CheckpointTimestamp.objects.get(checkpoint=newest)
    name = timestamps.file_name(newest)
    stored = [store().get(keys.log_object(f"{name}.{kind}")) for kind in ("txt", "tsr")]
    assert stored == [newest.note.encode(), bytes(stamp.response)]
    assert all(checkpoint.require_signature(public_keys()) for checkpoint in outside)


@pytest.mark.parametrize("steps", CHOICES, ids=len)
def test_killed_while_it_numbers_signs_and_publishes(zygote: ForkServer, steps: list[str]) -> None:
    purge_listing(store(), store().listing(keys.LOG))
    chance = random.Random(SEED)
    write(300)
    points = zygote.run("sequence_log").points
    assert set(points) >= set(STEPS), points
    places = [*steps, *(list(dict.fromkeys(points)) if KILLS else [])]
    places += chance.choices(points, k=max(0, KILLS - len(places)))

    for place in places:
        write(chance.choice([1, 20, 300]))
        killed = zygote.run("sequence_log", kill_at=1, label=place).killed
        assert killed or KILLS, place  # with fewer entries it passes fewer places
        assert_each_entry_waits_or_has_an_index()
        outside = published()
        write(1)
        expire_leases()
        zygote.run("sequence_log")
        assert_complete(outside)
