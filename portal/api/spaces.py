"""Register a Space, and follow its progress."""

import hashlib
import re
from typing import Annotated
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import HeaderEx, P, Router, Status
from pydantic import WithJsonSchema

from archive import rate_limits, recorders
from archive.errors import Refused, TooLate, violated_constraint
from archive.intake.register import NewSpace, ParticipantSpec, register_space
from archive.intake.request import validate_ended_at, validate_facts
from archive.intake.uploads.sessions import Uploader
from archive.models import IdempotencyKey, Participant, Space, User
from portal.api.callers import caller, find_own_space
from portal.api.errors import ApiRefusal, BadRequest, Forbidden
from portal.api.problems import PROBLEMS
from portal.api.schemas import Person, SpaceIn, SpaceOut

KEY = re.compile(r"[\x21-\x7e]{1,128}")
# Only for OpenAPI: the error for an invalid key explains the format.
KeyText = Annotated[str, WithJsonSchema({"type": "string", "pattern": rf"^{KEY.pattern}$"})]

KEY_IS = "Any text of yours that names this request: sent again, it means the same Space. Kept for a day."

router = Router(tags=["Spaces"])


@router.post("", response={(200, 201): SpaceOut, **PROBLEMS}, summary="Register a Space", operation_id="create_space")
def create(
    request: HttpRequest,
    response: HttpResponse,
    body: SpaceIn,
    idempotency_key: HeaderEx[KeyText | None, P(alias="Idempotency-Key", description=KEY_IS)] = None,
) -> Status[SpaceOut]:
    """The deadline counts from `ended_at`. A recorder must send an `Idempotency-Key`."""
    by = caller(request)
    key = _checked_key(idempotency_key, by)
    asked = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    space, made = _again(key, asked, by), False
    if space is None:
        opening = _opening(body, by)
        try:
            with transaction.atomic():
                rate_limits.count("space", by.caller)
                space, made = register_space(opening, by.actor), True
                if key:
                    IdempotencyKey.objects.create(**_owner(by), key=key, request_sha256=asked, space=space)
        except IntegrityError as error:
            if violated_constraint(error) != "idempotency_key_once":
                raise
            space, made = _again(key, asked, by), False  # the same request came twice at once, and the other one won
    assert space is not None
    response["Location"] = f"{request.path}/{space.pk}"
    return Status(201 if made else 200, space_out(find_own_space(request, space.pk), by))


@router.get(
    "/{uuid:space_id}", response={200: SpaceOut, **PROBLEMS}, summary="Progress of a Space", operation_id="get_space"
)
def read(request: HttpRequest, space_id: UUID) -> SpaceOut:
    return space_out(find_own_space(request, space_id), caller(request))


def space_out(space: Space, by: Uploader) -> SpaceOut:
    """Return the Space as the caller may see it: a recorder sees only its own uploads."""
    uploads = space.uploads.order_by("created_at", "id")
    if by.recorder:
        uploads = uploads.filter(by.sessions)
    recording, transcript = space.recordings.first(), space.transcripts.last()
    notes = [*(recording.list_notes() if recording else []), *(transcript.notes if transcript else [])]
    return SpaceOut.of(space, list(uploads), space.transcriptions.order_by("requested_at").last(), notes)


def _checked_key(key: str | None, by: Uploader) -> str:
    if key is None:
        if by.recorder:
            raise BadRequest("api.idempotency_key_missing")
        return ""
    if not KEY.fullmatch(key):
        raise BadRequest("api.idempotency_key_invalid")
    return key


def _owner(by: Uploader) -> dict[str, object]:
    return {"recorder": by.recorder} if by.recorder else {"user": by.user}


def _again(key: str, asked: str, by: Uploader) -> Space | None:
    """Return the Space if the same request came before. Raises Refused if a different request had this key."""
    before = IdempotencyKey.objects.select_related("space").filter(**_owner(by), key=key).first() if key else None
    if before is None:
        return None
    if before.request_sha256 != asked:
        raise ApiRefusal("api.idempotency_key_reused")
    return before.space


def _opening(body: SpaceIn, by: Uploader) -> NewSpace:
    """Raises Refused."""
    host = _host(body.host, by)
    try:
        ended_at = validate_ended_at(body.ended_at)
    except TooLate as error:  # a new Space can't be gone
        raise Refused.of(error.problem) from error
    participants = _participants(body)
    cohosts, speakers = ([v.name for v in participants if v.role == role] for role in ("cohost", "speaker"))
    validate_facts(body.title, cohosts, speakers, (body.listeners_peak, body.listeners_total))
    return NewSpace(
        host=host,
        ended_at=ended_at,
        title=body.title,
        audience=body.audience,
        participants=participants,
        listeners_peak=body.listeners_peak,
        listeners_total=body.listeners_total,
        transcribe=body.transcribe,
        host_name=body.host_name or "",
        recorder=by.recorder,
    )


def _host(name: str | None, by: Uploader) -> User:
    """Return the host of the new Space. Raises Refused."""
    if by.recorder:
        if name is None:
            raise Refused("intake.host_missing")
        return recorders.find_host(by.recorder, name)
    assert by.user is not None
    if by.user.is_auditor and not by.user.is_admin:
        raise Forbidden("api.auditors_upload_nothing")
    if name in (None, by.user.username):
        return by.user
    if not by.user.is_admin:
        raise Forbidden("api.only_admins_for_others")
    return _user(name or "", User.objects.filter(is_active=True), Refused("intake.no_such_user", name=name))


def _user(name: str, among: QuerySet[User], otherwise: Refused) -> User:
    found = among.filter(username=name).first()
    if found is None:
        raise otherwise
    return found


def _participants(body: SpaceIn) -> list[ParticipantSpec]:
    seats = [(Participant.Role.COHOST, person) for person in body.cohosts]
    seats += [(Participant.Role.SPEAKER, person) for person in body.speakers]
    people = [(role, person if isinstance(person, Person) else Person(name=person)) for role, person in seats]
    return [ParticipantSpec(role, person.name, (person.account or "").strip()) for role, person in people]
