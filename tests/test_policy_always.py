"""Properties of every deadline, for all dates and policies (hypothesis)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from archive.display.deadline_reasons import render_reasons
from archive.policy import Deadline, Facts, Reason, RetentionPolicy, deadline

moments = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001  (Hypothesis wants the bounds naive)
    datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu")]),
)
violations = st.lists(st.none() | moments, max_size=5)
rules = st.builds(RetentionPolicy, st.integers(1, 400), st.integers(0, 400), st.integers(0, 60))


@settings(deadline=None)
@given(moments, violations, rules)
def test_the_deadline_is_between_base_and_maximum(
    end: datetime, lifted: list[datetime | None], rule: RetentionPolicy
) -> None:
    due = deadline(Facts(end, lifted), rule)

    assert due.at is not None
    period = due.at - end.astimezone(UTC)
    assert timedelta(days=rule.retention_days) <= period
    assert period <= timedelta(days=rule.retention_days + rule.violation_extra_days)
    assert due.at.utcoffset() == timedelta(0)


@settings(deadline=None)
@given(moments, violations, rules, st.data())
def test_the_order_of_violations_does_not_matter(
    end: datetime, lifted: list[datetime | None], rule: RetentionPolicy, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(lifted))

    assert deadline(Facts(end, lifted), rule) == deadline(Facts(end, shuffled), rule)


@settings(deadline=None)
@given(moments, violations, rules)
def test_an_open_violation_gives_the_maximum(
    end: datetime, lifted: list[datetime | None], rule: RetentionPolicy
) -> None:
    due = deadline(Facts(end, [*lifted, None]), rule)

    assert due.at == end.astimezone(UTC) + timedelta(days=rule.retention_days + rule.violation_extra_days)
    assert due.codes == ("base", "violation")


@settings(deadline=None)
@given(moments, st.lists(moments, max_size=3), moments, moments, rules)
def test_lifting_later_never_brings_the_deadline_forward(
    end: datetime, others: list[datetime], one: datetime, other: datetime, rule: RetentionPolicy
) -> None:
    earlier, later = sorted([one, other])

    first, second = deadline(Facts(end, [*others, earlier]), rule), deadline(Facts(end, [*others, later]), rule)

    assert first.at is not None
    assert second.at is not None
    assert first.at <= second.at


@settings(deadline=None)
@given(moments, violations, rules)
def test_a_hold_outweighs_everything_and_leaves_no_trace(
    end: datetime, lifted: list[datetime | None], rule: RetentionPolicy
) -> None:
    held = Facts(end, lifted, held=True)

    assert deadline(held, rule).at is None
    assert deadline(replace(held, held=False), rule) == deadline(Facts(end, lifted), rule)


@settings(deadline=None)
@given(moments, violations, rules, moments)
def test_a_lift_never_shortens_the_deadline_below_the_policy(
    end: datetime, lifted: list[datetime | None], rule: RetentionPolicy, now: datetime
) -> None:
    """Lifting a flag never moves the deadline before the base period, nor before the end of the grace period."""
    longest = end.astimezone(UTC) + timedelta(days=rule.retention_days + rule.violation_extra_days)

    due, base = deadline(Facts(end, [*lifted, now]), rule).at, deadline(Facts(end), rule).at

    assert due is not None
    assert base is not None
    assert due >= base
    assert due >= min(now.astimezone(UTC) + timedelta(days=rule.lift_grace_days), longest)


@settings(deadline=None)
@given(moments, violations, rules, st.booleans())
def test_a_deadline_always_has_reasons(
    end: datetime, lifted: list[datetime | None], rule: RetentionPolicy, held: bool
) -> None:
    due = deadline(Facts(end, lifted, held), rule)

    assert (due.at is None) == held == (due.codes == ("hold",))
    assert due.reasons
    assert all(sentence.endswith(".") for sentence in render_reasons(due))
    assert Deadline(due.at, tuple(Reason(**stored) for stored in due.reasons_as_json())) == due
    expected = 3 + (due.codes[-1] == "lift-cap") if due.codes[-1].startswith("lift-") else len(due.codes)
    assert len(due.reasons) == expected
