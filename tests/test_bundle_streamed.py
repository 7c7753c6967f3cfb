"""If a store cannot copy parts, or copies them wrongly, the worker uploads the same plan itself."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from archive.bundles.build import build, request
from archive.errors import StoreUnavailable
from archive.log import SYSTEM
from archive.models import Bundle, Space, StoreReport, User
from archive.storage import capabilities, keys, rehearsal, store
from tests.faults.proxy import Fault, Proxy
from tests.support.bundles import read_bundle
from tests.support.factory import make_noise
from tests.support.object_stores import override_store

COPY = r"^PUT .* copy$"


@pytest.fixture
def space(db: None, alice: User) -> Space:
    return make_noise(alice, megabytes=12)  # enough for one copied part


@pytest.fixture
def day(db: None) -> Iterator[Proxy]:
    with Proxy(settings.S3_ENDPOINT_URL) as proxy, override_store(endpoint_url=proxy.url, public=True, tried=False):
        yield proxy


def forget() -> None:
    StoreReport.objects.all().delete()
    capabilities.forget(store().place)


def test_fallback_is_detected_once_and_gives_the_same_bytes(space: Space, day: Proxy) -> None:
    composed = request(space.pk, SYSTEM)
    assert build(composed.pk)
    whole = read_bundle(Bundle.objects.get())
    Bundle.objects.update(state="removed")
    forget()
    day.faults, day.lines = [Fault(COPY, status=501, code="NotImplemented")], []

    streamed = request(space.pk, SYSTEM)
    assert build(streamed.pk)

    streamed.refresh_from_db()
    assert read_bundle(streamed) == whole
    assert sum(line.endswith(" copy") for line in day.lines) == 1
    again = request(make_noise(space.host, megabytes=6).pk, SYSTEM)
    assert build(again.pk)
    assert sum(line.endswith(" copy") for line in day.lines) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(COPY, status=501, code="NotImplemented"),
        pytest.param(Fault(COPY, status=405, code="MethodNotAllowed"), marks=pytest.mark.long),
        Fault(r"^GET .*rehearsal.*copy$", changed=lambda body: body[:-4] + b"...."),
    ],
    ids=["not implemented", "not allowed", "other bytes"],
)
def test_a_store_without_part_copies_is_detected(day: Proxy, fault: Fault) -> None:
    day.faults = [fault]

    report = rehearsal.run(store())

    assert not report.capabilities.copies_parts
    assert fault.seen == 1
    assert not report.faults
    assert not store().listing(keys.REHEARSAL)


def test_an_unavailable_store_is_not_taken_for_one_without_part_copies(day: Proxy) -> None:
    day.faults = [Fault(COPY, status=503, code="SlowDown")]
    with pytest.raises(StoreUnavailable, match="503"):
        rehearsal.run(store())
    assert not StoreReport.objects.filter(place=store().place).exists()
    day.faults = []

    assert store().capabilities.copies_parts
