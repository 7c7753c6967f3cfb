"""The rows of the archive. PostgreSQL owns the truth and the work; the object store holds bytes only."""

from archive.models.bundle import Bundle
from archive.models.certificate import Certificate
from archive.models.collection import Collection, Volume, VolumeSpace
from archive.models.hold import Hold
from archive.models.log import LogEntry
from archive.models.media import Derived, Line, Recording, Transcript
from archive.models.notice import Notice
from archive.models.package import Package
from archive.models.space import Participant, Space, current_rule
from archive.models.speech import Transcription
from archive.models.token import IdempotencyKey, RecorderToken
from archive.models.upkeep import Relisting, Sighting
from archive.models.upload import UploadPart, UploadSession
from archive.models.user import User
from archive.models.violation import Appeal, Rule, Violation
from archive.models.work import Work

__all__ = [
    "Appeal",
    "Bundle",
    "Certificate",
    "Collection",
    "Derived",
    "Hold",
    "IdempotencyKey",
    "Line",
    "LogEntry",
    "Notice",
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
    "Volume",
    "VolumeSpace",
    "Work",
    "current_rule",
]
