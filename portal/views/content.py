"""Downloads and playback of one Space's content. Each request checks the deadline, and signed URLs never outlive the
Space."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from archive.bundles.names import safe
from archive.content_access import Kind, record_access
from archive.errors import ObjectChanged, ObjectMissing
from archive.models import Derived, Recording, Space, User
from archive.storage import store
from portal.access import find_space
from portal.content import file_stem, redirect_to_object, serve_transcript, signed_url_lifetime
from portal.http import SignedInRequest


@require_safe
def audio(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """For the player: redirect to the recording in the store, or to the copy that browsers can play."""
    space, recording = _recording(request.user, space_id)
    stored = space.derived.filter(kind=Derived.Kind.ACCESS_COPY).first() or recording
    name = f"{safe(space.title)}.{stored.key.rpartition('.')[2]}"
    return redirect_to_object(
        Kind.PLAYED, [space], request.user, stored.key, name, stored.content_type, space.expires_at
    )


@require_safe
def peaks(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """For the player: the waveform, {"duration": seconds, "peaks": [[numbers, one list for each channel]]}. 404 if
    there is none that can be drawn; then the player shows none."""
    space = find_space(request.user, space_id, content=True).space
    stored = space.derived.filter(kind=Derived.Kind.PEAKS).first()
    if stored is None or stored.size > Derived.MAX_PEAKS_BYTES:
        raise Http404
    try:
        waveform = store().read(stored.key, 0, stored.size, stored.etag)
    except (ObjectMissing, ObjectChanged):
        raise Http404 from None
    signed_url_lifetime(space, space.expires_at)  # raises Gone if the deadline passed while reading
    record_access(Kind.PLAYED, [space], request.user, key=stored.key)
    return HttpResponse(waveform, content_type="application/json")


@require_safe
def recording(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Redirect to the original recording."""
    space, stored = _recording(request.user, space_id)
    name = f"{file_stem(space)}.{stored.extension}"
    return redirect_to_object(
        Kind.DOWNLOADED, [space], request.user, stored.key, name, stored.content_type, space.expires_at
    )


@require_safe
def transcript(request: SignedInRequest, space_id: UUID, ending: str) -> HttpResponse:
    """Download the transcript as vtt, srt, txt or json: the newest version, or the one of `?version=`."""
    space = find_space(request.user, space_id, content=True).space
    return serve_transcript(space, request.user, ending, request.GET.get("version", ""))


def _recording(user: User, space_id: UUID) -> tuple[Space, Recording]:
    space = find_space(user, space_id, content=True).space
    stored = space.recordings.first()
    if stored is None:
        raise Http404
    return space, stored
