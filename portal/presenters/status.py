"""The status page for operators: alerts, and the facts behind them. Contains no secrets, and no names of Spaces or
people."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from archive import __version__, policy
from archive.display.deadline_reasons import format_days
from archive.intake.transcription import enqueue
from archive.models import current_policy
from archive.status.alerts import Alert, Level
from archive.status.counts import format_count, format_counted
from archive.status.events import FAILURES
from archive.status.facts import Facts, read_facts
from archive.status.find_alerts import find_alerts
from archive.status.labels import QUEUES, TASKS
from archive.status.problems import RetriedWork
from archive.status.work import WorkStatus
from archive.storage.rehearsal import EVERY
from archive.transparency import second_bucket, timestamps
from archive.workers import patience
from portal.presenters.held_checkpoints import held_checkpoints


@dataclass(frozen=True)
class WorkRow:
    """One kind of work. `failed`: in the last day; "" where a failure is no entry of the log."""

    label: str
    waiting: str
    running: str
    retrying: str
    failed: str
    oldest: datetime | None


@dataclass(frozen=True)
class WorkerRow:
    process: str
    queue: str
    version: str
    seen_at: datetime
    is_running: bool


@dataclass(frozen=True)
class Setting:
    label: str
    value: str
    name: str  # in the environment


def status_page() -> dict[str, Any]:
    """The context of status/page.html."""
    facts = read_facts()
    alerts = find_alerts(facts)
    rows, idle = _work(facts)
    status = facts.status
    return {
        "now": facts.now,
        "alerts": alerts,
        "summary": summarize(alerts),
        "is_urgent": any(alert.level == Level.URGENT for alert in alerts),
        "deletions": status.deletions,
        "last_deletion": facts.last_deletion,
        "limit_minutes": int(policy.MAX_DELETION_DELAY.total_seconds() // 60),
        "work": rows,
        "problems": [_problem(one) for one in facts.problems or ()],
        "idle": idle,
        "workers": _workers(facts) if facts.workers is not None else None,
        "beat_at": max((status.task_runs or {}).values(), default=None),
        "queues": sorted((status.queues or {}).items()) if status.queues is not None else None,
        "log": status.log,
        "held": held_checkpoints(),
        "rehearsal": facts.rehearsal,
        "next_rehearsal": facts.rehearsal.tried_at + EVERY if facts.rehearsal and facts.rehearsal.tried_at else None,
        "store": status.store,
        "settings": list_settings(),
        "versions": list_versions(),
    }


def summarize(alerts: Sequence[Alert]) -> str:
    """Return the sentence at the top of the page."""
    if not alerts:
        return _("Everything is well. There is nothing to do.")
    if any(alert.level == Level.URGENT for alert in alerts):
        return _("Something is wrong and needs your attention now. What to do is below, the most urgent first.")
    return _("Spacekeep works. Something needs your attention, but it is not urgent. What to do is below.")


def _work(facts: Facts) -> tuple[list[WorkRow], list[str]]:
    """Return a row for each kind of work that exists or failed, and the names of the other kinds."""
    rows, idle = [], []
    for one in facts.status.work or ():
        failure = FAILURES.get(one.task)
        failed = (facts.status.events or {}).get(failure.event, 0) if failure else None
        if one.total or failed:
            rows.append(_row(one, failed))
        else:
            idle.append(str(TASKS[one.task]))
    return rows, idle


def _row(one: WorkStatus, failed: int | None) -> WorkRow:
    return WorkRow(
        label=str(TASKS[one.task]),
        waiting=format_count(one.ready, is_least=one.is_cut),
        running=format_count(one.running, is_least=one.is_cut),
        retrying=format_count(one.paused + one.parked, is_least=one.is_cut),
        failed="" if failed is None else format_counted(failed),
        oldest=one.oldest_at,
    )


def _problem(one: RetriedWork) -> dict[str, Any]:
    return {**vars(one), "label": TASKS[one.task], "rows": format_count(one.count, is_least=one.is_cut)}


def _workers(facts: Facts) -> list[WorkerRow]:
    """Return the running workers, and for queues without one, the last workers that ran."""
    rows = [
        WorkerRow(
            one.process,
            str(QUEUES.get(one.queue, one.queue)),
            one.version,
            one.seen_at,
            facts.now - one.seen_at <= patience(),
        )
        for one in facts.workers or ()
    ]
    served = {row.queue for row in rows if row.is_running}
    return [row for row in rows if row.is_running or row.queue not in served]


def list_settings() -> list[Setting]:
    """Return the settings that decide what people can rely on. The value says if something is switched off."""
    rule, off = current_policy(), _("off")
    tsa = urlsplit(settings.LOG_TSA_URL).hostname or "" if timestamps.is_configured() else _("none")
    witnesses = ", ".join(key.partition("+")[0] for url, key in settings.LOG_WITNESSES) or _("none")
    bucket = settings.LOG_BUCKET if second_bucket.is_configured() else _("none")
    return [
        Setting(_("Recordings are kept"), format_days(rule.retention_days), "RETENTION_DAYS"),
        Setting(_("Longer if flagged"), format_days(rule.violation_extra_days), "VIOLATION_EXTRA_DAYS"),
        Setting(_("At least, after a flag is lifted"), format_days(rule.lift_grace_days), "LIFT_GRACE_DAYS"),
        Setting(_("Mail"), settings.DEFAULT_FROM_EMAIL if settings.MAIL_ON else off, "EMAIL_URL"),
        Setting(_("Automatic transcripts"), _("on") if enqueue.enabled() else off, "TRANSCRIPTION_MODEL"),
        Setting(_("Second bucket for checkpoints"), bucket, "LOG_BUCKET"),
        Setting(_("Time-stamp authority"), tsa, "LOG_TSA_URL"),
        Setting(_("Witnesses of the log"), witnesses, "LOG_WITNESSES"),
        Setting(_("Second factor"), _("required") if settings.REQUIRE_SECOND_FACTOR else off, "REQUIRE_SECOND_FACTOR"),
    ]


def list_versions() -> list[tuple[str, str]]:
    major, minor = divmod(connection.pg_version, 10_000)  # type: ignore[attr-defined]
    return [("Spacekeep", __version__), ("Python", platform.python_version()), ("PostgreSQL", f"{major}.{minor}")]
