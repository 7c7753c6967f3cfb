"""Edit a Space as its host: facts and participants, lines and speakers of the transcript. Needs a session.

As for content, the answer is 404 until the Space is available, and 410 after its deadline."""

from dataclasses import replace
from uuid import UUID

from django.http import Http404, HttpRequest
from ninja import Router

from archive import cues, rate_limits
from archive.content_access import Kind, record_access
from archive.editing.consent import Consent
from archive.editing.corrections import Correction, correct_lines
from archive.editing.facts import SpaceEdit, edit_space, read_editable
from archive.editing.participants import ParticipantEdit
from archive.editing.speakers import rename_speakers
from archive.intake.transcripts.renaming import list_speakers
from archive.models import Space, User
from portal.access import find_space_to_edit
from portal.api.callers import caller
from portal.api.editing_schemas import CorrectionsIn, FactsIn, FactsOut, SpeakersIn, TranscriptOut, VersionOut
from portal.api.errors import Forbidden
from portal.api.problems import PROBLEMS

router = Router(tags=["Editing"])
FACTS = ("title", "audience", "started_at", "listeners_peak", "listeners_total")


@router.get(
    "/spaces/{uuid:space_id}/facts",
    response={200: FactsOut, **PROBLEMS},
    summary="What the host can edit",
    operation_id="get_facts",
)
def read_facts(request: HttpRequest, space_id: UUID) -> FactsOut:
    """404 until the Space is available. The end can't be edited, because the deadline counts from it."""
    space, _ = _find(request, space_id)
    return FactsOut.of(read_editable(space))


@router.patch(
    "/spaces/{uuid:space_id}/facts",
    response={200: FactsOut, **PROBLEMS},
    summary="Edit facts and participants",
    operation_id="update_facts",
)
def update_facts(request: HttpRequest, space_id: UUID, body: FactsIn) -> FactsOut:
    """409 if the Space was edited since you read `edition`. Renamed speakers and another language are a new version of
    the transcript. Repeating a request is harmless."""
    space, user = _find(request, space_id)
    rate_limits.count("edit", caller(request).caller)
    now, sent = read_editable(space), body.model_fields_set
    facts = replace(now.facts, **{name: getattr(body, name) for name in FACTS if name in sent})
    people = [ParticipantEdit(p.role, p.name, p.account, p.pk) for p in now.participants]
    if "participants" in sent:
        people = [ParticipantEdit(p.role, p.name, p.account, p.id) for p in body.participants]
    consent = Consent(body.merge, body.give_lines)
    edit_space(space.pk, body.edition, SpaceEdit(facts, people, body.language, body.rename_lines, consent), user)
    return FactsOut.of(read_editable(Space.objects.get(pk=space.pk)))


@router.get(
    "/spaces/{uuid:space_id}/transcript",
    response={200: TranscriptOut, **PROBLEMS},
    summary="The newest version of the transcript",
    operation_id="get_transcript",
)
def read_transcript(request: HttpRequest, space_id: UUID) -> TranscriptOut:
    """404 if there is no transcript."""
    space, user = _find(request, space_id)
    transcript = space.transcripts.last()
    if transcript is None:
        raise Http404
    record_access(Kind.READ, [space], user)
    speakers = list_speakers(cues.load(transcript.cues))
    return TranscriptOut.with_lines(transcript, speakers)  # type: ignore[no-any-return]


@router.post(
    "/spaces/{uuid:space_id}/transcript/corrections",
    response={200: VersionOut, **PROBLEMS},
    summary="Correct lines",
    operation_id="correct_lines",
)
def correct(request: HttpRequest, space_id: UUID, body: CorrectionsIn) -> VersionOut:
    """All corrections together become one new version. 409 if `base` is not the newest version. Repeating a request is
    harmless."""
    space, user = _find(request, space_id)
    rate_limits.count("edit", caller(request).caller)
    corrections = [Correction(one.line, one.text, one.speaker) for one in body.corrections]
    return VersionOut.of(correct_lines(space.pk, body.base, corrections, user))  # type: ignore[no-any-return]


@router.post(
    "/spaces/{uuid:space_id}/transcript/speakers",
    response={200: VersionOut, **PROBLEMS},
    summary="Rename or merge speakers",
    operation_id="rename_speakers",
)
def rename(request: HttpRequest, space_id: UUID, body: SpeakersIn) -> VersionOut:
    """Creates one new version. A participant with the same name is renamed too. 409 `edit.merges_speakers` without
    `merge`, 422 `edit.gives_lines` without `give_lines`."""
    space, user = _find(request, space_id)
    rate_limits.count("edit", caller(request).caller)
    consent = Consent(body.merge, body.give_lines)
    version = rename_speakers(space.pk, body.base, body.names, user, consent)
    return VersionOut.of(version)  # type: ignore[no-any-return]


def _find(request: HttpRequest, space_id: UUID) -> tuple[Space, User]:
    """Return the Space and its host, who must be the caller. Raises Forbidden for a recorder, Http404, Gone."""
    by = caller(request)
    if by.user is None:
        raise Forbidden("api.host_session_needed")
    return find_space_to_edit(by.user, space_id), by.user
