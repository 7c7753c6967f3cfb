"""Have witnesses cosign the newest checkpoint (c2sp.org/tlog-witness), so that they remember it.

A witness that has a larger checkpoint than ours, or one that ours does not extend, raises an alert: an older database
was restored, or the log was changed. A witness that can't be reached is asked again in the next round; nothing waits
for it.
"""

import base64
import re
from dataclasses import dataclass
from functools import partial

import structlog
from django.conf import settings

from archive.models import LogCheckpoint, LogCosignature
from archive.steps import run_each
from archive.transparency.bounded_post import PostFailed, exchange
from archive.transparency.tile_store import stored_tree
from archive.transparency.verify_log import Checkpoint, Invalid, Key

SECONDS = 5
MAX_ANSWER = 64 * 1024  # bytes
TREE_SIZE = re.compile(r"(?:0|[1-9][0-9]{0,18})\n?")  # the body of a 409 answer

logger = structlog.get_logger()


@dataclass(frozen=True)
class WitnessAddress:
    """Where a witness listens, and the key of its cosignatures."""

    url: str
    key: Key


def configured() -> list[WitnessAddress]:
    """Return the witnesses in LOG_WITNESSES, which portal/env.py checks at the start."""
    return [WitnessAddress(url.rstrip("/"), Key.parse(key)) for url, key in settings.LOG_WITNESSES]


def note_with_cosignatures(row: LogCheckpoint) -> str:
    lines = LogCosignature.objects.filter(checkpoint=row).order_by("id").values_list("line", flat=True)
    return row.note + "".join(lines)


def collect_cosignatures(row: LogCheckpoint) -> None:
    """Ask each witness that has not cosigned this checkpoint yet. No answer keeps the next witness from being asked."""
    have = set(LogCosignature.objects.filter(checkpoint=row).values_list("witness", flat=True))
    run_each(partial(_collect, witness, row) for witness in configured() if witness.key.name not in have)


def _collect(witness: WitnessAddress, row: LogCheckpoint) -> None:
    try:
        line = _ask(witness, row)
    except (PostFailed, ValueError) as error:
        reason = str(error) if isinstance(error, PostFailed) else type(error).__name__
        logger.warning("log_witness_unreachable", witness=witness.key.name, error=reason)
        return
    if line is not None:
        LogCosignature.objects.get_or_create(checkpoint=row, witness=witness.key.name, defaults={"line": line})


def _ask(witness: WitnessAddress, row: LogCheckpoint) -> str | None:
    """Return the signature line, or None after an alert. Raises PostFailed, ValueError."""
    before = LogCosignature.objects.filter(witness=witness.key.name).order_by("-checkpoint__size", "-id").first()
    old = before.checkpoint.size if before else 0
    status, answer = _post(witness, row, old)
    if status == 409:  # it has another size: its last answer did not reach us, or it is ahead of us
        old = _parse_size(answer)
        if old > row.size:
            logger.error("log_witness_ahead", witness=witness.key.name, theirs=old, ours=row.size)
            return None
        status, answer = _post(witness, row, old)
    if status == 422:
        logger.error("log_witness_disagrees", witness=witness.key.name, size=old)
        return None
    if status != 200:
        raise ValueError(f"status {status}")
    return _own_line(witness, row, answer)


def _parse_size(answer: str) -> int:
    """Return the tree size in a 409 answer. Raises ValueError for anything else, such as a negative number."""
    if not TREE_SIZE.fullmatch(answer):
        raise ValueError("no tree size")
    return int(answer)


def _own_line(witness: WitnessAddress, row: LogCheckpoint, answer: str) -> str:
    """Return the line of this witness in its answer. Raises ValueError if it did not cosign the checkpoint."""
    for line in answer.splitlines(keepends=True):
        try:
            if witness.key in Checkpoint.parse(row.note + line).signers([witness.key]):
                return line
        except Invalid:
            continue
    raise ValueError("no cosignature")


def _post(witness: WitnessAddress, row: LogCheckpoint, old: int) -> tuple[int, str]:
    proof = stored_tree(row.size).consistency_path(old)
    lines = [f"old {old}", *(base64.b64encode(sibling).decode() for sibling in proof)]
    body = "\n".join(lines) + f"\n\n{row.note}"
    url = f"{witness.url}/add-checkpoint"
    answer = exchange(url, body.encode(), "text/plain; charset=utf-8", seconds=SECONDS, most=MAX_ANSWER)
    return answer.status, answer.body.decode()
