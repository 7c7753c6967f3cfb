"""Compare the log with the rows: one entry per change, and one end per Space."""

import base64
import hashlib
import json
import os
from collections.abc import Collection, Iterator
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.faults.tables import rows

# Events whose entries must match the rows: event, subject's name in the log, table, condition.
LOGGED = [
    ("violation.flagged", "violation", "archive_violation", "true"),
    ("violation.lifted", "violation", "archive_violation", "state = 'lifted'"),
    ("violation.appealed", "appeal", "archive_appeal", "true"),
    ("appeal.granted", "appeal", "archive_appeal", "state = 'granted'"),
    ("appeal.denied", "appeal", "archive_appeal", "state = 'denied'"),
    ("hold.placed", "hold", "archive_hold", "true"),
    ("hold.released", "hold", "archive_hold", "state = 'released'"),
    ("notice.sent", "notice", "archive_notice", "state = 'sent'"),
]
# Events that a subject has at most one entry of, by the subject's name in the log. Words in one string exclude each
# other.
PACKAGE = ("requested", "ready", "verified", "failed removed")
ONCE = {
    ("bundle", "bundle"): PACKAGE,
    ("export_part", "export_part"): PACKAGE,
    ("transcription", "transcription"): ("requested", "started", "done failed"),
}


def ends() -> Iterator[str]:
    """Check that each deleted Space has one start and one end of its deletion, in this order, and one certificate."""
    ends = dict(
        rows(
            "SELECT space_id, string_agg(event, ' ' ORDER BY id) FROM archive_logentry "
            "WHERE event IN ('deletion.started', 'space.deleted') GROUP BY space_id"
        )
    )
    certified = {pk for (pk,) in rows("SELECT space_id FROM archive_deletioncertificate")}
    for pk, state in rows("SELECT id, state FROM archive_space"):
        right = ("deletion.started space.deleted", True) if state == "deleted" else ("", False)
        if (ends.get(pk, ""), pk in certified) != right:
            yield f"{pk} is {state}, and the log has: {ends.get(pk)}"


def entries() -> Iterator[str]:
    """Check the entries of everything except deletions."""
    for event, name, table, condition in LOGGED:
        logged = sorted(rows(f"SELECT detail->>'{name}' FROM archive_logentry WHERE event = %s", event))
        if logged != (stored := sorted(rows(f"SELECT id::text FROM {table} WHERE {condition}"))):
            yield f"the log has {event} of {logged}, the rows of {stored}"
    for pk, event in rows(
        "SELECT space_id, event FROM archive_logentry WHERE event IN ('space.received', 'space.available', "
        "'space.rejected') GROUP BY 1, 2 HAVING count(*) > 1"
    ):
        yield f"{pk} has {event} more than once"


def work() -> Iterator[str]:
    """Check that each step of a worker has one entry, and that the bundles of deleted Spaces have ended."""
    for (kind, name), steps in ONCE.items():
        for step in steps:
            repeated = rows(
                f"SELECT detail->>'{kind}', count(*) FROM archive_logentry WHERE event = ANY(%s) "
                "GROUP BY 1 HAVING count(*) > 1",
                [f"{name}.{event}" for event in step.split()],
            )
            yield from (f"{kind} {pk} is {step} {count} times" for pk, count in repeated)
    ended = "SELECT detail->>'bundle' FROM archive_logentry WHERE event IN ('bundle.failed', 'bundle.removed')"
    for (pk,) in rows(
        "SELECT detail->>'bundle' FROM archive_logentry e JOIN archive_space s ON s.id = e.space_id "
        f"WHERE event = 'bundle.requested' AND s.state = 'deleted' AND detail->>'bundle' NOT IN ({ended})"
    ):
        yield f"bundle {pk} has no end, and its Space is deleted"


def notices(mailed: Collection[str]) -> Iterator[str]:
    """Check that each sent notice was mailed. `mailed`: Message-IDs."""
    for (pk,) in rows("SELECT id FROM archive_notice WHERE state = 'sent'"):
        if not any(name.startswith(f"<{pk}@") for name in mailed):
            yield f"notice {pk} was never mailed"


def certificates(verified: set[UUID]) -> Iterator[str]:
    """Check the certificates that are not in `verified`, and add them to it."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(os.environ["CERTIFICATE_KEY"])).public_key()
    logged = dict(rows("SELECT space_id, detail->>'certificate' FROM archive_logentry WHERE event = 'space.deleted'"))
    for pk, document in rows("SELECT space_id, document FROM archive_deletioncertificate"):
        if pk in verified:
            continue
        facts = json.loads(document)
        signature = bytes.fromhex(facts.pop("signature"))
        try:
            key.verify(signature, json.dumps(facts, sort_keys=True, separators=(",", ":")).encode())
        except InvalidSignature:
            yield f"the certificate of {pk} is not signed"
        if facts["space"] != str(pk) or logged.get(pk) != hashlib.sha256(document.encode()).hexdigest():
            yield f"the certificate of {pk} is not the one that the log tells of"
        verified.add(pk)
