"""Find the open alerts: a pure function of the facts."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from archive.formatting import format_delay, format_time
from archive.intake.transcription import enqueue
from archive.log import events
from archive.status.alerts import Alert, Level
from archive.status.counts import format_count, format_counted
from archive.status.events import FAILURES
from archive.status.facts import Facts
from archive.status.labels import PARTS, TASKS
from archive.status.work import MAX_COUNTED, WorkStatus
from archive.storage.trials import Outcome
from archive.transparency import copies
from archive.workers import last_seen, patience

LONG = timedelta(minutes=15)  # for work that waits for a worker, and for entries of the log
DAILY = timedelta(hours=30)  # for daily tasks
STORE_NEWS = timedelta(days=7)  # how long a change of the store is an alert
BY_BEAT = ("dispatch", "publish_checkpoints", "announce_overdue")  # each minute, in both queues
MAILS = ("send_notice", "send_digest", "send_checkpoint_mail", "send_invitation", "send_account_mail")
QUEUES = {"deletion": "deleter_missing", "celery": "worker_missing", "transcription": "transcriber_missing"}


def find_alerts(facts: Facts) -> list[Alert]:
    """Return all open alerts, urgent ones first."""
    finders = (_deletions, _processes, _store, _log, _work, _failures, _rest)
    found = [alert for find in finders for alert in find(facts)]
    return sorted(found, key=lambda alert: alert.level == Level.SOON)


def _deletions(facts: Facts) -> Iterator[Alert]:
    if facts.pause:
        yield Alert("restore_not_confirmed", {"reason": facts.pause})
    if (deletions := facts.status.deletions) and deletions.overdue and deletions.oldest_pending:
        age = format_delay((facts.now - deletions.oldest_pending).total_seconds())
        yield Alert("deletions_overdue", {"count": format_counted(deletions.overdue), "period": age})
    if (found := facts.status.events) and (count := found[events.COPY_FOUND]):
        yield Alert("copy_came_back", {"count": format_counted(count)})


def _processes(facts: Facts) -> Iterator[Alert]:
    if facts.status.queues is None:
        yield Alert("broker_down")
    if (runs := facts.status.task_runs) is not None:
        last = max((runs[task] for task in BY_BEAT if task in runs), default=None)
        yield from _unless_fresh("beat_missing", last, facts.now, patience())
    if facts.workers is None:
        return
    for queue, code in QUEUES.items():
        if queue != "transcription" or enqueue.enabled():
            yield from _unless_fresh(code, last_seen(facts.workers, queue), facts.now, patience())
    running = {worker.version for worker in facts.workers if facts.now - worker.seen_at <= patience()}
    if len(running) > 1:
        yield Alert("versions_differ", {"names": _list(running)})


def _store(facts: Facts) -> Iterator[Alert]:
    rehearsal, state = facts.rehearsal, facts.status.store
    if rehearsal is not None:
        if faults := [one.label for one in rehearsal.findings if one.outcome == Outcome.FAULT]:
            yield Alert("store_unusable", {"names": _list(faults)})
        if rehearsal.changed_at and facts.now - rehearsal.changed_at <= STORE_NEWS:
            names = _list(rehearsal.changed)
            yield Alert("store_changed", {"names": names, "time": format_time(rehearsal.changed_at)})
        yield from _unless_fresh("store_not_tried", rehearsal.tried_at, facts.now, DAILY)
    if state is None:
        return
    yield from _unless_fresh("copies_not_rechecked", state.rechecked_at, facts.now, DAILY)
    if state.ghosts:
        yield Alert("objects_missing", {"count": format_counted(state.ghosts)})
    if state.orphans:
        yield Alert("orphans_found", {"count": format_counted(state.orphans)})


def _log(facts: Facts) -> Iterator[Alert]:
    if facts.contradictions:
        yield Alert("log_contradicted", {"count": format_counted(facts.contradictions, copies.MOST)})
    if (state := facts.status.log) is None:
        return
    if state.oldest_waiting:
        yield from _unless_fresh("log_behind", state.oldest_waiting, facts.now, LONG)
    if facts.signs and state.size:
        yield from _unless_fresh("log_not_signed", state.checkpoint_at, facts.now, DAILY)


def _work(facts: Facts) -> Iterator[Alert]:
    work = facts.status.work or ()
    if any(one.parked for one in work):
        yield Alert("work_parked", {"count": _total(work, lambda one: one.parked)})
    waiting = {one.task: one.oldest_at for one in work if one.ready and one.oldest_at and one.task != "purge_space"}
    waiting = {task: at for task, at in waiting.items() if facts.now - at > LONG}
    if waiting:
        age = format_delay((facts.now - min(waiting.values())).total_seconds())
        names = _list(str(TASKS[task]) for task in waiting)
        yield Alert("work_waits", {"names": names, "since": _("for {period}").format(period=age)})
    if any(one.code == "mail.server_down" for one in facts.problems or ()):
        mails = [one for one in work if one.task in MAILS]
        yield Alert("mail_server_down", {"count": _total(mails, lambda one: one.total)})


def _total(work: Iterable[WorkStatus], count: Callable[[WorkStatus], int]) -> str:
    counted = [one for one in work if count(one)]
    return format_count(sum(map(count, counted)), is_least=any(one.is_cut for one in counted))


def _failures(facts: Facts) -> Iterator[Alert]:
    counts = facts.status.events or {}
    for code in dict.fromkeys(failure.alert for failure in FAILURES.values() if failure.alert):
        found = [counts.get(failure.event, 0) for failure in FAILURES.values() if failure.alert == code]
        if any(found):
            yield Alert(code, {"count": format_count(sum(found), is_least=max(found) >= MAX_COUNTED)})


def _rest(facts: Facts) -> Iterator[Alert]:
    names = [str(PARTS[name]) for name in facts.unreadable if name != "queues"]
    if names:
        yield Alert("unreadable", {"names": _list(names)})


def _unless_fresh(code: str, at: datetime | None, now: datetime, limit: timedelta) -> Iterator[Alert]:
    if at is None:
        yield Alert(code, {"since": _("so far")})
    elif now - at > limit:
        period = format_delay((now - at).total_seconds())
        yield Alert(code, {"since": _("for {period}").format(period=period)})


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
