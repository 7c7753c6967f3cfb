"""Every event of the retention log. To add one, add a record here.

An event is a str (its name, as stored in the log) with what pages show of it: a label, the PREMIS event type
(id.loc.gov/vocabulary/preservation/eventType) where one fits, an icon of archive/static/archive/icons.svg, a summary of
an entry's detail, and whether the host of a Space sees it in the history.
"""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from archive.log import summaries
from archive.models import user as users

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Event(str):
    """The name of an event, with the texts and icon that pages show."""

    __slots__ = ("icon", "label", "premis", "shown_to_host", "summary")

    label: "StrOrPromise"
    premis: str
    icon: str
    summary: summaries.Summary
    shown_to_host: bool

    def __new__(
        cls,
        name: str,
        label: "StrOrPromise",
        *,
        premis: str = "",
        icon: str = "dot",
        summary: summaries.Summary = summaries.nothing,
        shown_to_host: bool = False,
    ) -> "Event":
        event = super().__new__(cls, name)
        event.label, event.premis, event.icon = label, premis, icon
        event.summary, event.shown_to_host = summary, shown_to_host
        return event


SPACE_REGISTERED = Event(
    "space.registered", _("Space registered"), icon="door", summary=summaries.deadline_set, shown_to_host=True
)
SPACE_RECEIVED = Event(
    "space.received", _("Recording received"), premis="ingestion", icon="door", summary=summaries.recording_received
)
SPACE_AVAILABLE = Event(
    "space.available", _("Ready to play and download"), premis="accession", icon="door", shown_to_host=True
)
SPACE_REJECTED = Event("space.rejected", _("Recording not accepted"), icon="alert", shown_to_host=True)

UPLOAD_OPENED = Event("upload.opened", _("Upload started"), summary=summaries.upload_opened)
UPLOAD_COMPLETED = Event("upload.completed", _("Upload completed"), premis="transfer")
UPLOAD_ACCEPTED = Event("upload.accepted", _("Upload accepted"))
UPLOAD_REJECTED = Event("upload.rejected", _("Upload rejected"))
UPLOAD_RETRIED = Event("upload.retried", _("Upload retried"))
UPLOAD_ABORTED = Event("upload.aborted", _("Upload aborted"))

ARRIVAL_ANNOUNCED = Event("arrival.announced", _("Recording announced by a recorder"))
ARRIVAL_STARTED = Event("arrival.started", _("Copying from a recorder started"))
ARRIVAL_COPIED = Event("arrival.copied", _("Recording copied from a recorder"), premis="replication")
ARRIVAL_ACCEPTED = Event("arrival.accepted", _("Recording of a recorder accepted"))
ARRIVAL_REFUSED = Event("arrival.refused", _("Recording of a recorder refused"), icon="alert")
ARRIVAL_RESTARTED = Event("arrival.restarted", _("Recording of a recorder to be fetched again"))
ARRIVAL_SOURCE_REMOVED = Event("arrival.source_removed", _("The recorder's own copy removed"), premis="deletion")

INBOX_EXPIRED = Event("inbox.expired", _("Files in a recorder's inbox past their deadline"), icon="clock")
INBOX_CLEANED = Event("inbox.cleaned", _("Files past their deadline removed from an inbox"), premis="deletion")
INBOX_UPLOAD_ABORTED = Event("inbox.upload_aborted", _("Upload to an inbox aborted: past its deadline"))

TRANSCRIPT_ADDED = Event("transcript.added", _("Transcript added"), premis="metadata modification", shown_to_host=True)

TRANSCRIPT_EDITED = Event(
    "transcript.edited",
    _("Transcript edited"),
    premis="metadata modification",
    icon="person",
    summary=summaries.transcript_edited,
    shown_to_host=True,
)

SPACE_EDITED = Event(
    "space.edited",
    _("Facts edited"),
    premis="metadata modification",
    icon="person",
    summary=summaries.edited_fields,
    shown_to_host=True,
)
PARTICIPANT_ADDED = Event(
    "participant.added", _("Participant added"), icon="person", summary=summaries.participant_role, shown_to_host=True
)
PARTICIPANT_RENAMED = Event("participant.renamed", _("Participant renamed"), icon="person", shown_to_host=True)
PARTICIPANT_ROLE_CHANGED = Event(
    "participant.role_changed",
    _("Role of a participant changed"),
    icon="person",
    summary=summaries.participant_role,
    shown_to_host=True,
)
PARTICIPANT_REMOVED = Event(
    "participant.removed",
    _("Participant removed"),
    icon="person",
    summary=summaries.participant_role,
    shown_to_host=True,
)

TRANSCRIPTION_REQUESTED = Event("transcription.requested", _("Automatic transcript requested"))
TRANSCRIPTION_STARTED = Event("transcription.started", _("Automatic transcript started"))
TRANSCRIPTION_DONE = Event("transcription.done", _("Automatic transcript ready"))
TRANSCRIPTION_FAILED = Event("transcription.failed", _("Automatic transcript failed"))

TOKEN_CREATED = Event("token.created", _("Token created"))
TOKEN_REVOKED = Event("token.revoked", _("Token revoked"))

WEBHOOK_CREATED = Event("webhook.created", _("Webhook created"), summary=summaries.webhook_events)
WEBHOOK_CHANGED = Event("webhook.changed", _("Webhook changed"), summary=summaries.webhook_fields)
WEBHOOK_SECRET_REPLACED = Event("webhook.secret_replaced", _("Secret of a webhook replaced"))
WEBHOOK_STARTED = Event("webhook.started", _("Webhook switched on"))
WEBHOOK_STOPPED = Event("webhook.stopped", _("Webhook switched off"), icon="alert", summary=summaries.webhook_stop)
WEBHOOK_REMOVED = Event("webhook.removed", _("Webhook removed"))
WEBHOOK_DELIVERED = Event(
    "webhook.delivered", _("Event delivered to a webhook"), icon="mail", summary=summaries.webhook_type
)
WEBHOOK_FAILED = Event(
    "webhook.failed", _("Event not delivered to a webhook"), icon="alert", summary=summaries.webhook_type
)
WEBHOOK_REQUEUED = Event(
    "webhook.requeued", _("Event queued again for a webhook"), icon="mail", summary=summaries.webhook_type
)

ACCOUNT_ROLE_GRANTED = Event("account.role_granted", _("Role granted"), icon="person", summary=summaries.account_role)
ACCOUNT_ROLE_REVOKED = Event("account.role_revoked", _("Role revoked"), icon="person", summary=summaries.account_role)
ACCOUNT_ACTIVATED = Event("account.activated", _("Account activated"), icon="person", summary=summaries.account)
ACCOUNT_DEACTIVATED = Event("account.deactivated", _("Account deactivated"), icon="person", summary=summaries.account)
ACCOUNT_PASSWORD_CHANGED = Event(
    "account.password_changed", _("Password changed"), icon="person", summary=summaries.account
)
ACCOUNT_EMAIL_VERIFIED = Event(
    "account.email_verified", _("E-mail address verified"), icon="person", summary=summaries.account
)
ACCOUNT_SESSIONS_ENDED = Event(
    "account.sessions_ended", _("All sessions ended"), icon="person", summary=summaries.account
)
ACCOUNT_RESET_LINK_CREATED = Event(
    "account.reset_link_created", _("Link for a new password created"), icon="person", summary=summaries.account
)
ACCOUNT_EMAIL_CHANGED = Event(
    "account.email_changed", _("E-mail address changed"), icon="person", summary=summaries.account
)
ACCOUNT_SECOND_FACTOR_ADDED = Event(
    "account.second_factor_added", _("Second factor added"), icon="person", summary=summaries.account_factor
)
ACCOUNT_SECOND_FACTOR_REMOVED = Event(
    "account.second_factor_removed", _("Second factor removed"), icon="person", summary=summaries.account_factor
)
ACCOUNT_RECOVERY_CODES_REPLACED = Event(
    "account.recovery_codes_replaced", _("Recovery codes replaced"), icon="person", summary=summaries.account
)
ACCOUNT_SECOND_FACTORS_RESET = Event(
    "account.second_factors_reset", _("All second factors deleted"), icon="person", summary=summaries.account
)
ACCOUNT_ADMITTED = Event(
    users.ADMITTED, _("Admin admitted to a case older than their role"), icon="person", summary=summaries.account
)
ACCOUNT_CLOSED = Event("account.closed", _("Account closed"), icon="person", summary=summaries.account)

OBJECT_MISSING = Event("object.missing", _("Object missing from the store"), premis="fixity check", icon="alert")
OBJECT_FOUND = Event("object.found", _("Missing object found again"))

PARTICIPANT_LINKED = Event("participant.linked", _("Account linked to a participant"), icon="person")
PARTICIPANT_UNLINKED = Event("participant.unlinked", _("Account unlinked from a participant"), icon="person")

DEADLINE_MOVED = Event(
    "deadline.moved", _("Deadline moved"), icon="clock", summary=summaries.deadline_moved, shown_to_host=True
)

VIOLATION_FLAGGED = Event(
    "violation.flagged", _("Flagged"), icon="flag", summary=summaries.rule_broken, shown_to_host=True
)
VIOLATION_LIFTED = Event("violation.lifted", _("Flag lifted"), icon="check", shown_to_host=True)
VIOLATION_APPEALED = Event("violation.appealed", _("Appeal submitted"), icon="person", shown_to_host=True)
VIOLATION_UPHELD = Event("violation.upheld", _("Flag upheld"), icon="flag")

SPACE_REVIEWED = Event("space.reviewed", _("Reviewed: no violation"), icon="check")
SPACE_REVIEW_UNDONE = Event("space.review_undone", _("Review undone"), icon="reload")

RULE_ADDED = Event("rule.added", _("Rule added"), icon="flag", summary=summaries.rule_version)
RULE_CHANGED = Event("rule.changed", _("Rule changed"), icon="flag", summary=summaries.rule_version)

TEMPLATE_ADDED = Event("reason_template.added", _("Reason template added"), icon="flag", summary=summaries.rule_broken)
TEMPLATE_CHANGED = Event(
    "reason_template.changed", _("Reason template changed"), icon="flag", summary=summaries.rule_broken
)
TEMPLATE_DELETED = Event(
    "reason_template.deleted", _("Reason template deleted"), icon="flag", summary=summaries.rule_broken
)

APPEAL_DENIED = Event("appeal.denied", _("Appeal denied"), icon="person", shown_to_host=True)
APPEAL_GRANTED = Event("appeal.granted", _("Appeal granted"), icon="person", shown_to_host=True)

HOLD_PLACED = Event(
    "hold.placed", _("Legal hold placed"), icon="lock", summary=summaries.hold_number, shown_to_host=True
)
HOLD_RELEASED = Event(
    "hold.released", _("Legal hold released"), icon="lock", summary=summaries.hold_number, shown_to_host=True
)
HOLD_REVIEWED = Event("hold.reviewed", _("Legal hold still needed"), icon="lock", summary=summaries.hold_number)

BUNDLE_REQUESTED = Event("bundle.requested", _("Bundle requested"), icon="package")
BUNDLE_STARTED = Event("bundle.started", _("Bundle started"), icon="package")
BUNDLE_READY = Event(
    "bundle.ready", _("Bundle ready"), premis="packaging", icon="package", summary=summaries.size, shown_to_host=True
)
BUNDLE_VERIFIED = Event("bundle.verified", _("Bundle verified"), premis="fixity check", icon="package")
BUNDLE_FAILED = Event("bundle.failed", _("Bundle failed"), icon="alert", shown_to_host=True)
BUNDLE_REMOVED = Event("bundle.removed", _("Bundle removed"), icon="package")
BUNDLE_LINKS_REVOKED = Event(
    "bundle.links_revoked", _("Download links of the bundle revoked"), icon="close", shown_to_host=True
)

FEED_CREATED = Event("feed.created", _("Feed created"), icon="copy", summary=summaries.feed_kind, shown_to_host=True)
FEED_REVOKED = Event("feed.revoked", _("Feed revoked"), icon="close", summary=summaries.feed_kind, shown_to_host=True)

EXPORT_REQUESTED = Event("export.requested", _("Export requested"), icon="package")

EXPORT_PART_STARTED = Event("export_part.started", _("Export part started"), icon="package")
EXPORT_PART_READY = Event("export_part.ready", _("Export part ready"), premis="packaging", icon="package")
EXPORT_PART_VERIFIED = Event("export_part.verified", _("Export part verified"), premis="fixity check", icon="package")
EXPORT_PART_FAILED = Event("export_part.failed", _("Export part failed"), icon="alert")
EXPORT_PART_REMOVED = Event("export_part.removed", _("Export part removed"), icon="package")
EXPORT_PART_LINKS_REVOKED = Event(
    "export_part.links_revoked", _("Download links of the export part revoked"), icon="close"
)

NOTICE_REQUEUED = Event("notice.requeued", _("Notice queued again"), icon="mail", summary=summaries.notice_kind)
NOTICE_SENT = Event("notice.sent", _("Notice sent by e-mail"), icon="mail", summary=summaries.notice_kind)
NOTICE_WEB_ONLY = Event(
    "notice.web_only", _("Notice shown on the page only"), icon="mail", summary=summaries.notice_kind
)
NOTICE_OBSOLETE = Event(
    "notice.obsolete", _("Notice not sent: out of date"), icon="mail", summary=summaries.notice_kind
)
NOTICE_FAILED = Event("notice.failed", _("Notice could not be sent"), icon="alert", summary=summaries.notice_kind)

DIGEST_SENT = Event("digest.sent", _("Weekly digest sent by e-mail"), icon="mail")
DIGEST_EMPTY = Event("digest.empty", _("Weekly digest not needed"), icon="mail")
DIGEST_REQUEUED = Event("digest.requeued", _("Weekly digest queued again"), icon="mail")
DIGEST_FAILED = Event("digest.failed", _("Weekly digest could not be sent"), icon="alert")

# Without an address or account: the log keeps them forever.
CHECKPOINT_MAIL_FAILED = Event("checkpoint_mail.failed", _("Checkpoint could not be sent by e-mail"), icon="alert")
ACCOUNT_MAIL_FAILED = Event("account_mail.failed", _("Mail about an account could not be sent"), icon="alert")

# One entry per hour, user (or token), Space and kind, whenever content is issued (archive/content_access.py).
CONTENT_PLAYED = Event(
    "content.played",
    _("Page with the player opened"),
    premis="dissemination",
    icon="play",
    summary=summaries.access_role,
)
CONTENT_READ = Event(
    "content.read", _("Transcript read"), premis="dissemination", icon="person", summary=summaries.access_role
)
CONTENT_FOUND = Event(
    "content.found", _("Lines found by a search"), premis="dissemination", icon="search", summary=summaries.access_role
)
CONTENT_DOWNLOADED = Event(
    "content.downloaded",
    _("Downloaded"),
    premis="dissemination",
    icon="download",
    summary=summaries.access_role,
)
CONTENT_ACCESSED_BY_ADMIN = Event(
    "content.accessed_by_admin",
    _("Content accessed by an admin"),
    premis="dissemination",
    icon="person",
    summary=summaries.access,
)

DELETION_STARTED = Event("deletion.started", _("Deletion started"), icon="hollow", summary=summaries.deletion_started)
DELETION_INVENTORIED = Event(
    "deletion.inventoried", _("Objects to delete listed"), icon="hollow", summary=summaries.objects_listed
)
SPACE_DELETED = Event(
    "space.deleted", _("Space deleted"), premis="deletion", icon="hollow", summary=summaries.space_deleted
)
DELETION_RECHECKED = Event(
    "deletion.rechecked", _("Deleted Spaces checked again"), icon="hollow", summary=summaries.spaces_checked
)
COPY_FOUND = Event("deletion.copy_found", _("Copy found after the deletion"), icon="hollow")
COPY_REMOVED = Event(
    "deletion.copy_removed", _("Copy found after the deletion removed"), premis="deletion", icon="hollow"
)

INVITATION_CREATED = Event("invitation.created", _("Person invited"), icon="mail")
INVITATION_ISSUED = Event("invitation.issued", _("Invitation link issued"), icon="mail")
INVITATION_RENEWED = Event("invitation.renewed", _("New invitation link requested"), icon="mail")
INVITATION_FAILED = Event("invitation.failed", _("Invitation could not be sent"), icon="alert")
INVITATION_ACCEPTED = Event("invitation.accepted", _("Invitation accepted"), icon="person")
INVITATION_REVOKED = Event("invitation.revoked", _("Invitation revoked"), icon="person")

LOG_EXPORTED = Event("log.exported", _("Data for auditors downloaded"), icon="download", summary=summaries.log_exported)

ORPHAN_FOUND = Event("reconcile.orphan_found", _("Orphaned object found"))
ORPHAN_REMOVED = Event("reconcile.orphan_removed", _("Orphaned object removed"), premis="deletion")
RECONCILE_UPLOAD_ABORTED = Event("reconcile.upload_aborted", _("Orphaned upload aborted"))

LOG_KEY_ADDED = Event("log.key_added", _("Signing key added"), icon="lock", summary=summaries.signing_key)
LOG_KEY_RETIRED = Event("log.key_retired", _("Signing key retired"), icon="lock", summary=summaries.signing_key)

LOG_COPY_ACKNOWLEDGED = Event(
    "log.copy_acknowledged", _("Contradicting checkpoint acknowledged"), icon="alert", summary=summaries.copy_size
)

LOG_RESTORE_CONFIRMED = Event(
    "log.restore_confirmed", _("Restored database confirmed"), icon="alert", summary=summaries.entries_restored
)

LOG_VERIFIED = Event("log.verified", _("Log verified"), premis="fixity check", icon="check", summary=summaries.verdict)

LOG_DOWNLOADED = Event("log.downloaded", _("Whole log downloaded"), icon="download")

# Every event by its name.
EVENTS: dict[str, Event] = {event: event for event in tuple(globals().values()) if isinstance(event, Event)}

# Events in the history of a Space that its host sees; auditors see all.
SHOWN_TO_HOST = tuple(event for event in EVENTS.values() if event.shown_to_host)

# Events that show the host of a Space who accessed its content.
CONTENT_ISSUED = (CONTENT_PLAYED, CONTENT_READ, CONTENT_FOUND, CONTENT_DOWNLOADED, CONTENT_ACCESSED_BY_ADMIN)

# Events that change a Space's bundle, besides flags and deadlines.
CONTENT_EDITED = (
    TRANSCRIPT_ADDED,
    TRANSCRIPT_EDITED,
    SPACE_EDITED,
    PARTICIPANT_ADDED,
    PARTICIPANT_RENAMED,
    PARTICIPANT_ROLE_CHANGED,
    PARTICIPANT_REMOVED,
)

# Events that set a deadline: enough to recompute every deadline years later (archive/retention/replay.py).
DECISIONS = (SPACE_REGISTERED, DEADLINE_MOVED, VIOLATION_FLAGGED, VIOLATION_LIFTED, HOLD_PLACED, HOLD_RELEASED)


def find(name: str) -> Event:
    """Return the event of an entry. An event that only newer versions know is shown by its name."""
    return EVENTS.get(name) or Event(name, name)
