"""Log claimed work in the process's log: which row it is, and, once per cause, why it is retried.

Every line written during the work of a row has the row's fields (`bound`). Only `Claim.release_for_retry` logs retries,
so no kind of work can forget that, or repeat it each minute: it logs again only when the cause changes, after a run
that went well, or after an hour. docs/operations.md lists the fields ("Logs").
"""

import hashlib
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from django.db.models.functions import Now
from structlog.contextvars import bound_contextvars

from archive import dbtime, repeated_lines
from archive.errors import Problem
from archive.models import Leased, Space

AGAIN = timedelta(hours=1)
# Parameters that identify the cause: the same at each attempt. Others, such as a key or seconds, may differ.
OF_CAUSE = ("status", "s3_code", "reply", "error")
# Parameters that contain no text by people: others can quote a title.
LOGGED = (*OF_CAUSE, "what", "key", "prefix", "seconds", "count", "host")
PLACES = ("what", "key", "prefix", "keys")  # parameters that name an object or a file
# Keys with names of ours. Keys in inboxes and in LiveKit's bucket have names chosen by people.
OUR_KEY = re.compile(r"(?:[A-Z]+ )?(?:spaces|exports|log|rehearsal|checkpoints)/[\w./-]*")
INBOX = re.compile(r"inbox/\w+/")
ROOT = Path(__file__).parents[1]
OURS = (f"{ROOT}/archive/", f"{ROOT}/portal/")
WORD = re.compile(r"[\w.]+")

logger = structlog.get_logger()


def describe(row: Leased, attempt: int) -> dict[str, Any]:
    """Return the fields of a log line about this row."""
    fields: dict[str, Any] = {"kind": type(row).__name__, "row_id": str(row.pk), "attempt": attempt}
    space_id = row.pk if isinstance(row, Space) else getattr(row, "space_id", None)
    return fields | ({"space_id": str(space_id)} if space_id else {})


@contextmanager
def bound(row: Leased, attempt: int) -> Iterator[None]:
    """Add the row's fields to every log line of this thread while the context is open."""
    with bound_contextvars(**describe(row, attempt)):
        yield


def hide_names(problem: Problem) -> Problem:
    """Replace names chosen by people in a problem: a file in an inbox by the digest of its name, and the store's reply,
    which may repeat the name, by its code."""
    params = dict(problem.get("params", {}))
    named = [name for name in PLACES if params.get(name) and hide_name(params[name]) != params[name]]
    if not named:
        return problem
    params |= {name: hide_name(params[name]) for name in named}
    if "reply" in params:
        params["reply"] = params.get("s3_code") or ""
    return {**problem, "params": params}


def hide_name(key: Any) -> Any:
    """Return a key with a name of ours as it is; in others, replace the name by its digest
    (printf %s NAME | sha256sum)."""
    if isinstance(key, list):
        return [hide_name(one) for one in key]
    text = str(key)
    if OUR_KEY.fullmatch(text):
        return key
    known = found[0] if (found := INBOX.match(text)) else ""
    name = text.removeprefix(known).encode("utf-8", "surrogateescape")
    return f"{known}sha256:{hashlib.sha256(name).hexdigest()[:16]}"


def describe_error(error: BaseException) -> dict[str, str]:
    """Return the fields of a line about an unexpected error: its class and where it came from. Not its message, which
    may quote a title or the name of a file."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(OURS)] or frames
    place = f"{ours[-1].filename.removeprefix(f'{ROOT}/')}:{ours[-1].lineno}" if ours else ""
    return {"error": type(error).__name__, "place": place}


def name_cause(problem: Problem) -> str:
    """Return the code of a problem and the parameters that identify its cause: "storage.answer 503 SlowDown". ""
    without a problem."""
    if not problem:
        return ""
    params = problem.get("params", {})
    words = [found[0] for name in OF_CAUSE if (found := WORD.match(str(params.get(name) or "")))]
    reason = params.get("reason")
    inner = [name_cause(reason)] if isinstance(reason, dict) else []
    return " ".join([str(problem["code"]), *words, *inner])[:200]


def news_of(row: Leased, problem: Problem) -> dict[str, Any]:
    """Return what to write to the row if `log_retry` has to follow; {} without a problem, or if this cause of the row
    was logged less than an hour ago."""
    cause = name_cause(problem)
    if not cause:
        return {}
    if cause == row.reported_cause and row.reported_at and dbtime.now() - row.reported_at < AGAIN:
        return {}
    return {"reported_cause": cause, "reported_at": Now()}


def log_retry(row: Leased, attempt: int, problem: Problem) -> None:
    """Log a retry. If many rows have the same cause, log the first few of each minute, and count the others."""
    if repeated_lines.may_write(line="work_retried", kind=type(row).__name__, cause=name_cause(problem)):
        logger.warning("work_retried", **_fields(row, attempt, problem))


def log_failure(row: Leased, attempt: int, problem: Problem) -> None:
    """Log that the row's last attempt failed."""
    logger.error("work_failed", **_fields(row, attempt, problem))


def _fields(row: Leased, attempt: int, problem: Problem) -> dict[str, Any]:
    params = hide_names(problem).get("params", {})
    known = {name: params[name] for name in LOGGED if params.get(name) not in (None, "")}
    return describe(row, attempt) | {"cause": name_cause(problem)} | known
