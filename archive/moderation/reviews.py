"""Reviews: an admin listened to a Space and found no violation, or flagged it.

A Space is in the queue once it is available. A review or a flag takes it out. Its first transcript puts it back if it
comes after a review, since the reviewer had nothing to read. A later version of the transcript does not: the recording,
which is what was reviewed, never changes. Nor does a lifted flag, since an admin has decided about it. The reviewer can
undo a review, unless an admin flagged the Space.

No two admins review the same Space: a row of ReviewClaim names the reviewer. It is valid until its lease ends by the
database's clock. The open page renews it (portal/static/portal/moderation/review.js); after its end, another admin can
claim the Space. A flag needs no claim, since it may come from another page, a command or a bulk action.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet, prefetch_related_objects
from django.db.models.functions import Now

from archive import dbtime, log
from archive.errors import Conflict
from archive.log import Actor, events
from archive.models import ReviewClaim, Space, SpaceQuerySet, User
from archive.models.compiled_query import CompiledQuery
from archive.moderation.recompute import check_is_admin, lock_for_decision

LEASE = timedelta(minutes=3)  # the page renews it every minute; a browser may delay a hidden page by another minute

# One statement decides between two admins: the second one waits for the first, and then finds a valid lease. For the
# same admin it renews the claim: `claimed_at` stays while the lease is valid, and `fence` counts the pages.
CLAIM = """
INSERT INTO archive_reviewclaim AS old (space_id, admin_id, claimed_at, lease_until, fence)
SELECT id, %(admin)s, statement_timestamp(), statement_timestamp() + %(lease)s, 1 FROM archive_space
    WHERE id = %(space)s AND state = 'available' AND reviewed_at IS NULL AND host_id <> %(admin)s
        AND (expires_at IS NULL OR expires_at > statement_timestamp())
ON CONFLICT (space_id) DO UPDATE SET admin_id = excluded.admin_id, lease_until = excluded.lease_until,
    fence = old.fence + %(step)s,
    claimed_at = CASE WHEN old.admin_id = excluded.admin_id AND old.lease_until > statement_timestamp()
        THEN old.claimed_at ELSE excluded.claimed_at END
WHERE old.admin_id = excluded.admin_id OR old.lease_until <= statement_timestamp()
RETURNING claimed_at, fence
"""


@dataclass(frozen=True)
class Claim:
    """A valid claim of this admin. `fence` identifies the page that made it."""

    since: datetime
    fence: int


def review(space_id: UUID, by: User) -> Space:
    """Record that the admin found no violation in the Space. Raises TooLate, Refused, and Conflict if another admin
    is reviewing it, or if it was reviewed before."""
    check_is_admin(by)
    with transaction.atomic():
        space = lock_for_decision(space_id, by)
        if space.state != Space.State.AVAILABLE:
            raise Conflict("review.not_available")
        if space.reviewed_at is not None:
            raise Conflict("review.exists", at=space.reviewed_at)
        if claim := find_claim_of_another(space, by):
            raise Conflict("review.claimed", admin=claim.admin.username, since=claim.claimed_at)
        mark_reviewed(space, by)
        transcript = space.transcripts.values_list("number", flat=True).last() or 0
        log.record(events.SPACE_REVIEWED, space_id=space.id, actor=Actor.of(by), transcript=transcript)
    return space


def undo_review(space_id: UUID, by: User) -> Space:
    """Put a Space back into the queue, because this admin reviewed it by mistake. Raises TooLate, Refused, and Conflict
    if it is not this admin's review, or if the Space was flagged."""
    check_is_admin(by)
    with transaction.atomic():
        space = lock_for_decision(space_id, by)
        if space.reviewed_by_id != by.pk:
            raise Conflict("review.none_to_undo")
        if space.violations.exists():
            raise Conflict("review.decided")
        Space.objects.filter(pk=space.pk).reopen_review()
        log.record(events.SPACE_REVIEW_UNDONE, space_id=space.id, actor=Actor.of(by))
    return space


def mark_reviewed(space: Space, by: User) -> None:
    """Take the Space out of the queue, in the caller's transaction and with the row locked."""
    space.reviewed_at, space.reviewed_by = dbtime.now(), by
    Space.objects.filter(pk=space.pk).update(reviewed_at=space.reviewed_at, reviewed_by=by)
    ReviewClaim.objects.filter(space=space).delete()


def claim(space_id: UUID, by: User, *, new_page: bool = True) -> Claim | None:
    """Claim the Space for this admin, or renew the claim. Returns None if another admin has it, it was reviewed, or it
    is the admin's own. Raises Refused for users who are not admins."""
    check_is_admin(by)
    values: dict[str, Any] = {"admin": by.pk, "space": space_id, "lease": LEASE, "step": int(new_page)}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        row = cursor.fetchone()
    return Claim(*row) if row else None


def claim_next(spaces: SpaceQuerySet, by: User) -> Space | None:
    """Claim the first of `spaces` that needs a review and that no other admin reviews. Returns None without one.

    Rows that are locked are skipped: another admin is claiming or deciding them.
    """
    while True:
        with transaction.atomic():
            free = reviewable(spaces, by).filter(~Exists(claims_of_others(by)))
            space = free.select_for_update(of=("self",), no_key=True, skip_locked=True).first()
            if space is None:
                return None
            # The statement's snapshot lacks claims that were committed after it began, so claim() may fail: try again.
            if claim(space.pk, by):
                return space


def release_claim(space_id: UUID, by: User, fence: int) -> None:
    """End the claim of a closed page, unless a newer page of this admin has it."""
    ReviewClaim.objects.filter(space=space_id, admin=by, fence=fence).delete()


def reviewable(spaces: SpaceQuerySet, by: User) -> SpaceQuerySet:
    """Filter `spaces` to those that need a review, without the admin's own."""
    return spaces.to_review().exclude(host=by)


def claims_of_others(by: User) -> QuerySet[ReviewClaim]:
    """Return the valid claims of other admins, for the Space of an outer query."""
    return ReviewClaim.objects.filter(space=OuterRef("pk"), lease_until__gt=Now()).exclude(admin=by)


def find_claims(spaces: Sequence[Space]) -> dict[UUID, ReviewClaim]:
    """Return {Space id: its valid claim}. One query if there are none."""
    rows = _CLAIMS.objects([space.pk for space in spaces])
    prefetch_related_objects(rows, "admin")
    return {row.space_id: row for row in rows}


_CLAIMS = CompiledQuery(lambda ids: ReviewClaim.objects.filter(space__pk__any=ids, lease_until__gt=Now()), list)


def find_claim_of_another(space: Space, by: User) -> ReviewClaim | None:
    """Return the valid claim of another admin, if there is one."""
    row = find_claims([space]).get(space.pk)
    return row if row is not None and row.admin_id != by.pk else None
