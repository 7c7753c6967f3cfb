"""The last step of a deletion (purge.py, step 7): the tombstone, its certificate, and the notice to the host."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.models import prefetch_related_objects

from archive import dbtime, leases, lifecycle, log, notices, webhooks
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import (
    Appeal,
    Arrival,
    Bundle,
    ContentAccess,
    DeletionCertificate,
    Derived,
    Feed,
    Hold,
    Notice,
    Participant,
    Recording,
    ReviewClaim,
    Space,
    SpaceIndex,
    Transcript,
    Transcription,
    UploadSession,
    Violation,
    WebhookDelivery,
    WebhookEvent,
)
from archive.retention import certificate

# Models whose rows are content of a Space.
CONTENT: tuple[type[models.Model], ...] = (
    SpaceIndex,
    Recording,
    Transcript,
    Derived,
    Bundle,
    Participant,
    UploadSession,
    Transcription,
    ContentAccess,
    ReviewClaim,
    Feed,
    WebhookDelivery,
)
# Fields to blank, so that no content and no names remain.
SCRUBBED: dict[str, Any] = {
    "title": "",
    "title_key": None,
    "duration_ms": None,
    "salt": "",
    "fingerprint": "",
    "problem": {},
    "audience": "",
    "started_at": None,
    "processing_step": "",
}
# Texts of moderators and hosts to blank: the model, its lookup for the Space, its fields.
MODERATION_TEXTS: tuple[tuple[type[models.Model], str, dict[str, Any]], ...] = (
    (Violation, "space__in", {"reason": "", "lift_reason": "", "evidence": []}),
    (Appeal, "violation__space__in", {"statement": "", "decision_reason": ""}),
    (Hold, "space__in", {"reason": "", "release_reason": "", "case_number": ""}),
)
# PostgreSQL's statistics copy the most common values of these columns and keep them until the next ANALYZE; migration
# 0002 disables that (tests/test_planner_statistics.py compares the two).


def write_tombstones(claims: Sequence[Claim[Space]], removed: Mapping[UUID, Sequence[dict[str, Any]]]) -> list[UUID]:
    """Move the Spaces of claims that are still held from `expiring` to `deleted`, in one transaction. Their prefixes
    must have been verified empty; `removed` lists the objects in our rows. Returns the ids of the deleted Spaces."""
    if not claims:
        return []
    spaces, now = [claim.row for claim in claims], dbtime.now()
    prefetch_related_objects(spaces, "host", "participants", "recordings")
    with transaction.atomic():
        histories = certificate.entries_for_certificates([space.id for space in spaces])
        certificates, details = {}, {}
        for claim in claims:
            space = claim.row
            emptied = certificate.VerifiedEmpty(removed[space.id], now, claim.attempt)
            certificates[space.id] = certificate.make(space, histories[space.id], emptied, now)
            details[space.id] = {
                "deadline": log.rfc3339(space.expires_at),
                "removed": removed[space.id],
                "listed_empty_at": log.rfc3339(now),
                "attempts": claim.attempt,
                "certificate": certificate.digest(certificates[space.id]),
            }
        deleted = lifecycle.transition_all(
            spaces,
            Space.State.EXPIRING,
            Space.State.DELETED,
            actor=SYSTEM,
            condition=leases.still_held(claims),
            details=details,
            deleted_at=now,
            **SCRUBBED,
            **leases.RESET,
        )
        DeletionCertificate.objects.bulk_create([certificates[space.id] for space in deleted])
        scrub(deleted)
        webhooks.announce_all(
            WebhookEvent.DELETED,
            [
                (space, "", {"deleted_at": log.rfc3339(now), "certificate": details[space.id]["certificate"]})
                for space in deleted
            ],
        )
        notices.dismiss(deleted)
        # A Space whose upload never completed needs no notice.
        notices.tell_hosts(Notice.Kind.DELETED, [space for space in deleted if removed[space.id]])
    return [space.id for space in deleted]


def scrub(spaces: Sequence[Space]) -> None:
    """Delete the rows with content of these Spaces, and blank the texts about them. The Spaces' own rows stay."""
    for content in CONTENT:
        content._default_manager.filter(space__in=spaces).only("pk").delete()
    # An arrival names a file. Unsettled ones still have a file to remove or to fetch again, and are deleted after that.
    Arrival.objects.filter(space__in=spaces, settled=True).delete()
    scrub_moderation_text(spaces)


def scrub_moderation_text(spaces: Sequence[Space]) -> None:
    """Blank the texts of violations, appeals and holds. Their existence, authors and times stay."""
    for model, lookup, texts in MODERATION_TEXTS:
        model._default_manager.filter(**{lookup: spaces}).update(**texts)
