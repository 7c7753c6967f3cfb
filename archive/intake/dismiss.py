"""Dismiss a rejected recording from its host's list. Its files are already deleted; its row stays until its deadline,
for admins and auditors."""

from uuid import UUID

from django.db.models.functions import Now

from archive.errors import Conflict, Refused
from archive.models import Space, User


def dismiss_rejected(space_id: UUID, by: User) -> None:
    """Dismiss the Space from the list of `by`, its host. Idempotent. Raises Refused for other users, Conflict if its
    recording was not rejected."""
    rows = Space.objects.filter(pk=space_id, host=by)
    if rows.filter(state=Space.State.REJECTED, dismissed_at=None).update(dismissed_at=Now()):
        return
    space = rows.first()
    if space is None:
        raise Refused("intake.not_the_host")
    if space.dismissed_at is None:
        raise Conflict("intake.not_rejected")
