"""The names of what can happen, and the PREMIS event type (id.loc.gov/vocabulary/preservation/eventType) where one
fits."""

SPACE_OPENED = "space.opened"
SPACE_RECEIVED = "space.received"
SPACE_AVAILABLE = "space.available"
SPACE_REJECTED = "space.rejected"
UPLOAD_OPENED = "upload.opened"
UPLOAD_ARRIVED = "upload.arrived"
UPLOAD_TAKEN = "upload.taken"
UPLOAD_REFUSED = "upload.refused"
UPLOAD_RETRIED = "upload.retried"
UPLOAD_ABORTED = "upload.aborted"
TRANSCRIPT_KEPT = "transcript.kept"
SPEECH_REQUESTED = "speech.requested"
SPEECH_STARTED = "speech.started"
SPEECH_DONE = "speech.done"
SPEECH_FAILED = "speech.failed"
TOKEN_MADE = "token.made"
TOKEN_REVOKED = "token.revoked"
OBJECT_MISSING = "object.missing"
OBJECT_FOUND = "object.found"
PARTICIPANT_LINKED = "participant.linked"
PARTICIPANT_UNLINKED = "participant.unlinked"
DEADLINE_MOVED = "deadline.moved"
VIOLATION_FLAGGED = "violation.flagged"
VIOLATION_LIFTED = "violation.lifted"
VIOLATION_APPEALED = "violation.appealed"
VIOLATION_STANDS = "violation.stands"
APPEAL_DENIED = "appeal.denied"
APPEAL_GRANTED = "appeal.granted"
HOLD_PLACED = "hold.placed"
HOLD_RELEASED = "hold.released"
BUNDLE_REQUESTED = "bundle.requested"
BUNDLE_STARTED = "bundle.started"
BUNDLE_READY = "bundle.ready"
BUNDLE_PROVEN = "bundle.proven"
BUNDLE_FAILED = "bundle.failed"
BUNDLE_REMOVED = "bundle.removed"
COLLECTION_REQUESTED = "collection.requested"
VOLUME_STARTED = "volume.started"
VOLUME_READY = "volume.ready"
VOLUME_PROVEN = "volume.proven"
VOLUME_FAILED = "volume.failed"
VOLUME_REMOVED = "volume.removed"
NOTICE_DUE = "notice.due"
NOTICE_SENT = "notice.sent"
NOTICE_SHOWN = "notice.shown"
NOTICE_DROPPED = "notice.dropped"
NOTICE_FAILED = "notice.failed"
CONTENT_DOWNLOADED = "content.downloaded"
DELETION_BEGAN = "deletion.began"
DELETION_LISTED = "deletion.listed"
SPACE_DELETED = "space.deleted"
TOMBSTONES_LISTED = "deletion.listed_again"
COPY_FOUND = "deletion.copy_found"
COPY_REMOVED = "deletion.copy_removed"
ORPHAN_FOUND = "reconcile.orphan_found"
ORPHAN_REMOVED = "reconcile.orphan_removed"
UPLOAD_ENDED = "reconcile.upload_ended"

# What sets a deadline: enough to compute every deadline again, years later (archive/retention/replay.py).
DECISIONS = (SPACE_OPENED, DEADLINE_MOVED, VIOLATION_FLAGGED, VIOLATION_LIFTED, HOLD_PLACED, HOLD_RELEASED)

PREMIS = {
    SPACE_RECEIVED: "ingestion",
    SPACE_AVAILABLE: "accession",
    UPLOAD_ARRIVED: "transfer",
    TRANSCRIPT_KEPT: "metadata modification",
    BUNDLE_READY: "packaging",
    BUNDLE_PROVEN: "fixity check",
    VOLUME_READY: "packaging",
    VOLUME_PROVEN: "fixity check",
    CONTENT_DOWNLOADED: "dissemination",
    SPACE_DELETED: "deletion",
    COPY_REMOVED: "deletion",
    ORPHAN_REMOVED: "deletion",
    OBJECT_MISSING: "fixity check",
}

# What each means, in the words that auditors read.
WORDS = {
    SPACE_OPENED: "Space announced",
    SPACE_RECEIVED: "Recording received",
    SPACE_AVAILABLE: "Space available",
    SPACE_REJECTED: "Space not accepted",
    UPLOAD_OPENED: "Upload begun",
    UPLOAD_ARRIVED: "Upload arrived",
    UPLOAD_TAKEN: "Upload taken in",
    UPLOAD_REFUSED: "Upload not accepted",
    UPLOAD_RETRIED: "Upload looked at again",
    UPLOAD_ABORTED: "Upload given up",
    TRANSCRIPT_KEPT: "Transcript kept",
    SPEECH_REQUESTED: "Automatic transcript asked for",
    SPEECH_STARTED: "Automatic transcript begun",
    SPEECH_DONE: "Automatic transcript ready",
    SPEECH_FAILED: "Automatic transcript failed",
    TOKEN_MADE: "Token made for a recorder",
    TOKEN_REVOKED: "Token taken back",
    OBJECT_MISSING: "Missing in the store",
    OBJECT_FOUND: "In the store again",
    PARTICIPANT_LINKED: "Account linked to a speaker",
    PARTICIPANT_UNLINKED: "Account of a speaker unlinked",
    DEADLINE_MOVED: "Deadline moved",
    VIOLATION_FLAGGED: "Flagged",
    VIOLATION_LIFTED: "Violation lifted",
    VIOLATION_APPEALED: "Appeal made",
    VIOLATION_STANDS: "Violation stands",
    APPEAL_DENIED: "Appeal denied",
    APPEAL_GRANTED: "Appeal granted",
    HOLD_PLACED: "Legal hold placed",
    HOLD_RELEASED: "Legal hold released",
    BUNDLE_REQUESTED: "Bundle asked for",
    BUNDLE_STARTED: "Bundle started",
    BUNDLE_READY: "Bundle ready",
    BUNDLE_PROVEN: "Bundle read back",
    BUNDLE_FAILED: "Bundle failed",
    BUNDLE_REMOVED: "Bundle removed",
    COLLECTION_REQUESTED: "All Spaces asked for",
    VOLUME_STARTED: "Volume started",
    VOLUME_READY: "Volume ready",
    VOLUME_PROVEN: "Volume read back",
    VOLUME_FAILED: "Volume failed",
    VOLUME_REMOVED: "Volume removed",
    NOTICE_DUE: "Notice to be sent again",
    NOTICE_SENT: "Told by e-mail",
    NOTICE_SHOWN: "Told on the page only",
    NOTICE_DROPPED: "Notice not sent: no longer true",
    NOTICE_FAILED: "Notice could not be sent",
    CONTENT_DOWNLOADED: "Content handed out",
    DELETION_BEGAN: "Deletion began",
    DELETION_LISTED: "Deletion: what the store held",
    SPACE_DELETED: "Deleted",
    TOMBSTONES_LISTED: "Places of deleted Spaces looked at again",
    COPY_FOUND: "A copy came back after the deletion",
    COPY_REMOVED: "The copy that came back was removed",
    ORPHAN_FOUND: "An object that belongs to nothing",
    ORPHAN_REMOVED: "An object that belonged to nothing was removed",
    UPLOAD_ENDED: "An upload that belonged to nothing was ended",
}
