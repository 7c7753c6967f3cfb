"""Compare every checkpoint in the second bucket with the log, not only the newest one.

An attacker with LOG_KEY and the credentials of that bucket could add a checkpoint of another log, of any size. So all
are compared once, the oldest first, and then each hour those written since, by the store's clock. A checkpoint that
the log does not extend is recorded: nothing is signed any more, and each round raises an alert, until an operator has
acknowledged it (acknowledgements.py). Then all are compared once more.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import structlog

from archive import dbtime
from archive.errors import Refused, StorageError
from archive.leases import Budget, Claim
from archive.models import LogPublisher, LogSequencer, User
from archive.moderation.recompute import validated_reason
from archive.storage import keys, locked
from archive.transparency import acknowledgements, second_bucket, tile_store
from archive.transparency.acknowledgements import Copy

PAUSE = timedelta(hours=1)  # between two comparisons
MOST = 50  # contradictions to record; each acknowledgement starts another comparison
MARGIN = timedelta(hours=1)  # how far the clocks of the store and the database may differ

logger = structlog.get_logger()


def contradictions() -> list[Copy]:
    """Return the copies in the second bucket that the log does not extend, without acknowledged ones."""
    row = LogPublisher.objects.first()
    if row is None or not second_bucket.is_configured() or row.compared.get("place") != second_bucket.place():
        return []
    return _unacknowledged(row.compared)


def _unacknowledged(state: dict[str, Any]) -> list[Copy]:
    known = acknowledgements.acknowledged_bytes(state["place"])
    found = [Copy(**one) for one in state["contradictions"]]
    return [one for one in found if (one.key, one.sha256) not in known]


def acknowledge(key: str, reason: str, by: User, *, sha256: str = "", larger: bool = False) -> Copy:
    """End the alert about the copy at `key`. `sha256`: its beginning, if several versions have this key. `larger`: even
    if it has more entries than the log. Raises Refused."""
    reason = validated_reason(reason, by, "log_copy.reason_missing")
    copy = _find(key, sha256)
    count = LogSequencer.objects.get().size
    if copy.size > count and not larger:
        raise Refused("log_copy.larger", size=copy.size, count=count)
    acknowledgements.acknowledge(second_bucket.place(), copy, reason, by)
    return copy


def _find(key: str, sha256: str) -> Copy:
    found = [one for one in contradictions() if one.key == key and one.sha256.startswith(sha256)]
    if not found:
        raise Refused("log_copy.unknown", key=key)
    if len(found) > 1:
        raise Refused("log_copy.several", key=key)
    return found[0]


def alert(found: Sequence[Copy]) -> None:
    logger.error("log_copy_contradicts", keys=[one.key for one in found], count=len(found))


def compare(claim: Claim[LogPublisher], budget: Budget) -> None:
    """Resume a comparison, or start the next one when it is due. Repeats the alert for earlier findings. Raises
    LeaseLost. Errors of the store are logged, and the next round resumes there."""
    _resume(claim, budget)
    if found := contradictions():
        alert(found)


def _resume(claim: Claim[LogPublisher], budget: Budget) -> None:
    row = LogPublisher.objects.get(pk=claim.row.pk)
    state = _continue(row)
    now = dbtime.now()
    if not state["started"]:
        if state["since"] and datetime.fromisoformat(state["since"]) > now - PAUSE:
            return
        state |= {"started": now.isoformat(), "after": ["", ""]}
    try:
        _look(claim, budget, state)
    except StorageError as error:
        logger.warning("log_bucket_failed", place=second_bucket.place(), error=str(error))


def _continue(row: LogPublisher) -> dict[str, Any]:
    """Return the progress of the comparison; a new one for another bucket, and after an acknowledgement."""
    state: dict[str, Any] = row.compared
    place = second_bucket.place()
    count = len(row.acknowledged)
    if state.get("place") == place and state["acknowledged"] == count:
        return state
    found = state["contradictions"] if state.get("place") == place else []
    progress = {"since": None, "started": None, "after": ["", ""]}
    return {"place": place, "acknowledged": count, "contradictions": found, **progress}


def _look(claim: Claim[LogPublisher], budget: Budget, state: dict[str, Any]) -> None:
    since = datetime.fromisoformat(state["since"]) - MARGIN if state["since"] else None
    store, size = second_bucket.bucket(), LogSequencer.objects.get().size
    while not budget.is_used_up():
        page = locked.list_page(store, keys.CHECKPOINTS, *state["after"])
        for version, written_at in page.versions:
            if since is None or written_at >= since:
                checkpoint = second_bucket.read(store, version)
                if checkpoint and not tile_store.is_extended(size, checkpoint):
                    _remember(state, Copy(version.key, checkpoint.size, acknowledgements.digest(checkpoint.note)), size)
            budget.heartbeat()
        if page.next is None:
            claim.renew(compared=state | {"since": state["started"], "started": None})
            return
        state["after"] = list(page.next)
        claim.renew(compared=state)


def _remember(state: dict[str, Any], found: Copy, size: int) -> None:
    """Record a contradiction. Of copies larger than the log, one is enough: a restore of an older database has many."""
    known = _unacknowledged(state)
    is_one_more_larger = found.size > size and any(one.size > size for one in known)
    if found in known or is_one_more_larger or len(known) >= MOST:
        return
    state["contradictions"] = [*state["contradictions"], asdict(found)]
