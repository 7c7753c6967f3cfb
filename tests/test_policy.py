"""The retention policy: each case with its dates."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from archive.policy import Facts, Reason, RetentionPolicy, deadline


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("ended_at", "base", "longest"),
    [
        ("2026-01-01T00:00:00", "2026-01-31T00:00:00", "2026-05-01T00:00:00"),
        ("2026-01-31T12:00:00", "2026-03-02T12:00:00", "2026-05-31T12:00:00"),
        ("2028-01-31T12:00:00", "2028-03-01T12:00:00", "2028-05-30T12:00:00"),
        ("2028-02-29T08:30:00", "2028-03-30T08:30:00", "2028-06-28T08:30:00"),
        ("2026-12-15T23:59:59", "2027-01-14T23:59:59", "2027-04-14T23:59:59"),
        ("2026-12-31T23:59:59.999999", "2027-01-30T23:59:59.999999", "2027-04-30T23:59:59.999999"),
    ],
    ids=["new year", "end of January", "end of January, leap year", "leap day", "over year's end", "last microsecond"],
)
def test_thirty_days_or_a_hundred_and_twenty(ended_at: str, base: str, longest: str) -> None:
    assert deadline(Facts(utc(ended_at)), RetentionPolicy()).at == utc(base)
    assert deadline(Facts(utc(ended_at), (None,)), RetentionPolicy()).at == utc(longest)


BASE = Reason("base", days=30)
VIOLATION = Reason("violation", days=90, total_days=120)
LIFTED = Reason("lifted")
GRACE = Reason("lift-grace", days=7)
CAP = Reason("lift-cap", total_days=120)


@pytest.mark.parametrize(
    ("lifted_at", "at", "reasons"),
    [
        ((), "2026-01-31", (BASE,)),
        ((None,), "2026-05-01", (BASE, VIOLATION)),
        (("2026-01-10",), "2026-01-31", (BASE, LIFTED)),
        (("2026-01-24",), "2026-01-31", (BASE, LIFTED)),
        (("2026-01-25",), "2026-02-01", (BASE, LIFTED, GRACE)),
        (("2026-04-24",), "2026-05-01", (BASE, LIFTED, GRACE)),
        (("2026-04-25",), "2026-05-01", (BASE, LIFTED, GRACE, CAP)),
        (("2026-02-20", "2026-01-05"), "2026-02-27", (BASE, LIFTED, GRACE)),
    ],
    ids=["none", "stands", "early", "at day 23", "after day 23", "at day 113", "after day 113", "the last one counts"],
)
def test_each_case_of_the_policy(lifted_at: tuple[str | None, ...], at: str, reasons: tuple[Reason, ...]) -> None:
    facts = Facts(utc("2026-01-01"), tuple(None if moment is None else utc(moment) for moment in lifted_at))

    due = deadline(facts, RetentionPolicy())

    assert (due.at, due.reasons) == (utc(at), reasons)


def test_several_violations_do_not_stack() -> None:
    assert deadline(Facts(utc("2026-01-01"), (None, None, None)), RetentionPolicy()).at == utc("2026-05-01")


def test_an_open_violation_outweighs_lifted_ones() -> None:
    assert deadline(Facts(utc("2026-01-01"), (utc("2026-01-02"), None)), RetentionPolicy()).at == utc("2026-05-01")


def test_a_hold_outweighs_everything() -> None:
    due = deadline(Facts(utc("2026-01-01"), (None,), held=True), RetentionPolicy())

    assert due.at is None
    assert due.codes == ("hold",)
    assert due.reasons == (Reason("hold"),)


def test_a_day_is_24_hours_in_every_zone() -> None:
    ended_at = datetime(2026, 3, 15, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))  # 11:00 UTC, before summer time begins

    assert deadline(Facts(ended_at), RetentionPolicy()).at == utc("2026-04-14T11:00:00")


def test_other_numbers() -> None:
    rule = RetentionPolicy(retention_days=1, violation_extra_days=2, lift_grace_days=0)

    assert deadline(Facts(utc("2026-01-01")), rule).at == utc("2026-01-02")
    assert deadline(Facts(utc("2026-01-01"), (None,)), rule).at == utc("2026-01-04")
    assert deadline(Facts(utc("2026-01-01"), (utc("2026-01-03"),)), rule).at == utc("2026-01-03")
    assert deadline(Facts(utc("2026-01-01")), rule).reasons == (Reason("base", days=1),)


@pytest.mark.parametrize(("keep", "extra", "grace"), [(0, 90, 7), (30, -1, 7), (30, 90, -1)])
def test_invalid_numbers_are_refused(keep: int, extra: int, grace: int) -> None:
    with pytest.raises(ValueError, match="counts days forward"):
        RetentionPolicy(keep, extra, grace)


NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001  (that is the point)


@pytest.mark.parametrize("facts", [{"ended_at": NAIVE}, {"ended_at": utc("2026-01-01"), "lifted_at": (NAIVE,)}])
def test_a_naive_datetime_is_refused(facts: dict[str, datetime]) -> None:
    with pytest.raises(ValueError, match="naive"):
        Facts(**facts)  # type: ignore[arg-type]
