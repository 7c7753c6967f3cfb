"""The log's proof: its page, and the summary on the overview."""

from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from archive import formatting, restores, signing_keys
from archive.models import DatabaseRestore, LogSequencer, LogVerification, SigningKeyEvent, User
from archive.signing_keys import KeyRecord
from archive.transparency import acknowledgements, checkpoints, copies, second_bucket, verification
from archive.transparency.keys import public_keys
from archive.transparency.verify_log import sentence
from portal.presenters.held_checkpoints import held_checkpoints

MOST_RESTORES = 10


def proof_page() -> dict[str, Any]:
    """The context of log/proof.html: `covered` entries have a signed checkpoint, `waiting` ones not yet."""
    state = proof_state()
    newest = state["newest"]
    covered = newest.size if newest else 0
    sequenced = LogSequencer.objects.values_list("size", flat=True).first() or 0
    return state | {
        "covered": covered,
        "waiting": sequenced - covered,
        "held": held_checkpoints(),
        "contradictions": copies.contradictions(),
        "paused": restores.describe_pause(),
        "restores": _confirmed_restores(),
        "acknowledged": acknowledgements.acknowledged(second_bucket.place()),
        "keys": [str(key) for key in public_keys()],
        "key_history": [_key(record) for kind in SigningKeyEvent.Kind for record in signing_keys.history(kind)],
        "pending": verification.pending(),
    }


def proof_state() -> dict[str, Any]:
    """The newest checkpoint, and the last verification with its verdict as a sentence."""
    last = verification.latest()
    return {
        "newest": checkpoints.latest(),
        "verification": last,
        "verdict": _verdict(last) if last else "",
        "is_valid": last is not None and last.code == "log.verified",
        "verified_by": _name(last.requested_by) if last else "",
    }


def _verdict(last: LogVerification) -> str:
    """Return the verdict, with the time in the reader's zone, like the rest of the page."""
    values = dict(last.values)
    if at := parse_datetime(str(values.get("at", ""))):
        values["at"] = formatting.format_time(at, seconds=True)
    return sentence(last.code, values)


def _key(record: KeyRecord) -> dict[str, Any]:
    kind = SigningKeyEvent.Kind(record.kind).label
    return {"kind": kind, "id": record.id, "added_at": record.added_at, "retired_at": record.retired_at}


def _confirmed_restores() -> list[dict[str, Any]]:
    rows = DatabaseRestore.objects.filter(state=DatabaseRestore.State.CONFIRMED).order_by("-confirmed_at")
    return [
        {"confirmed_at": row.confirmed_at, "size": row.size, "reason": row.reason, "who": _name(row.confirmed_by or 0)}
        for row in rows[:MOST_RESTORES]
    ]


def _name(account_id: int) -> str:
    user = User.objects.filter(pk=account_id).first()
    return user.username if user else _("user {number}").format(number=account_id)
