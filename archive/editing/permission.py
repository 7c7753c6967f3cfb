"""Who may edit a Space, and when."""

from datetime import datetime
from uuid import UUID

from archive import dbtime
from archive.errors import Conflict, Refused, TooLate
from archive.models import Space, User


def find_refusal(space: Space, by: User, now: datetime) -> Refused | None:
    """Return the error to raise if `by` may not edit the Space at `now`. Admins may not, unless they are its host: they
    decide about content, so they must not change it."""
    if space.host_id != by.pk or not by.is_active:
        return Refused("edit.not_the_host")
    if space.is_gone(now):
        return TooLate("edit.too_late")
    if space.state == Space.State.REJECTED:
        return Conflict("edit.rejected")
    if space.state != Space.State.AVAILABLE:
        return Conflict("edit.not_available", state=space.state)
    return None


def check_may_edit(space: Space, by: User) -> None:
    """Raise Refused, TooLate or Conflict if `by` may not edit the Space now."""
    if refusal := find_refusal(space, by, dbtime.now()):
        raise refusal


def lock_for_edit(space_id: UUID, by: User) -> Space:
    """Lock the Space, so that its deletion waits, and return it. Raises as `check_may_edit`."""
    # Lock the account first, as uploads do, so that checks of the host's stored bytes are serialized.
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    space = Space.objects.select_for_update().get(pk=space_id)
    check_may_edit(space, by)
    return space
