"""Restore legal holds of a Space from the entries that record them. True if a row was changed."""

from collections.abc import Sequence

from archive.log import events
from archive.models import Hold, Space
from archive.transparency.reapply_step import (
    ByHand,
    change,
    describe_lost,
    find_account,
    require_no_deletion,
    require_same,
    stand_in,
)
from archive.transparency.recovery import LostEntry


def place(space: Space, entry: LostEntry) -> bool:
    pk, by = int(entry.detail["hold"]), find_account(entry)
    if known := Hold.objects.filter(pk=pk).first():
        return require_same((known.space_id, known.placed_by_id) == (space.pk, by.pk), f"legal hold {pk}")
    review_on = entry.detail.get("review_on")
    require_no_deletion(space)
    Hold.objects.create(
        pk=pk, space=space, reason=describe_lost(entry), placed_by=by, placed_at=entry.at, review_on=review_on
    )
    return True


def is_released(entry: LostEntry, entries: Sequence[LostEntry]) -> bool:
    released = {int(one.detail["hold"]) for one in entries if one.event == events.HOLD_RELEASED}
    return int(entry.detail["hold"]) in released


def protect(space: Space, entry: LostEntry) -> str:
    """Place a hold under another number instead of one that can't be restored. Returns a message for the operator.
    Without the row, triggers refuse a Space without a deadline."""
    if space.state in Space.DELETING:
        return ""
    reason = describe_lost(entry)
    hold = space.holds.filter(reason=reason).first()
    if hold is None:
        hold = Hold.objects.create(space=space, reason=reason, placed_by=stand_in(entry), placed_at=entry.at)
    return f"Legal hold {hold.pk} protects the Space instead, until an admin releases it"


def release(space: Space, entry: LostEntry) -> bool:
    hold = _find_hold(space, entry)
    if hold.state == Hold.State.RELEASED:
        return False
    return change(
        hold,
        state=Hold.State.RELEASED,
        released_at=entry.at,
        released_by=find_account(entry),
        release_reason=describe_lost(entry),
    )


def review(space: Space, entry: LostEntry) -> bool:
    hold, day = _find_hold(space, entry), entry.detail.get("review_on")
    return (hold.review_on and hold.review_on.isoformat()) != day and change(hold, review_on=day)


def _find_hold(space: Space, entry: LostEntry) -> Hold:
    found = space.holds.filter(pk=int(entry.detail["hold"])).first()
    if found is None:
        raise ByHand("its legal hold is not in this database")
    return found
