"""A build is killed (SIGKILL) at a commit or a call to the store; after a retry there is one ready bundle and nothing
else. `make test` kills it at a sample of the steps, `make test-long` at each step, `make kills` (KILLS) at every place
and then at random places."""

import os
import random
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from django.db.models.functions import Now

from archive.bundles.build import request
from archive.log import SYSTEM
from archive.models import Bundle, LogEntry, Space, User
from archive.storage import keys, store
from tests.faults import ForkServer, start_fork_server
from tests.support.bundles import assert_checksums_match
from tests.support.factory import make_noise
from tests.support.processes import Services

KILLS = int(os.environ.get("KILLS", "0"))
MIB = 1024**2
STEPS = {
    "before s3 CreateMultipartUpload in bundles.compose:_begin",
    "after s3 CreateMultipartUpload in bundles.compose:_begin",
    "before commit update in bundles.compose:_begin",
    "after s3 UploadPart in bundles.compose:_send",
    "before s3 UploadPartCopy in bundles.compose:_copy",
    "after s3 UploadPartCopy in bundles.compose:_copy",
    "before s3 CompleteMultipartUpload in bundles.compose:_complete",
    "after s3 CompleteMultipartUpload in bundles.compose:_complete",
    "before commit in bundles.build:compose_and_finish",
    "after commit in bundles.build:compose_and_finish",
}
# For `make test`: one step for each state that a restart can find. A death before a call leaves the same state as one
# after the step before. The last commit is tried on both sides, to show that nothing is written outside of it.
SAMPLE = {
    "after s3 CreateMultipartUpload in bundles.compose:_begin",
    "after s3 UploadPart in bundles.compose:_send",
    "after s3 UploadPartCopy in bundles.compose:_copy",
    "after s3 CompleteMultipartUpload in bundles.compose:_complete",
    "before commit in bundles.build:compose_and_finish",
    "after commit in bundles.build:compose_and_finish",
}
CHOICES = [STEPS] if KILLS else [SAMPLE, pytest.param(STEPS, marks=pytest.mark.long)]


@pytest.fixture
def zygote(services: Services, tmp_path: Path) -> Iterator[ForkServer]:
    with start_fork_server(services.env, tmp_path) as running:
        yield running


@pytest.fixture
def space(committed: None, alice: User) -> Space:
    return make_noise(alice, megabytes=12)


@pytest.mark.parametrize("steps", CHOICES, ids=len)
def test_a_build_killed_at_each_step(zygote: ForkServer, space: Space, steps: set[str]) -> None:
    zygote.run("make_bundle", str(request_bundle(space).pk))  # tests the store's capabilities, once
    whole = zygote.run("make_bundle", str(request_bundle(space).pk))
    assert set(whole.points) >= STEPS
    assert_one_whole_bundle(space)
    kills, enough = 0, max(KILLS, len(whole.points) if KILLS else len(steps)) - 2

    for place in places_to_kill(whole.points, steps):
        bundle = request_bundle(space)
        died = zygote.run("make_bundle", str(bundle.pk), kill_at=place)
        kills += died.killed  # a run that does not wait for a copy has fewer places
        the_lease_runs_out()
        zygote.run("make_bundle", str(bundle.pk))
        assert_one_whole_bundle(space)
        if kills >= enough:
            break
    assert kills >= enough


def places_to_kill(points: tuple[str, ...], steps: set[str]) -> Iterator[int]:
    """Yield numbers of points, from 1: the point of each of `steps`; in `make kills` all points, then random ones
    without end."""
    count = len(points)
    if KILLS:
        yield from chain(range(1, count + 1), iter(lambda: random.randint(1, count), 0))
    else:
        yield from sorted(points.index(step) + 1 for step in steps)


def request_bundle(space: Space) -> Bundle:
    """Delete the last bundle with its objects, and request a new one."""
    Bundle.objects.all().delete()
    left = store().listing(f"{keys.prefix(space.pk)}bundles/")
    store().delete(left.versions)
    return request(space.pk, SYSTEM)


def the_lease_runs_out() -> None:
    Bundle.objects.update(lease_until=Now(), retry_at=None)


def assert_one_whole_bundle(space: Space) -> None:
    bundle = Bundle.objects.get()
    assert (bundle.state, bundle.problem) == ("ready", {})
    listing = store().listing(f"{keys.prefix(space.pk)}bundles/")
    assert [version.key for version in listing.versions] == [bundle.key]
    assert listing.uploads == ()
    assert LogEntry.objects.filter(event="bundle.ready", detail__bundle=str(bundle.pk)).count() == 1
    assert LogEntry.objects.filter(event="bundle.verified", detail__bundle=str(bundle.pk)).count() == 1
    assert_checksums_match(bundle)
