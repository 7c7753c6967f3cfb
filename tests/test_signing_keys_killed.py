"""A process that is killed while it records a key or signs with it leaves one entry per key, and a valid log."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction

from archive import log
from archive.log import SYSTEM, events
from archive.models import DeletionCertificate, LogCheckpoint, LogEntry, SigningKeyEvent, Space, User
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from archive.transparency.verify import verify
from tests.faults import ForkServer, start_fork_server
from tests.support.database import as_superuser, empty_database
from tests.support.factory import make_row, make_user
from tests.support.leases import expire_leases
from tests.support.processes import Services

# Jobs that record keys and sign: the first three sign the log, the others a certificate.
STEPS = {
    "sequence_log": [
        "before commit in signing_keys:_record",
        "after commit in signing_keys:_record",
        "before commit in transparency.checkpoints:_sign",
        "after commit in transparency.checkpoints:_sign",
    ],
    "sweep": [
        "before commit in signing_keys:_record",
        "after commit in signing_keys:_record",
        "before commit in retention.tombstone:write_tombstones",
        "after commit in retention.tombstone:write_tombstones",
    ],
}
# For `make test`: once before and after recording a key, and before and after signing with it.
SAMPLE = {
    "sequence_log": [
        "after commit in signing_keys:_record",
        "before commit in transparency.checkpoints:_sign",
    ],
    "sweep": [
        "before commit in signing_keys:_record",
        "after commit in retention.tombstone:write_tombstones",
    ],
}


@pytest.fixture
def zygote(services: Services, tmp_path: Path) -> Iterator[ForkServer]:
    with start_fork_server(services.env, tmp_path) as running:
        yield running


def prepare(host: User) -> Space:
    """Remove all keys and signatures, and create an entry to sign and a Space to delete."""
    purge_listing(store(), store().listing(keys.LOG))
    as_superuser("DELETE FROM archive_signingkeyevent")
    with transaction.atomic():
        log.record(events.DIGEST_EMPTY, space_id=None, actor=SYSTEM)
    return make_row(host, ended_ago=timedelta(days=31))


@pytest.mark.usefixtures("committed", "empty_bucket")
@pytest.mark.parametrize("places", [SAMPLE, pytest.param(STEPS, marks=pytest.mark.long)], ids=["some", "each"])
def test_killed_while_it_records_a_key_or_signs(zygote: ForkServer, places: dict[str, list[str]]) -> None:
    for job, steps in places.items():
        for place in steps:
            space = prepare(make_user("alice"))
            assert zygote.run(job, kill_at=1, label=place).killed, place
            expire_leases()

            zygote.run("sweep")
            zygote.run("sequence_log")

            added = list(LogEntry.objects.filter(event="log.key_added").values_list("detail__kind", flat=True))
            assert sorted(added) == ["certificate", "log"], place
            assert SigningKeyEvent.objects.count() == 2
            assert DeletionCertificate.objects.filter(pk=space.pk).exists()
            assert verify()["count"] == LogCheckpoint.objects.latest("id").size == LogEntry.objects.count()
            empty_database()
