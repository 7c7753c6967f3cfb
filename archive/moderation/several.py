"""Flag, lift or hold several Spaces at once, each in its own transaction: one that is too late does not stop the
others, and each has an outcome of its own. A retry is safe: what was done before is refused for each Space.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from archive.errors import Refused
from archive.models import User
from archive.moderation import holds, violations
from archive.moderation.recompute import validated_reason

MAX_AT_ONCE = 100  # Spaces


@dataclass(frozen=True)
class Outcome:
    """The result for one of several Spaces: success, or the error that refused it."""

    space_id: UUID
    error: Refused | None = None

    @property
    def refusal(self) -> str:
        """Why nothing was done, as a sentence; "" for success."""
        return str(self.error or "")


def flag_each(space_ids: Iterable[UUID], rule_code: str, reason: str, by: User) -> list[Outcome]:
    """Flag several Spaces for the same rule. Raises Refused for errors that concern all of them."""
    validated_reason(reason, by)
    violations.find_rule(rule_code)
    return _each(space_ids, lambda space_id: violations.flag(space_id, rule_code, reason, by))


def lift_each(space_ids: Iterable[UUID], reason: str, by: User) -> list[Outcome]:
    """Lift all flags of several Spaces. Raises Refused for errors that concern all of them."""
    validated_reason(reason, by)
    return _each(space_ids, lambda space_id: violations.lift(space_id, reason, by))


def hold_each(
    space_ids: Iterable[UUID], reason: str, by: User, *, case_number: str, review_on: date | None = None
) -> list[Outcome]:
    """Place a hold for the same case on several Spaces. Those that are on hold for that case are refused.

    Raises Refused for errors that concern all of them. The case number is required: without it, a retry would place a
    second hold."""
    validated_reason(reason, by, "hold.reason_missing")
    if not holds.validated_case_number(case_number):
        raise Refused("hold.case_missing")
    holds.check_review_day(review_on)
    return _each(
        space_ids,
        lambda space_id: holds.place(space_id, reason, by, case_number=case_number, review_on=review_on),
    )


def _each(space_ids: Iterable[UUID], act: Callable[[UUID], object]) -> list[Outcome]:
    ids = list(dict.fromkeys(space_ids))
    if not ids:
        raise Refused("violation.none_selected")
    if len(ids) > MAX_AT_ONCE:
        raise Refused("violation.too_many_selected", count=len(ids), limit=MAX_AT_ONCE)
    return [_attempt(space_id, act) for space_id in ids]


def _attempt(space_id: UUID, act: Callable[[UUID], object]) -> Outcome:
    try:
        act(space_id)
    except Refused as error:
        return Outcome(space_id, error)
    return Outcome(space_id)
