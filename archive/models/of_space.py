"""Read the rows for the page of a Space, with compiled SQL (compiled_query.py)."""

from typing import Any
from uuid import UUID

from django.db.models import prefetch_related_objects

from archive.models.compiled_query import CompiledQuery
from archive.models.space import Participant, Space
from archive.models.stored import Derived, Recording, Transcript
from archive.models.upload import UploadSession
from archive.models.violation import Rule, Violation


def find_recording(space: Space) -> Recording | None:
    return next(iter(_read(_RECORDING, space)), None)


def find_transcript(space: Space) -> Transcript | None:
    """Return the newest version."""
    return next(iter(_read(_TRANSCRIPT, space)), None)


def list_uploads(space: Space) -> list[UploadSession]:
    """Return the uploads, the newest first."""
    return _read(_UPLOADS, space)


def list_participants(space: Space) -> list[Participant]:
    return _read(_PARTICIPANTS, space)


def list_violations(space: Space) -> list[Violation]:
    """Return the violations with their rules and appeals. One query if there are none."""
    violations: list[Violation] = _read(_VIOLATIONS, space)
    if violations:
        rules = {rule.pk: rule for rule in _RULES.objects([violation.rule_id for violation in violations])}
        for violation in violations:
            violation.rule = rules[violation.rule_id]
        prefetch_related_objects(violations, "appeal")
    return violations


def has_peaks(space: Space) -> bool:
    """Return whether there is a waveform of the recording."""
    return bool(_PEAKS.tuples(space.pk))


def _read(query: "CompiledQuery[Any]", space: Space) -> list[Any]:
    rows = query.objects(space.pk)
    for row in rows:
        row.space = space
    return rows


_RECORDING = CompiledQuery(lambda space_id: Recording.objects.filter(space=space_id)[:1], UUID)
_TRANSCRIPT = CompiledQuery(lambda space_id: Transcript.objects.filter(space=space_id).order_by("-number")[:1], UUID)
_UPLOADS = CompiledQuery(lambda space_id: UploadSession.objects.filter(space=space_id).order_by("-created_at"), UUID)
_PARTICIPANTS = CompiledQuery(lambda space_id: Participant.objects.filter(space=space_id), UUID)
_VIOLATIONS = CompiledQuery(lambda space_id: Violation.objects.filter(space=space_id), UUID)
_RULES = CompiledQuery(lambda ids: Rule.objects.filter(pk__any=ids), list)
_PEAKS = CompiledQuery(
    lambda space_id: Derived.objects.filter(space=space_id, kind=Derived.Kind.PEAKS).values_list("pk")[:1], UUID
)
