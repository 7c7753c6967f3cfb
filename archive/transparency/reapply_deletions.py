"""Restore the deletion of a Space, with the certificate that was issued, from the entry that records it."""

import hashlib
import json
from datetime import datetime
from uuid import UUID

from archive import export_revocation, leases, notices
from archive.errors import ObjectMissing
from archive.models import DeletionCertificate, Hold, Space
from archive.retention import tombstone
from archive.storage import keys, store
from archive.transparency.reapply_step import Step, make_step
from archive.transparency.recovery import LostEntry


def read_certificate(entry: LostEntry) -> str | None:
    """Return the certificate that this entry records, byte for byte; None if the store lacks it. The entry has its
    SHA-256, and the checkpoint signs the entry."""
    assert entry.space is not None
    try:
        document = store().get(keys.certificate_copy(entry.space))
    except ObjectMissing:
        return None
    return document.decode() if hashlib.sha256(document).hexdigest() == entry.detail["certificate"] else None


def add_tombstone(space: Space | None, entry: LostEntry, document: str | None) -> Step:
    """Make the Space deleted again, at that time and with that certificate. The store was empty then; the daily check
    (archive/retention/recheck.py) removes objects that came back since."""
    assert entry.space is not None
    changed = _add_certificate(entry.space, document)
    if space is not None and space.state != Space.State.DELETED:
        if space.holds.filter(state=Hold.State.STANDING).exists():
            return make_step(entry, "by-hand", "a legal hold of this database stands: release it, then repeat")
        _write_tombstone(space, entry)
        changed = True
    has_certificate = DeletionCertificate.objects.filter(pk=entry.space).exists()
    if not has_certificate:
        return make_step(entry, "by-hand", "the store does not have its certificate; the entry proves the deletion")
    return make_step(entry, "restored" if changed else "present")


def _add_certificate(space_id: UUID, document: str | None) -> bool:
    if document is None or DeletionCertificate.objects.filter(pk=space_id).exists():
        return False
    facts = json.loads(document)
    issued_at = datetime.fromisoformat(facts["issued_at"])
    DeletionCertificate.objects.create(space_id=space_id, key_id=facts["key"], document=document, issued_at=issued_at)
    return True


def _write_tombstone(space: Space, entry: LostEntry) -> None:
    deadline = entry.detail["deadline"] and datetime.fromisoformat(entry.detail["deadline"])
    export_revocation.revoke([space])
    Space.objects.filter(pk=space.pk).update(
        state=Space.State.DELETED,
        expires_at=deadline or space.expires_at,
        deleted_at=datetime.fromisoformat(entry.detail["listed_empty_at"]),
        **tombstone.SCRUBBED,
        **leases.RESET,
    )
    tombstone.scrub([space])
    notices.dismiss([space])
