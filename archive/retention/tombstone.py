"""The last step of a deletion (purge.py, step 7): the tombstone, the certificate that goes with it, and
the notice to its host."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.models import prefetch_related_objects

from archive import dbtime, leases, lifecycle, log, notices
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import (
    Bundle,
    DeletionCertificate,
    Derived,
    Notice,
    Participant,
    Recording,
    Space,
    Transcript,
    Transcription,
    UploadSession,
)
from archive.moderation.violations import scrub_moderation_text
from archive.retention import certificate

# What a Space's content consists of, as rows.
CONTENT: tuple[type[models.Model], ...] = (
    Recording,
    Transcript,
    Derived,
    Bundle,
    Participant,
    UploadSession,
    Transcription,
)
# What is blanked: nothing stays that says whose words it was, or which.
SCRUBBED: dict[str, Any] = {
    "title": "",
    "salt": "",
    "fingerprint": "",
    "problem": {},
    "audience": "",
    "processing_step": "",
}


def write_tombstones(claims: Sequence[Claim[Space]], removed: Mapping[UUID, Sequence[dict[str, Any]]]) -> list[UUID]:
    """`expiring -> deleted`, all in one transaction, for those whose claim was not lost. Their prefixes were seen
    empty; `removed` is what our rows knew of them. Returns the ids of those that are buried."""
    if not claims:
        return []
    spaces, now = [claim.row for claim in claims], dbtime.now()
    prefetch_related_objects(spaces, "host", "participants", "recordings")
    with transaction.atomic():
        stories = certificate.story([space.id for space in spaces])
        proofs, details = {}, {}
        for claim in claims:
            space = claim.row
            emptied = certificate.VerifiedEmpty(removed[space.id], now, claim.attempt)
            proofs[space.id] = certificate.make(space, stories[space.id], emptied, now)
            details[space.id] = {
                "removed": removed[space.id],
                "listed_empty_at": log.rfc3339(now),
                "attempts": claim.attempt,
                "certificate": certificate.digest(proofs[space.id]),
            }
        gone = lifecycle.transition_all(
            spaces,
            "expiring",
            "deleted",
            actor=SYSTEM,
            condition=leases.still_held(claims),
            details=details,
            deleted_at=now,
            **SCRUBBED,
            **leases.RESET,
        )
        DeletionCertificate.objects.bulk_create([proofs[space.id] for space in gone])
        _scrub(gone)
        notices.dismiss(gone)
        # Of what never arrived there is nothing to be told.
        notices.tell_hosts(Notice.Kind.DELETED, [space for space in gone if removed[space.id]])
    return [space.id for space in gone]


def _scrub(spaces: Sequence[Space]) -> None:
    for content in CONTENT:
        content._default_manager.filter(space__in=spaces).only("pk").delete()
    scrub_moderation_text(spaces)
