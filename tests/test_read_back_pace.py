"""Bundles are read back at a limited rate, but always within one run."""

import pytest
from pytest_django import Settings

from archive.bundles import maintain
from archive.bundles.pace import Pace
from archive.models import Bundle, Space
from tests.support.bundles import build_bundle
from tests.support.object_stores import without

MIB = 1024**2


@pytest.mark.parametrize(
    ("limit", "size", "seconds", "rate"),
    [
        (32 * MIB, 100 * MIB, 400, 32 * MIB),
        (32 * MIB, 12_800 * MIB, 400, 64 * MIB),  # in half of the time limit
        (0, 12_800 * MIB, 400, 0),
    ],
    ids=["as set", "as needed", "no limit"],
)
def test_the_rate(limit: int, size: int, seconds: float, rate: float, settings: Settings) -> None:
    settings.READ_BACK_BYTES_PER_SECOND = limit

    assert Pace(size, seconds).rate == rate


def test_it_waits_for_what_came_too_early(settings: Settings) -> None:
    settings.READ_BACK_BYTES_PER_SECOND = 1000
    waited: list[float] = []
    pace = Pace(5000, 400, waited.append)

    pace.keep(2000)

    assert waited == [pytest.approx(2.0, abs=1.0)]


@pytest.mark.usefixtures("db")
def test_only_what_the_store_could_not_verify_is_read(
    make_space: object, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    monkeypatch.setattr(Pace, "keep", lambda self, count: counts.append(count))
    space = make_space()  # type: ignore[operator]
    assert isinstance(space, Space)
    assert not maintain.verify(Bundle, build_bundle(space).pk)
    assert counts == []


@pytest.mark.usefixtures("db")
def test_a_bundle_that_is_read_back_keeps_the_pace(make_space: object, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    monkeypatch.setattr(Pace, "keep", lambda self, count: counts.append(count))
    with without(verifies_whole=False, reports_part_crc32=False):
        bundle = build_bundle(make_space())  # type: ignore[operator]
        assert maintain.verify(Bundle, bundle.pk)
    bundle.refresh_from_db()
    assert counts[-1] == bundle.size
