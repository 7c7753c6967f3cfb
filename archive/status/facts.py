"""All facts that the operators' page and its alerts need."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import Error
from django.utils.translation import gettext

from archive import dbtime, restores
from archive.errors import Refused
from archive.models import Space, StoreReport
from archive.search import limited_time
from archive.status import SECONDS, Status, read_status
from archive.status.problems import RetriedWork, read_problems
from archive.storage import store
from archive.storage.trials import ALL, Outcome
from archive.transparency import copies
from archive.transparency.keys import public_keys
from archive.workers import Worker, read_workers

logger = structlog.get_logger()
PLACE = "operations"  # the name of this part, if it can't be read


@dataclass(frozen=True)
class Finding:
    """What a rehearsal found of one guarantee. `outcome`: of archive.storage.trials.Outcome. `problem` and `remedy` are
    "" if it works; `problem` has the store's own message. `fallback`: what Spacekeep does instead."""

    name: str
    label: str
    outcome: str
    problem: str
    fallback: str
    remedy: str


@dataclass(frozen=True)
class Rehearsal:
    """The last one. `changed`: what went another way than the time before, at `changed_at`."""

    place: str
    tried_at: datetime | None = None
    findings: tuple[Finding, ...] = ()
    changed: tuple[str, ...] = ()
    changed_at: datetime | None = None

    @property
    def working(self) -> list[Finding]:
        return [one for one in self.findings if one.outcome == Outcome.WORKS]

    @property
    def others(self) -> list[Finding]:
        return [one for one in self.findings if one.outcome != Outcome.WORKS]


@dataclass(frozen=True)
class Facts:
    """`signs`: checkpoints are signed here. `contradictions`: of the second bucket. `unreadable`: names of parts.
    `last_deletion`: when one was confirmed last, and how long after its deadline; None for an abandoned upload."""

    now: datetime
    status: Status
    rehearsal: Rehearsal
    problems: tuple[RetriedWork, ...] = ()
    workers: tuple[Worker, ...] = ()
    signs: bool = False
    contradictions: int = 0
    pause: str = ""  # why nothing may be deleted
    last_deletion: tuple[datetime, float | None] | None = None
    unreadable: tuple[str, ...] = field(default=())


def read_facts() -> Facts:
    """Raises Error if the database is down. A part that takes too long is empty, and in `unreadable`."""
    now, status = dbtime.now(), read_status()
    try:
        with limited_time(SECONDS):
            more: dict[str, Any] = {
                "problems": read_problems(),
                "workers": read_workers(),
                "rehearsal": read_rehearsal(),
                "signs": bool(settings.LOG_KEY or public_keys()),
                "contradictions": len(copies.contradictions()),
                "last_deletion": _last_deletion(),
                "pause": restores.describe_pause(),
                "unreadable": status.unreadable,
            }
    except (Error, Refused) as error:
        logger.warning("status_unreadable", part=PLACE, error=type(error).__name__)
        more = {"rehearsal": Rehearsal(store().place), "unreadable": (*status.unreadable, PLACE)}
    return Facts(now=now, status=status, **more)


def read_rehearsal() -> Rehearsal:
    """From its row: the store is not asked."""
    place = store().place
    row = StoreReport.objects.filter(place=place).first()
    if row is None:
        return Rehearsal(place)
    trials = {trial.name: trial for trial in ALL}
    findings = tuple(
        Finding(
            name=one["name"],
            label=gettext(trials[one["name"]].label),
            outcome=one["outcome"],
            problem=one["problem"],
            fallback=gettext(fallback) if (fallback := trials[one["name"]].fallback) else "",
            remedy=gettext(remedy) if (remedy := one.get("remedy")) else "",
        )
        for one in row.findings
        if one["name"] in trials  # a later release may try other things
    )
    changed = tuple(gettext(trial.label) for trial in ALL if set(trial.changes) & set(row.changed))
    return Rehearsal(place, row.tried_at, findings, changed, row.changed_at)


def _last_deletion() -> tuple[datetime, float | None] | None:
    rows = Space.objects.filter(state=Space.State.DELETED).order_by("-deleted_at", "-id")
    row = rows.values_list("deleted_at", "expires_at").first()
    if row is None:
        return None
    deleted_at, deadline = row
    assert deleted_at is not None  # a constraint
    return deleted_at, (deleted_at - deadline).total_seconds() if deadline and deadline <= deleted_at else None
