"""The benchmark of the log runs, and leaves a log with a signed checkpoint."""

import pytest
from pytest_django import Settings

from archive.models import LogCheckpoint, LogEntry, LogSequencer
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from tests.bench import _log


@pytest.mark.usefixtures("committed", "bucket")
def test_a_small_log_is_measured(settings: Settings) -> None:
    settings.LOG_CHECKPOINT_SECONDS = 600  # the benchmark changes it; the fixture restores it
    purge_listing(store(), store().listing(keys.LOG))
    assert _log.inserted_per_second("archive_logentry", 1) > 0
    assert _log.numbered_per_second() > 0
    assert LogSequencer.objects.get().size == LogEntry.objects.count()

    _log.grow(1)
    _log.queue(10)
    assert _log.numbered_per_second() > 0

    assert LogCheckpoint.objects.latest("id").size == LogSequencer.objects.get().size == 65_546
