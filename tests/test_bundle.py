"""A bundle is built once per content, and again when the content changes."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from archive import dbtime, lifecycle
from archive.bundles.build import build, current, request, request_ahead
from archive.log import SYSTEM
from archive.models import Bundle, Notice, Space, User
from archive.moderation.violations import flag
from archive.storage import store
from tests.support.bundles import build_bundle, clear_failed_bundle, read_bundle
from tests.support.factory import make_row


@pytest.fixture
def space(seeds: Space) -> Space:
    return seeds


def test_requesting_twice_builds_one_bundle(space: Space) -> None:
    first = request(space.pk, SYSTEM)

    assert request(space.pk, SYSTEM) == first
    assert build(first.pk)
    assert request(space.pk, SYSTEM) == first
    assert not build(first.pk)
    assert Bundle.objects.count() == 1


def test_the_same_content_gives_the_same_bytes(space: Space) -> None:
    first = build_bundle(space)
    data = read_bundle(first)
    lifecycle.transition(first, Bundle.State.READY, Bundle.State.REMOVED, actor=SYSTEM)

    second = build_bundle(space)

    assert second.pk != first.pk
    assert read_bundle(second) == data


def test_a_flag_changes_the_bundle(space: Space, admin: User) -> None:
    first = build_bundle(space)
    flag(space.pk, "spam", "An advertisement.", admin)

    second = build_bundle(space)

    assert (second.pk != first.pk, second.content_digest != first.content_digest) == (True, True)
    assert current(Space.objects.get(pk=space.pk)) == second


def test_an_outdated_bundle_fails_and_the_newer_is_built(space: Space, admin: User) -> None:
    older = request(space.pk, SYSTEM)
    flag(space.pk, "spam", "An advertisement.", admin)
    newer = request(space.pk, SYSTEM)

    assert not build(older.pk)
    assert clear_failed_bundle(older) == "bundle.superseded"
    assert build(newer.pk)


def test_the_requester_is_notified_when_it_is_ready_after_minutes(space: Space) -> None:
    bundle = request(space.pk, SYSTEM, space.host)
    Bundle.objects.update(requested_at=Now() - timedelta(minutes=2))

    before = dbtime.now()
    assert build(bundle.pk)

    notice = Notice.objects.get()
    assert (notice.kind, notice.user, notice.subject_id) == ("bundle-ready", space.host, str(bundle.pk))
    assert notice.retry_at is not None
    created_at = notice.retry_at - timedelta(minutes=1)  # an open page is faster
    assert before <= created_at <= dbtime.now()


def test_a_page_that_waits_for_it_needs_no_notice(space: Space) -> None:
    request_ahead(space.pk)
    Bundle.objects.update(requested_at=Now() - timedelta(days=2))
    bundle = request(space.pk, SYSTEM, space.host)  # it was requested ahead; now the host clicks

    assert build(bundle.pk)

    assert not Notice.objects.exists()


def test_the_requester_is_notified_when_it_failed(space: Space) -> None:
    bundle = request(space.pk, SYSTEM, space.host)
    store().delete(store().listing(f"spaces/{space.pk}/recording/").versions)

    assert not build(bundle.pk)

    assert [(notice.kind, notice.user) for notice in Notice.objects.all()] == [("bundle-failed", space.host)]


def test_a_bundle_by_command_notifies_nobody(space: Space) -> None:
    build_bundle(space)

    assert not Notice.objects.exists()


def test_without_any_bundle_nothing_that_it_is_made_of_is_read(db: None, alice: User) -> None:
    space = make_row(alice)
    with CaptureQueriesContext(connection) as queries:
        assert current(space) is None

    assert len(queries) == 1
