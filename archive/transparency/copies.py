"""Compare every checkpoint in the second bucket with the log, not only the newest.

Whoever has LOG_KEY and the credentials of that bucket could add a checkpoint of another log there, of any size. So all
are compared once, the oldest first, and then each hour those that were written since, by the store's own clock. One
that the log does not extend is remembered: nothing is signed any more, and each round raises an alert.
"""

from datetime import datetime, timedelta
from typing import Any

import structlog

from archive import dbtime
from archive.errors import StorageError
from archive.leases import Budget, Claim
from archive.models import LogPublisher, LogSequencer
from archive.storage import keys, locked
from archive.transparency import second_bucket, tile_store

PAUSE = timedelta(hours=1)  # between two looks at the whole list
MARGIN = timedelta(hours=1)  # by which the clocks of the store and of the database may differ

logger = structlog.get_logger()


def contradictions() -> list[str]:
    """The keys of copies in the second bucket that the log does not extend."""
    row = LogPublisher.objects.first()
    return list(row.compared.get("contradictions", [])) if row and second_bucket.is_configured() else []


def compare(claim: Claim[LogPublisher], budget: Budget) -> None:
    """Resume the look that is under way, or start the next one when it is due. Repeats the alert for what an earlier
    look found. Raises LeaseLost. Errors of the store are logged: the next round resumes there."""
    _resume(claim, budget)
    if found := contradictions():
        logger.error("log_copy_contradicts", keys=found)


def _resume(claim: Claim[LogPublisher], budget: Budget) -> None:
    row = LogPublisher.objects.get(pk=claim.row.pk)
    state = row.compared if row.compared.get("place") == second_bucket.place() else _begin()
    now = dbtime.now()
    if not state["started"]:
        if state["since"] and datetime.fromisoformat(state["since"]) > now - PAUSE:
            return
        state |= {"started": now.isoformat(), "after": ["", ""]}
    try:
        _look(claim, budget, state)
    except StorageError as error:
        logger.warning("log_bucket_failed", place=second_bucket.place(), error=str(error))


def _begin() -> dict[str, Any]:
    return {"place": second_bucket.place(), "since": None, "started": None, "after": ["", ""], "contradictions": []}


def _look(claim: Claim[LogPublisher], budget: Budget, state: dict[str, Any]) -> None:
    since = datetime.fromisoformat(state["since"]) - MARGIN if state["since"] else None
    store, size = second_bucket.bucket(), LogSequencer.objects.get().size
    while not budget.is_used_up():
        page = locked.list_page(store, keys.CHECKPOINTS, *state["after"])
        for version, written_at in page.versions:
            if since is None or written_at >= since:
                checkpoint = second_bucket.read(store, version)
                if checkpoint and not tile_store.is_extended(size, checkpoint):
                    state["contradictions"] = sorted({*state["contradictions"], version.key})
            budget.heartbeat()
        if page.next is None:
            claim.renew(compared=state | {"since": state["started"], "started": None})
            return
        state["after"] = list(page.next)
        claim.renew(compared=state)
