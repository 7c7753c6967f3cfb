"""A failing build is retried or fails visibly, and leaves nothing incomplete."""

from datetime import timedelta

import pytest

from archive import dbtime
from archive.bundles.build import build, current, request
from archive.errors import Refused, TooLate
from archive.log import SYSTEM
from archive.models import Bundle, Space
from archive.storage import store
from tests.support.bundles import clear_failed_bundle
from tests.support.errors import raises_error
from tests.support.object_stores import UNREACHABLE, override_store


@pytest.fixture
def space(seeds: Space) -> Space:
    return seeds


def test_a_build_is_retried_while_the_store_is_down(space: Space) -> None:
    bundle = request(space.pk, SYSTEM)
    with override_store(**UNREACHABLE):
        assert not build(bundle.pk)
    bundle.refresh_from_db()
    assert (bundle.state, bundle.attempts) == ("building", 1)
    assert bundle.problem_code == "storage.unreachable"

    Bundle.objects.update(retry_at=None)

    assert build(bundle.pk)
    bundle.refresh_from_db()
    assert (bundle.state, bundle.problem, bundle.attempts) == ("ready", {}, 0)


def test_a_build_fails_after_five_attempts(space: Space) -> None:
    bundle = request(space.pk, SYSTEM)
    Bundle.objects.update(attempts=4)

    with override_store(**UNREACHABLE):
        assert not build(bundle.pk)

    assert clear_failed_bundle(bundle) == "storage.unreachable"
    assert current(space) == bundle
    assert request(space.pk, SYSTEM) != bundle


def test_a_build_fails_after_five_worker_crashes(space: Space) -> None:
    bundle = request(space.pk, SYSTEM)
    Bundle.objects.update(attempts=5)

    assert not build(bundle.pk)

    assert clear_failed_bundle(bundle) == "work.gave_up"


def test_a_build_without_its_recording_fails(space: Space) -> None:
    bundle = request(space.pk, SYSTEM)
    store().delete(store().listing(f"spaces/{space.pk}/recording/").versions)

    assert not build(bundle.pk)

    assert clear_failed_bundle(bundle) == "storage.answer"
    bundle.refresh_from_db()
    assert bundle.problem["params"]["status"] == 404


def test_a_build_fails_if_the_recording_was_replaced(space: Space) -> None:
    bundle = request(space.pk, SYSTEM)
    store().client.put_object(Bucket=store().bucket, Key=f"spaces/{space.pk}/recording/1.m4a", Body=b"x" * 20_000)

    assert not build(bundle.pk)

    assert clear_failed_bundle(bundle) == "storage.answer"
    bundle.refresh_from_db()
    assert bundle.problem["params"]["status"] == 412


def test_no_bundle_after_the_deadline(space: Space) -> None:
    bundle = request(space.pk, SYSTEM)
    past = dbtime.now() - timedelta(seconds=1)
    Space.objects.filter(pk=space.pk).update(expires_at=past)

    assert not build(bundle.pk)

    assert clear_failed_bundle(bundle) == "bundle.deadline_first"
    with raises_error(TooLate, "bundle.too_late"):
        request(space.pk, SYSTEM)


def test_no_bundle_of_a_space_that_is_not_available(space: Space) -> None:
    Space.objects.filter(pk=space.pk).update(state="processing")

    with raises_error(Refused, "bundle.not_available", state="processing"):
        request(space.pk, SYSTEM)
