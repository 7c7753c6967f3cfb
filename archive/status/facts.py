"""Read all facts that the operators' page and its alerts need."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext

from archive import dbtime, error_messages, restores
from archive.models import Space, StoreReport
from archive.status import SECONDS, Status, read_status
from archive.status.problems import RetriedWork, read_problems
from archive.status.reading import Reader
from archive.storage import store
from archive.storage.trials import ALL, Outcome
from archive.transparency import copies
from archive.transparency.keys import public_keys
from archive.workers import Worker, read_workers

LastDeletion = tuple[datetime, float | None]


@dataclass(frozen=True)
class Finding:
    """The result of a trial. `outcome`: of archive.storage.trials.Outcome. `problem` and `remedy` are "" if it works;
    `problem` has the store's own message. `fallback`: what Spacekeep does instead."""

    name: str
    label: str
    outcome: str
    problem: str
    fallback: str
    remedy: str


@dataclass(frozen=True)
class Rehearsal:
    """The last rehearsal. `changed`: what differed from the time before, at `changed_at`."""

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
    """Parts that could not be read are None, and `unreadable` has their names. `signs`: whether checkpoints are signed
    here. `contradictions`: their number in the second bucket. `pause`: why nothing may be deleted; "" if it may.
    `last_deletion`: its time, and the delay after its deadline; None for an abandoned upload."""

    now: datetime
    status: Status
    rehearsal: Rehearsal | None
    problems: tuple[RetriedWork, ...] | None
    workers: tuple[Worker, ...] | None
    signs: bool | None
    contradictions: int | None
    pause: str | None
    last_deletion: LastDeletion | None
    unreadable: tuple[str, ...]


def read_facts() -> Facts:
    """Read all facts. Raises OperationalError or InterfaceError if the database is down."""
    now, status, reader = dbtime.now(), read_status(), Reader(SECONDS)
    return Facts(
        now=now,
        status=status,
        pause=reader.read("pause", restores.describe_pause),  # first, since it matters most
        workers=reader.read("workers", read_workers),
        problems=reader.read("problems", read_problems),
        rehearsal=reader.read("rehearsal", read_rehearsal),
        signs=reader.read("signs", lambda: bool(settings.LOG_KEY or public_keys())),
        contradictions=reader.read("contradictions", lambda: len(copies.contradictions())),
        last_deletion=reader.read("last_deletion", _last_deletion),
        unreadable=(*status.unreadable, *reader.unreadable),
    )


def read_rehearsal() -> Rehearsal:
    """Read the last rehearsal from its row, without a request to the store."""
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
            problem=one["problem"] if isinstance(one["problem"], str) else error_messages.render(one["problem"]),
            fallback=gettext(fallback) if (fallback := trials[one["name"]].fallback) else "",
            remedy=gettext(remedy) if (remedy := one.get("remedy")) else "",
        )
        for one in row.findings
        if one["name"] in trials  # another release may have other trials, and texts instead of problems
    )
    changed = tuple(gettext(trial.label) for trial in ALL if set(trial.changes) & set(row.changed))
    return Rehearsal(place, row.tried_at, findings, changed, row.changed_at)


def _last_deletion() -> LastDeletion | None:
    rows = Space.objects.filter(state=Space.State.DELETED).order_by("-deleted_at", "-id")
    row = rows.values_list("deleted_at", "expires_at").first()
    if row is None:
        return None
    deleted_at, deadline = row
    assert deleted_at is not None  # a constraint
    return deleted_at, (deleted_at - deadline).total_seconds() if deadline and deadline <= deleted_at else None
