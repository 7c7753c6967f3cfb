"""The rows of the archive. PostgreSQL owns the truth and the work; the object store holds bytes only."""

from archive.models.bundle import Bundle
from archive.models.certificate import Certificate
from archive.models.log import LogEntry
from archive.models.media import Derived, Line, Recording, Transcript
from archive.models.package import Package
from archive.models.space import Participant, Space, current_rule
from archive.models.speech import Transcription
from archive.models.token import IdempotencyKey, RecorderToken
from archive.models.upkeep import Relisting, Sighting
from archive.models.upload import UploadPart, UploadSession
from archive.models.user import User
from archive.models.violation import Rule, Violation
from archive.models.work import Work

__all__ = [
    "Bundle",
    "Certificate",
    "Derived",
    "IdempotencyKey",
    "Line",
    "LogEntry",
    "Package",
    "Participant",
    "RecorderToken",
    "Recording",
    "Relisting",
    "Rule",
    "Sighting",
    "Space",
    "Transcript",
    "Transcription",
    "UploadPart",
    "UploadSession",
    "User",
    "Violation",
    "Work",
    "current_rule",
]
