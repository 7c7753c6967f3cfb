"""Bundles of Spaces that are due soon are requested ahead, once, without a requester, and only a few at a time."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from archive import dbtime
from archive.bundles import ahead, build
from archive.bundles.ahead import request_bundles
from archive.errors import make_problem
from archive.log import Actor
from archive.models import Bundle, Export, ExportPart, ExportPartEntry, LogEntry, Recording, Space, User
from tests.support.factory import make_held, make_row, make_user

pytestmark = pytest.mark.django_db
READY = {"state": "ready", "key": "k", "size": 1, "etag": "e", "name": "n.zip"}


def make_due_in(host: User, days: float, **fields: Any) -> Space:
    """The row of a Space with a recording that is due in this many days."""
    return with_recording(make_row(host, ended_ago=timedelta(days=30 - days), **fields))


def with_recording(space: Space) -> Space:
    sound = {"extension": "m4a", "content_type": "audio/mp4", "codec": "aac", "sample_rate": 48000, "channels": 1}
    stored = {"key": f"spaces/{space.pk}/1.m4a", "size": 5, "etag": "e", "sha256": "0" * 64, "crc32": 1}
    Recording.objects.create(space=space, duration_ms=1000, **sound, **stored)
    return space


def test_only_spaces_that_are_due_soon(alice: User) -> None:
    soon, sooner = make_due_in(alice, 6.9), make_due_in(alice, 1)
    make_due_in(alice, 7.1)
    make_due_in(alice, -0.1)
    make_due_in(alice, 5, state="processing")
    make_row(alice, ended_ago=timedelta(days=28))  # without a recording
    with_recording(make_held(alice, ended_ago=timedelta(days=28)))

    assert request_bundles() == 2

    bundles = Bundle.objects.order_by("requested_at")
    assert [(bundle.space, bundle.state, bundle.requested_by) for bundle in bundles] == [
        (sooner, "requested", None),
        (soon, "requested", None),
    ]
    assert set(LogEntry.objects.values_list("event", "actor_kind")) == {("bundle.requested", "system")}
    assert request_bundles() == 0


def test_not_what_the_host_has(alice: User) -> None:
    has_bundle, has_part, asked = (make_due_in(alice, days) for days in (1, 2, 3))
    fetched = {"ready_at": dbtime.now(), "host_fetched_at": dbtime.now()}
    Bundle.objects.create(space=has_bundle, content_digest="a", **{**READY, "state": "removed"}, **fetched)
    Bundle.objects.update(requested_at=Now() - timedelta(days=10))  # built long before the deadline
    export = Export.objects.create(host=alice, max_part_size=2 * 10**9)
    part = ExportPart.objects.create(export=export, number=1, **READY, **fetched)
    ExportPartEntry.objects.create(export_part=part, space=has_part)
    build.request_ahead(asked.pk)

    assert request_bundles() == 0


@pytest.mark.parametrize("state", ["failed", "removed"])
def test_once_before_a_deadline(alice: User, state: str) -> None:
    space = make_due_in(alice, 3)
    assert request_bundles() == 1
    Bundle.objects.update(state=state, problem=make_problem("bundle.no_recording", space=str(space.pk)))

    assert request_bundles() == 0

    Bundle.objects.update(requested_at=Now() - timedelta(days=5))  # before the seven days begin
    assert request_bundles() == 1


def test_few_at_a_time(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "AT_ONCE", 2)
    spaces = [make_due_in(alice, days) for days in (1, 2, 3, 4)]
    Bundle.objects.create(space=make_due_in(alice, 20), content_digest="b", requested_by=alice)  # is not counted

    assert request_bundles() == 2
    assert request_bundles() == 0
    Bundle.objects.filter(space=spaces[0]).update(**READY, ready_at=dbtime.now())
    assert request_bundles() == 1


def test_it_can_be_switched_off(alice: User, settings: Any) -> None:
    make_due_in(alice, 1)
    settings.BUNDLE_AHEAD_DAYS = 0

    assert request_bundles() == 0


def test_a_request_by_the_host_finds_it(alice: User) -> None:
    """Once the host requests it, the bundle is theirs, and they are notified when it is ready."""
    space = make_due_in(alice, 1)
    assert request_bundles() == 1

    bundle = build.request(space.pk, Actor.of(alice), alice)

    assert bundle == Bundle.objects.get()
    assert Bundle.objects.get().requested_by == alice
    assert LogEntry.objects.count() == 1


def test_a_space_of_somebody_else_does_not_matter(alice: User) -> None:
    for name in ("one", "two"):
        make_due_in(make_user(name), 2)

    assert request_bundles() == 2
