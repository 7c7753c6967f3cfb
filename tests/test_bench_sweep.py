"""The rows that the benchmark of the sweep writes with SQL fit the tables, and its sweep deletes them."""

import pytest

from archive.models import Space
from tests.bench import _sweep


@pytest.mark.usefixtures("owner", "db", "empty_bucket")  # it runs ANALYZE on tables
def test_a_small_sweep_is_measured() -> None:
    _sweep.fill(2)
    _sweep.make_due(1)

    cost = _sweep.swept(1)

    assert (cost.seconds > 0, cost.statements > 0, cost.calls > 0) == (True, True, True)
    assert sorted(Space.objects.values_list("state", flat=True)) == ["available", "available", "deleted"]
