"""Handing out content. Every answer asks the deadline first, and a signed address never lives longer than the Space."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from archive import cues, dbtime, log
from archive.bundles.names import safe
from archive.errors import ObjectChanged, ObjectMissing
from archive.log import Actor, events
from archive.models import Derived, Recording, Space, Transcript, User
from archive.storage import store
from archive.storage.s3 import content_disposition
from portal.access import Gone, VisibleSpace, current_user, find_space

MAX_PEAKS_BYTES = 1024**2  # what the web process reads into memory for a waveform


@login_required
@require_safe
@never_cache
def audio(request: HttpRequest, space_id: UUID) -> HttpResponse:
    """For the player: a redirect to the recording in the store, or to the copy that browsers can play."""
    found, recording = _recording(current_user(request), space_id)
    copy = found.space.derived.filter(kind=Derived.Kind.ACCESS_COPY).first()
    name, kept = safe(found.space.title), copy or recording
    return _redirect(found, kept.key, f"{name}.{kept.key.rpartition('.')[2]}", kept.content_type, inline=True)


@login_required
@require_safe
@never_cache
def peaks(request: HttpRequest, space_id: UUID) -> HttpResponse:
    """For the player: the waveform, {"duration": seconds, "peaks": [[numbers, one list for each channel]]}. 404 where
    there is none that can be drawn; the player then does without."""
    found = find_space(current_user(request), space_id, content=True)
    kept = found.space.derived.filter(kind=Derived.Kind.PEAKS).first()
    if kept is None or kept.size > MAX_PEAKS_BYTES:
        raise Http404
    try:
        drawn = store().read(kept.key, 0, kept.size, kept.etag)
    except (ObjectMissing, ObjectChanged):
        raise Http404 from None
    _lives(found.space, found.space.expires_at)
    return HttpResponse(drawn, content_type="application/json")


@login_required
@require_safe
@never_cache
def recording(request: HttpRequest, space_id: UUID) -> HttpResponse:
    """For keeping: the original bytes."""
    user = current_user(request)
    found, kept = _recording(user, space_id)
    answer = _redirect(found, kept.key, f"{_stem(found.space)}.{kept.extension}", kept.content_type)
    if begins(request):
        note(found.space, Actor.of(user), kept.key)
    return answer


@login_required
@require_safe
@never_cache
def transcript(request: HttpRequest, space_id: UUID, ending: str) -> HttpResponse:
    """The newest transcript as vtt, srt, txt or json; written from the cues in the database."""
    user = current_user(request)
    found = find_space(user, space_id, content=True)
    kept = found.space.transcripts.last()
    if kept is None or ending not in cues.FORMS:
        raise Http404
    content_type, write = cues.FORMS[ending]
    note(found.space, Actor.of(user), kept.key)
    response = HttpResponse(write(cues.load(kept.cues)), content_type=content_type)
    response["Content-Disposition"] = content_disposition(
        "attachment", f"{_stem(found.space)}.{kept.language}.{ending}"
    )
    return response


def _recording(user: User, space_id: UUID) -> tuple[VisibleSpace, Recording]:
    found = find_space(user, space_id, content=True)
    kept = found.space.recordings.first()
    if kept is None:
        raise Http404
    return found, kept


def _redirect(found: VisibleSpace, key: str, filename: str, content_type: str, *, inline: bool = False) -> HttpResponse:
    return redirect_to(key, filename, content_type, found.space, found.space.expires_at, inline=inline)


def redirect_to(
    key: str, filename: str, content_type: str, space: Space, until: datetime | None, *, inline: bool = False
) -> HttpResponse:
    """To a signed address that lives min(5 minutes, time left `until`). Raises StorageError; Gone, of `space`."""
    if not inline:
        store().head(key)  # a store that is down, or has lost it, is said in words instead of by a dead link
    address = store().signed_url(
        key, expires=_lives(space, until), filename=filename, content_type=content_type, inline=inline
    )
    return HttpResponseRedirect(address)


def _lives(space: Space, until: datetime | None) -> timedelta:
    """min(5 minutes, time left), asked after the store may have taken its time to answer. Raises Gone."""
    lives = timedelta(seconds=settings.SIGNED_URL_SECONDS)
    if until is not None:
        lives = min(lives, until - dbtime.now())
    if lives < timedelta(seconds=1):
        raise Gone(space, space.host)
    return lives


def begins(request: HttpRequest) -> bool:
    """Whether this is the beginning of a download: not a look at its headers, not the rest of a broken one."""
    start = request.headers.get("Range", "bytes=0-")
    return request.method == "GET" and start.startswith("bytes=0-")


def note(space: Space, actor: Actor, key: str, **detail: str) -> None:
    with transaction.atomic():
        log.record(events.CONTENT_DOWNLOADED, space_id=space.pk, actor=actor, key=key, **detail)


def _stem(space: Space) -> str:
    return f"{safe(space.title)}-{space.ended_at:%Y-%m-%d}"


def downloads(space: Space, recording: Recording | None, kept: Transcript | None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    if recording is not None:
        url = reverse("recording", args=[space.pk])
        rows.append({"name": "Recording", "note": recording.extension, "size": recording.size, "url": url})
    for ending in cues.FORMS if kept is not None else ():
        url = reverse("transcript", args=[space.pk, ending])
        rows.append({"name": f"Transcript as {ending.upper()}", "note": ending, "size": None, "url": url})
    return rows
