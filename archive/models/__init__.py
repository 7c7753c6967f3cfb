"""The tables of the archive. PostgreSQL holds all state and all work; the object store holds only files."""

from archive.models.account_mail import AccountMail
from archive.models.arrival import Arrival, LiveKitParticipant, LiveKitRoom
from archive.models.audit import LogDay, SavedLogView
from archive.models.bundle import Bundle
from archive.models.certificate import DeletionCertificate
from archive.models.content_access import ContentAccess
from archive.models.digest import Digest
from archive.models.export import Export, ExportPart, ExportPartEntry
from archive.models.feed import Feed
from archive.models.hold import Hold
from archive.models.housekeeping import (
    DeletionRecheck,
    Heartbeat,
    RateLimit,
    ReconcileFinding,
    StoreReport,
    TaskRun,
)
from archive.models.invitation import Invitation
from archive.models.leased import Leased
from archive.models.log import LogEntry
from archive.models.notice import Notice
from archive.models.package import Package
from archive.models.publication import CheckpointCopy, CheckpointMail, CheckpointTimestamp, LogPublisher
from archive.models.reason_template import ReasonTemplate
from archive.models.recorder import IdempotencyKey, RecorderToken
from archive.models.restore import DatabaseRestore
from archive.models.review_claim import ReviewClaim
from archive.models.space import Participant, Space, current_policy
from archive.models.space_index import SpaceIndex
from archive.models.space_queries import SpaceQuerySet
from archive.models.stored import Derived, Recording, SearchLine, Transcript
from archive.models.submission import FormSubmission
from archive.models.transcription import Transcription
from archive.models.transparency import (
    LogCheckpoint,
    LogCosignature,
    LogLeaf,
    LogNode,
    LogQueue,
    LogSequencer,
    LogVerification,
    SigningKeyEvent,
)
from archive.models.upload import UploadPart, UploadSession
from archive.models.user import RoleMembership, User
from archive.models.violation import Appeal, Rule, Violation
from archive.models.webhook import WebhookDelivery, WebhookEndpoint, WebhookEvent

__all__ = [
    "AccountMail",
    "Appeal",
    "Arrival",
    "Bundle",
    "CheckpointCopy",
    "CheckpointMail",
    "CheckpointTimestamp",
    "ContentAccess",
    "DatabaseRestore",
    "DeletionCertificate",
    "DeletionRecheck",
    "Derived",
    "Digest",
    "Export",
    "ExportPart",
    "ExportPartEntry",
    "Feed",
    "FormSubmission",
    "Heartbeat",
    "Hold",
    "IdempotencyKey",
    "Invitation",
    "Leased",
    "LiveKitParticipant",
    "LiveKitRoom",
    "LogCheckpoint",
    "LogCosignature",
    "LogDay",
    "LogEntry",
    "LogLeaf",
    "LogNode",
    "LogPublisher",
    "LogQueue",
    "LogSequencer",
    "LogVerification",
    "Notice",
    "Package",
    "Participant",
    "RateLimit",
    "ReasonTemplate",
    "ReconcileFinding",
    "RecorderToken",
    "Recording",
    "ReviewClaim",
    "RoleMembership",
    "Rule",
    "SavedLogView",
    "SearchLine",
    "SigningKeyEvent",
    "Space",
    "SpaceIndex",
    "SpaceQuerySet",
    "StoreReport",
    "TaskRun",
    "Transcript",
    "Transcription",
    "UploadPart",
    "UploadSession",
    "User",
    "Violation",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
    "current_policy",
]
