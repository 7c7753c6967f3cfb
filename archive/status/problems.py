"""Find out why work is retried: the problems of its rows, grouped by text."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Cast, Now

from archive import error_messages, work_log
from archive.status.work import Kind, kinds

MOST = 200  # rows to read for one kind of work
# Codes whose sentences contain no text by people except file names, which are hidden. Others can quote a title or a
# name, which not every operator may see.
IMPERSONAL = ("storage.", "mail.", "work.", "webhook.", "audio.decoder_", "transcription.disk_")


@dataclass
class RetriedWork:
    """`count` rows of `task` with the same problem; `row_id` is one of them, to find in the logs. `attempts`: the most
    of one row. `next_at`: the first of the next attempts; None: as soon as a worker is free. `is_cut`: not all rows of
    the task were read, so there may be more."""

    task: str
    text: str
    code: str
    count: int
    attempts: int
    next_at: datetime | None
    row_id: str
    is_cut: bool = False


def read_problems() -> tuple[RetriedWork, ...]:
    """Read at most MOST rows of each kind, in one query. Returns the problems with the most rows first."""
    first, *others = [_rows(kind) for kind in kinds()]
    found: dict[tuple[str, str], RetriedWork] = {}
    read = Counter[str]()
    for task, problem, cause, attempts, next_at, row_id in first.union(*others, all=True):
        read[task] += 1
        text, code = _describe(problem, cause)
        known = found.get((task, text))
        if known is None:
            found[task, text] = RetriedWork(task, text, code, 1, attempts, next_at, row_id)
            continue
        known.count += 1
        known.attempts = max(known.attempts, attempts)
        known.next_at = min(known.next_at, next_at) if known.next_at and next_at else None
    for one in found.values():
        one.is_cut = read[one.task] >= MOST
    return tuple(sorted(found.values(), key=lambda one: -one.count))


def _rows(kind: Kind) -> Any:
    """Return rows that were released after an error. Their lease has ended and is not NULL, so the index has them in
    one range."""
    released = kind.model._default_manager.filter(kind.condition, ~Q(reported_cause=""), lease_until__lte=Now())
    problem = F("problem") if kind.explains else Value(None, kind.model._meta.get_field("problem"))
    rows = released.annotate(task=Value(kind.task), why=problem, row=Cast("pk", CharField()))
    columns = ("task", "why", "reported_cause", "attempts", "retry_at", "row")
    return rows.order_by("lease_until").values_list(*columns)[:MOST]


def _describe(problem: dict[str, Any] | None, cause: str) -> tuple[str, str]:
    """Return the sentence, or the cause as in the log, and the code."""
    code = cause.partition(" ")[0]
    if problem and work_log.name_cause(problem) == cause and code.startswith(IMPERSONAL):
        return error_messages.render(work_log.hide_names(problem)), code
    return cause, code
