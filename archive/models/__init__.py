"""The rows of the archive. PostgreSQL owns the truth and the work; the object store holds bytes only."""

from archive.models.bundle import Bundle
from archive.models.log import LogEntry
from archive.models.media import Recording, Transcript
from archive.models.space import Participant, Space, current_rule
from archive.models.user import User
from archive.models.violation import Rule, Violation
from archive.models.work import Work

__all__ = [
    "Bundle",
    "LogEntry",
    "Participant",
    "Recording",
    "Rule",
    "Space",
    "Transcript",
    "User",
    "Violation",
    "Work",
    "current_rule",
]
