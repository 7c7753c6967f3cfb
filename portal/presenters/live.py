"""The state that open pages poll every half minute, to see whether anything they show has changed."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Prefetch

from archive import dbtime
from archive.log import rfc3339
from archive.models import Space, User, Violation
from archive.notices import count_open


class LiveSpace(NamedTuple):
    """The parts of a Space on a page that can change without the reader. `flags`: ids and states of the active
    flags."""

    id: UUID
    state: str
    expires_at: datetime | None
    gone: bool
    flags: tuple[tuple[int, str], ...]

    @property
    def appeals(self) -> int:
        """The number of flags with an undecided appeal."""
        return sum(state == Violation.State.APPEALED for _, state in self.flags)


def live_space(space: Space, flags: Iterable[Any], *, gone: bool) -> LiveSpace:
    """`flags`: violations of the Space, or views of them; lifted ones do not count."""
    standing = sorted((flag.id, str(flag.state)) for flag in flags if flag.state != Violation.State.LIFTED)
    return LiveSpace(space.pk, str(space.state), space.expires_at, gone, tuple(standing))


def version(spaces: Iterable[LiveSpace]) -> str:
    """Return a text that changes if anything of these Spaces changes."""
    return hashlib.sha256(repr(sorted(spaces, key=lambda space: space.id)).encode()).hexdigest()[:16]


def page_state(user: User, ids: Sequence[UUID]) -> dict[str, Any]:
    """Return the number of open notices and the version of these Spaces, as far as the user may see them; for a single
    Space also its facts. Uses a fixed number of queries."""
    if not ids:  # most pages show no Space, only the bell
        return {"notices": count_open(user), "version": version([])}
    flags = Prefetch("violations", Violation.objects.exclude(state=Violation.State.LIFTED), to_attr="standing")
    rows: list[Any] = list(Space.objects.visible_to(user).filter(pk__in=ids).prefetch_related(flags))
    now = dbtime.now()
    spaces = [live_space(row, row.standing, gone=row.is_gone(now)) for row in rows]
    state: dict[str, Any] = {"notices": count_open(user), "version": version(spaces)}
    if len(ids) != 1:
        return state
    if not spaces:  # it is not visible any more
        return {**state, "gone": True}
    (space,) = spaces
    facts = {"state": space.state, "until": rfc3339(space.expires_at), "gone": space.gone}
    return {**state, **facts, "flags": len(space.flags), "appeals": space.appeals}
