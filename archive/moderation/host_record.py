"""The record of a host: the flags of all their Spaces, and the outcomes.

It is counted from existing rows, so it stores nothing that outlives a Space. Of a deleted Space it has only the rule,
the times and the accounts of the admins, as the log does.
"""

from dataclasses import dataclass, field

from archive.models import Appeal, User, Violation

MOST = 100  # flags to count, the newest first
LISTED = 5


@dataclass(frozen=True)
class HostRecord:
    """The number of flags by outcome, and the newest ones. `more`: there are more than MOST."""

    total: int = 0
    standing: int = 0
    open_appeals: int = 0
    upheld: int = 0
    lifted: int = 0
    more: bool = False
    newest: list[Violation] = field(default_factory=list)


def host_record(host: User) -> HostRecord:
    """Return the record of `host`, in one query. A flag counts as upheld if an appeal was denied and the flag was not
    lifted later."""
    rows = Violation.objects.filter(space__host=host).select_related("space", "rule", "appeal").defer("evidence")
    flags = list(rows.order_by("-id")[: MOST + 1])
    more, flags = len(flags) > MOST, flags[:MOST]
    lifted = sum(flag.state == Violation.State.LIFTED for flag in flags)
    return HostRecord(
        total=len(flags),
        standing=len(flags) - lifted,
        open_appeals=sum(flag.state == Violation.State.APPEALED for flag in flags),
        upheld=sum(_is_upheld(flag) for flag in flags),
        lifted=lifted,
        more=more,
        newest=flags[:LISTED],
    )


def _is_upheld(flag: Violation) -> bool:
    appeal = getattr(flag, "appeal", None)
    return flag.state == Violation.State.STANDING and appeal is not None and appeal.state == Appeal.State.DENIED
