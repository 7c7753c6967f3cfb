"""The names of what can happen, and the PREMIS event type (id.loc.gov/vocabulary/preservation/eventType) where one
fits."""

SPACE_REGISTERED = "space.registered"
SPACE_RECEIVED = "space.received"
SPACE_AVAILABLE = "space.available"
SPACE_REJECTED = "space.rejected"
UPLOAD_OPENED = "upload.opened"
UPLOAD_COMPLETED = "upload.completed"
UPLOAD_ACCEPTED = "upload.accepted"
UPLOAD_REJECTED = "upload.rejected"
UPLOAD_RETRIED = "upload.retried"
UPLOAD_ABORTED = "upload.aborted"
TRANSCRIPT_ADDED = "transcript.added"
TRANSCRIPTION_REQUESTED = "transcription.requested"
TRANSCRIPTION_STARTED = "transcription.started"
TRANSCRIPTION_DONE = "transcription.done"
TRANSCRIPTION_FAILED = "transcription.failed"
TOKEN_CREATED = "token.created"
TOKEN_REVOKED = "token.revoked"
OBJECT_MISSING = "object.missing"
OBJECT_FOUND = "object.found"
PARTICIPANT_LINKED = "participant.linked"
PARTICIPANT_UNLINKED = "participant.unlinked"
DEADLINE_MOVED = "deadline.moved"
VIOLATION_FLAGGED = "violation.flagged"
VIOLATION_LIFTED = "violation.lifted"
VIOLATION_APPEALED = "violation.appealed"
VIOLATION_UPHELD = "violation.upheld"
APPEAL_DENIED = "appeal.denied"
APPEAL_GRANTED = "appeal.granted"
HOLD_PLACED = "hold.placed"
HOLD_RELEASED = "hold.released"
BUNDLE_REQUESTED = "bundle.requested"
BUNDLE_STARTED = "bundle.started"
BUNDLE_READY = "bundle.ready"
BUNDLE_VERIFIED = "bundle.verified"
BUNDLE_FAILED = "bundle.failed"
BUNDLE_REMOVED = "bundle.removed"
EXPORT_REQUESTED = "export.requested"
EXPORT_PART_STARTED = "export_part.started"
EXPORT_PART_READY = "export_part.ready"
EXPORT_PART_VERIFIED = "export_part.verified"
EXPORT_PART_FAILED = "export_part.failed"
EXPORT_PART_REMOVED = "export_part.removed"
NOTICE_REQUEUED = "notice.requeued"
NOTICE_SENT = "notice.sent"
NOTICE_WEB_ONLY = "notice.web_only"
NOTICE_OBSOLETE = "notice.obsolete"
NOTICE_FAILED = "notice.failed"
CONTENT_DOWNLOADED = "content.downloaded"
DELETION_STARTED = "deletion.started"
DELETION_INVENTORIED = "deletion.inventoried"
SPACE_DELETED = "space.deleted"
DELETION_RECHECKED = "deletion.rechecked"
COPY_FOUND = "deletion.copy_found"
COPY_REMOVED = "deletion.copy_removed"
ORPHAN_FOUND = "reconcile.orphan_found"
ORPHAN_REMOVED = "reconcile.orphan_removed"
RECONCILE_UPLOAD_ABORTED = "reconcile.upload_aborted"

# What sets a deadline: enough to compute every deadline again, years later (archive/retention/replay.py).
DECISIONS = (SPACE_REGISTERED, DEADLINE_MOVED, VIOLATION_FLAGGED, VIOLATION_LIFTED, HOLD_PLACED, HOLD_RELEASED)

PREMIS = {
    SPACE_RECEIVED: "ingestion",
    SPACE_AVAILABLE: "accession",
    UPLOAD_COMPLETED: "transfer",
    TRANSCRIPT_ADDED: "metadata modification",
    BUNDLE_READY: "packaging",
    BUNDLE_VERIFIED: "fixity check",
    EXPORT_PART_READY: "packaging",
    EXPORT_PART_VERIFIED: "fixity check",
    CONTENT_DOWNLOADED: "dissemination",
    SPACE_DELETED: "deletion",
    COPY_REMOVED: "deletion",
    ORPHAN_REMOVED: "deletion",
    OBJECT_MISSING: "fixity check",
}

# What each means, in the words that auditors read.
WORDS = {
    SPACE_REGISTERED: "Space announced",
    SPACE_RECEIVED: "Recording received",
    SPACE_AVAILABLE: "Space available",
    SPACE_REJECTED: "Space not accepted",
    UPLOAD_OPENED: "Upload begun",
    UPLOAD_COMPLETED: "Upload arrived",
    UPLOAD_ACCEPTED: "Upload taken in",
    UPLOAD_REJECTED: "Upload not accepted",
    UPLOAD_RETRIED: "Upload looked at again",
    UPLOAD_ABORTED: "Upload given up",
    TRANSCRIPT_ADDED: "Transcript kept",
    TRANSCRIPTION_REQUESTED: "Automatic transcript asked for",
    TRANSCRIPTION_STARTED: "Automatic transcript begun",
    TRANSCRIPTION_DONE: "Automatic transcript ready",
    TRANSCRIPTION_FAILED: "Automatic transcript failed",
    TOKEN_CREATED: "Token made for a recorder",
    TOKEN_REVOKED: "Token taken back",
    OBJECT_MISSING: "Missing in the store",
    OBJECT_FOUND: "In the store again",
    PARTICIPANT_LINKED: "Account linked to a speaker",
    PARTICIPANT_UNLINKED: "Account of a speaker unlinked",
    DEADLINE_MOVED: "Deadline moved",
    VIOLATION_FLAGGED: "Flagged",
    VIOLATION_LIFTED: "Violation lifted",
    VIOLATION_APPEALED: "Appeal made",
    VIOLATION_UPHELD: "Violation stands",
    APPEAL_DENIED: "Appeal denied",
    APPEAL_GRANTED: "Appeal granted",
    HOLD_PLACED: "Legal hold placed",
    HOLD_RELEASED: "Legal hold released",
    BUNDLE_REQUESTED: "Bundle asked for",
    BUNDLE_STARTED: "Bundle started",
    BUNDLE_READY: "Bundle ready",
    BUNDLE_VERIFIED: "Bundle read back",
    BUNDLE_FAILED: "Bundle failed",
    BUNDLE_REMOVED: "Bundle removed",
    EXPORT_REQUESTED: "All Spaces asked for",
    EXPORT_PART_STARTED: "Part started",
    EXPORT_PART_READY: "Part ready",
    EXPORT_PART_VERIFIED: "Part read back",
    EXPORT_PART_FAILED: "Part failed",
    EXPORT_PART_REMOVED: "Part removed",
    NOTICE_REQUEUED: "Notice to be sent again",
    NOTICE_SENT: "Told by e-mail",
    NOTICE_WEB_ONLY: "Told on the page only",
    NOTICE_OBSOLETE: "Notice not sent: no longer true",
    NOTICE_FAILED: "Notice could not be sent",
    CONTENT_DOWNLOADED: "Content handed out",
    DELETION_STARTED: "Deletion began",
    DELETION_INVENTORIED: "Deletion: what the store held",
    SPACE_DELETED: "Deleted",
    DELETION_RECHECKED: "Places of deleted Spaces looked at again",
    COPY_FOUND: "A copy came back after the deletion",
    COPY_REMOVED: "The copy that came back was removed",
    ORPHAN_FOUND: "An object that belongs to nothing",
    ORPHAN_REMOVED: "An object that belonged to nothing was removed",
    RECONCILE_UPLOAD_ABORTED: "An upload that belonged to nothing was ended",
}
