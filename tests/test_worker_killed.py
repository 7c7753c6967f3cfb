"""A worker is killed with its children: no work is stuck, duplicated or incomplete."""

import io
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.conf import settings

from archive import dbtime
from archive.bundles import build
from archive.log import SYSTEM
from archive.models import Bundle, LogEntry, Space, User
from archive.storage import keys, store
from archive.tasks import dispatch
from tests.support.factory import make_noise
from tests.support.leases import expire_leases
from tests.support.paused_at import PausedAt
from tests.support.processes import Services
from tests.support.proxy import PausingProxy
from tests.support.waiting import dispatch_until, wait_until

BUNDLES = ["bundle.started", "bundle.ready"]  # at the second, the ZIP is stored, but its row says "building"
DELETIONS = ["deletion.started", "deletion.inventoried", "space.deleted"]  # at the last, the store is empty already
INTAKE = "space.available"


@pytest.mark.usefixtures("committed")
def test_killed_at_every_commit(services: Services, make_space: Callable[..., Space]) -> None:
    spaces = {event: make_space(title=event) for event in [*BUNDLES, *DELETIONS, INTAKE]}
    bundles = {event: build.request(spaces[event].id, SYSTEM) for event in BUNDLES}
    for event in DELETIONS:
        overdue(spaces[event])
    Space.objects.filter(pk=spaces[INTAKE].pk).update(state="processing")

    with ExitStack() as stack:
        pauses = [stack.enter_context(PausedAt(event, space.id)) for event, space in spaces.items()]
        worker = services.worker(concurrency=7)
        dispatch()
        for pause in pauses:
            pause.wait()
        worker.kill()
    expire_leases()
    services.worker()

    def finished() -> bool:
        left = Space.objects.filter(state__in=["processing", "expiring"]).exists()
        return not left and Bundle.objects.filter(state="ready").count() == 2

    dispatch_until(finished, "everything is finished after the restart")
    for event in BUNDLES:
        assert_bundled_once(spaces[event], Bundle.objects.get(pk=bundles[event].pk))
    for event in DELETIONS:
        assert logged_events(spaces[event], "deletion.started", "space.deleted") == [
            "deletion.started",
            "space.deleted",
        ], event
        assert not store().listing(keys.prefix(spaces[event].id)), event
    # The first one is the intake's own; the killed worker's was rolled back.
    assert logged_events(spaces[INTAKE], "space.available") == ["space.available", "space.available"]


@pytest.mark.long
@pytest.mark.usefixtures("committed")
def test_killed_while_a_part_is_copied(services: Services, alice: User) -> None:
    """The store gets the killed worker's request later, when the next worker may have started."""
    space = make_noise(alice, megabytes=200)
    bundle = build.request(space.id, SYSTEM)
    key = keys.bundle(space.id, bundle.id)

    with PausingProxy(settings.S3_ENDPOINT_URL, rf"PUT \S*{key}\S*[?&]partNumber=2\b") as proxy:
        worker = services.worker(fresh=True, S3_ENDPOINT_URL=proxy.url)
        dispatch()
        wait_until(proxy.reached, "the worker asks the store to copy a part")
        worker.kill()
        left = store().listing(key)
        assert Bundle.objects.get(pk=bundle.pk).state == "building"
        assert (len(left.versions), len(left.uploads)) == (0, 1)
        proxy.release()

    expire_leases()
    services.worker()
    dispatch_until(lambda: Bundle.objects.get(pk=bundle.pk).state == "ready", "the bundle is built after the restart")
    assert_bundled_once(space, Bundle.objects.get(pk=bundle.pk))


def overdue(space: Space) -> None:
    end = dbtime.now() - timedelta(days=31)
    Space.objects.filter(pk=space.pk).update(ended_at=end, expires_at=end + timedelta(days=30))


def logged_events(space: Space, *events: str) -> list[str]:
    entries = LogEntry.objects.filter(space_id=space.id, event__in=events).order_by("id")
    return list(entries.values_list("event", flat=True))


def assert_bundled_once(space: Space, bundle: Bundle) -> None:
    assert bundle.size is not None
    assert logged_events(space, "bundle.ready", "bundle.failed") == ["bundle.ready"]
    listing = store().listing(keys.prefix(space.id))
    known = {o.key for stored in (space.recordings, space.derived, space.transcripts) for o in stored.all()} | {
        bundle.key
    }
    assert {version.key for version in listing.versions} == known
    assert listing.uploads == ()
    with zipfile.ZipFile(io.BytesIO(store().read(bundle.key, 0, bundle.size, bundle.etag))) as archive:
        assert archive.testzip() is None
