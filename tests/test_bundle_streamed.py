"""If a store cannot copy parts, or copies them wrongly, the worker uploads the same plan itself."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.cache import cache

from archive.bundles.build import build, request
from archive.bundles.maintain import verify
from archive.log import SYSTEM
from archive.models import Bundle, Space, User
from archive.storage import keys, store
from archive.storage.capabilities import copies_parts, try_copying
from tests.faults.proxy import Fault, Proxy
from tests.support.bundles import assert_checksums_match, read_bundle
from tests.support.factory import make_noise
from tests.support.object_stores import override_store

COPY = r"^PUT .* copy$"


@pytest.fixture
def space(db: None, alice: User) -> Space:
    return make_noise(alice, megabytes=40)


@pytest.fixture
def day() -> Iterator[Proxy]:
    with (
        Proxy(settings.S3_ENDPOINT_URL) as proxy,
        override_store(endpoint_url=proxy.url),
    ):
        yield proxy


def test_fallback_is_detected_once_and_gives_the_same_bytes(space: Space, day: Proxy) -> None:
    composed = request(space.pk, SYSTEM)
    assert build(composed.pk)
    whole = read_bundle(Bundle.objects.get())
    Bundle.objects.update(state="removed")
    cache.clear()
    day.faults, day.lines = [Fault(COPY, status=501, code="NotImplemented")], []

    streamed = request(space.pk, SYSTEM)
    assert build(streamed.pk)

    assert verify(Bundle, streamed.pk)
    streamed.refresh_from_db()
    assert read_bundle(streamed) == whole
    assert_checksums_match(streamed)
    assert sum(line.endswith(" copy") for line in day.lines) == 1
    again = request(make_noise(space.host, megabytes=6).pk, SYSTEM)
    assert build(again.pk)
    assert sum(line.endswith(" copy") for line in day.lines) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(COPY, status=501, code="NotImplemented"),
        Fault(COPY, status=405, code="MethodNotAllowed"),
        Fault(r"^GET .*rehearsal.*copy$", changed=lambda body: body[:-4] + b"...."),
    ],
    ids=["not implemented", "not allowed", "other bytes"],
)
def test_a_store_without_part_copies_is_detected(day: Proxy, fault: Fault, db: None) -> None:
    day.faults = [fault]

    assert not try_copying(store())

    assert fault.seen == 1
    assert not store().listing(keys.REHEARSAL)


def test_an_unavailable_store_is_not_taken_for_one_without_part_copies(day: Proxy, db: None) -> None:
    cache.clear()
    day.faults = [Fault(COPY, status=503, code="SlowDown")]
    with pytest.raises(Exception, match=re.escape("503")):
        copies_parts(store())
    day.faults = []

    assert copies_parts(store())
