"""The page of the log's proof."""

from typing import Any

from django.utils.translation import gettext as _

from archive.models import LogSequencer, LogVerification, User
from archive.transparency import checkpoints, verification
from archive.transparency.keys import public_keys
from archive.transparency.verify_log import sentence


def proof_page() -> dict[str, Any]:
    """The context of log/proof.html: `covered` entries have a signed checkpoint, `waiting` ones not yet."""
    newest = checkpoints.latest()
    last = verification.latest()
    covered = newest.size if newest else 0
    sequenced = LogSequencer.objects.values_list("size", flat=True).first() or 0
    return {
        "newest": newest,
        "covered": covered,
        "waiting": sequenced - covered,
        "keys": [str(key) for key in public_keys()],
        "verification": last,
        "verdict": sentence(last.code, last.values) if last else "",
        "is_valid": last is not None and last.code == "log.verified",
        "verified_by": _name(last.requested_by) if last else "",
        "is_pending": LogVerification.objects.filter(state=LogVerification.State.PENDING).exists(),
    }


def _name(account_id: int) -> str:
    user = User.objects.filter(pk=account_id).first()
    return user.username if user else _("user {number}").format(number=account_id)
