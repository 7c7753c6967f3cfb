"""Uploads. Their bytes go straight to the object store, never through the API."""

from typing import Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Status

from archive.errors import Refused
from archive.intake.uploads import clean_up, sessions
from archive.intake.uploads import complete as complete_upload
from archive.intake.uploads import sign as sign_parts
from archive.models import Space, UploadSession
from portal.api.callers import caller, find_own_space, find_own_upload
from portal.api.problems import PROBLEMS
from portal.api.schemas import (
    CompleteIn,
    PartsIn,
    SignedPart,
    SignedParts,
    StoredPart,
    Upload,
    UploadIn,
    Uploads,
    UploadWithParts,
)

router = Router(tags=["Uploads"])


@router.post(
    "/spaces/{uuid:space_id}/uploads",
    response={201: Upload, **PROBLEMS},
    summary="Start an upload",
    operation_id="create_upload",
)
def create(request: HttpRequest, space_id: UUID, body: UploadIn) -> Status[Upload]:
    """A Space accepts one recording while it is `receiving`, and transcripts until its deadline."""
    space = find_own_space(request, space_id)
    file = sessions.FileSpec(body.kind, body.name, body.size, body.sha256 or "", body.language, body.speaker_names)
    return Status(201, Upload.of(sessions.open_session(space.pk, file, caller(request))))


@router.get("/uploads", response={200: Uploads, **PROBLEMS}, summary="Your open uploads", operation_id="list_uploads")
def index(request: HttpRequest, state: Query[Literal["open"]] = "open") -> Uploads:
    """Lists the uploads that you started and neither completed nor aborted, the latest activity first."""
    mine = UploadSession.objects.filter(caller(request).sessions, state=state, space__state__in=Space.KEPT)
    return Uploads(items=[Upload.of(session) for session in mine.order_by("-last_activity_at", "id")])


@router.get(
    "/uploads/{uuid:upload_id}",
    response={200: UploadWithParts, **PROBLEMS},
    summary="Progress of an upload",
    operation_id="get_upload",
)
def read(request: HttpRequest, upload_id: UUID) -> UploadWithParts:
    """Includes the stored parts while the upload is open."""
    session = find_own_upload(request, upload_id)
    parts = complete_upload.list_parts(session, caller(request))
    given = [
        StoredPart(number=p.number, size=p.size, etag=p.etag, announced_sha256=p.announced_sha256 or None)
        for p in parts
    ]
    return UploadWithParts.of(session, parts=given)  # type: ignore[no-any-return]


@router.post(
    "/uploads/{uuid:upload_id}/parts",
    response={200: SignedParts, **PROBLEMS},
    summary="Sign the addresses of parts",
    operation_id="sign_parts",
)
def sign(request: HttpRequest, upload_id: UUID, body: PartsIn) -> SignedParts:
    """PUT each part's bytes to its `url` with its `headers` before `expires_at`, straight to the store. Every part but
    the last has `part_size` bytes. You can request URLs as often as you like."""
    session = find_own_upload(request, upload_id)
    wanted = {part.number: part.sha256 or "" for part in body.parts}
    if len(wanted) < len(body.parts):
        raise Refused("upload.part_named_twice")
    return SignedParts(parts=[SignedPart(**vars(signed)) for signed in sign_parts.sign(session, wanted)])


@router.post(
    "/uploads/{uuid:upload_id}/complete",
    response={200: Upload, **PROBLEMS},
    summary="Complete an upload",
    operation_id="complete_upload",
)
def complete(request: HttpRequest, upload_id: UUID, body: CompleteIn | None = None) -> Upload:
    """Checks the number of parts, every size and, if you send them, every ETag against the store. 409 names the parts
    that differ. Idempotent."""
    session = find_own_upload(request, upload_id)
    named = body.parts if body else None
    etags = {part.number: part.etag for part in named} if named is not None else None
    if named is not None and etags is not None and len(etags) < len(named):
        raise Refused("upload.part_named_twice")
    complete_upload.complete(session, caller(request), etags)
    return Upload.of(session)  # type: ignore[no-any-return]


@router.post(
    "/uploads/{uuid:upload_id}/accept-partial",
    response={200: Upload, **PROBLEMS},
    summary="Accept a part of a transcript",
    operation_id="accept_partial",
)
def accept_partial(request: HttpRequest, upload_id: UUID) -> Upload:
    """Imports a rejected transcript again, without the lines that can't be read."""
    session = find_own_upload(request, upload_id)
    clean_up.accept_partial(session, caller(request))
    return Upload.of(session)  # type: ignore[no-any-return]


@router.delete(
    "/uploads/{uuid:upload_id}",
    response={204: None, **PROBLEMS},
    summary="Abort an upload",
    operation_id="delete_upload",
)
def delete(request: HttpRequest, upload_id: UUID) -> Status[None]:
    """Removes the upload's parts from the store. Idempotent; 409 once the upload is complete."""
    clean_up.abort(find_own_upload(request, upload_id), caller(request))
    return Status(204, None)
