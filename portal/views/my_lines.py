"""For those who spoke: their own words, and nothing else of a Space. For its host: who is who."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from archive import cues, dbtime, log
from archive import own_lines as speaker_lines
from archive.bundles.names import safe
from archive.errors import Refused
from archive.log import Actor, events
from archive.models import Participant, Space, Transcript, User
from archive.storage.s3 import content_disposition
from portal.access import current_user, find_own_lines_space, find_space, spaces_spoken_in
from portal.paging import page_of
from portal.presenters import clock as clock_presenter
from portal.views.spaces import detail

PAGE = 10
ENDINGS = ("txt", "vtt")


@login_required
@require_safe
@never_cache
def my_lines(request: HttpRequest) -> HttpResponse:
    """The Spaces in which one spoke, the shortest clock first."""
    user, now = current_user(request), dbtime.now()
    spoken = spaces_spoken_in(user).prefetch_related("participants")
    page, cursor = page_of(spoken, request.GET.get("after"), ("expires_at", "id"), PAGE)
    newest = Transcript.objects.filter(space__in=page).order_by("space", "-number").distinct("space").defer("cues")
    transcripts = {transcript.space_id: transcript for transcript in newest}
    counts = speaker_lines.line_counts_by_speaker(transcripts.values())
    context = {
        "rows": [
            _row(space, user, transcripts, counts) | {"face": clock_presenter.clock_face(space, now)} for space in page
        ],
        "next_url": f"?{urlencode({'after': cursor})}" if cursor else None,
    }
    return render(request, "my_lines/list.html", context)


def _row(
    space: Space, user: User, transcripts: dict[UUID, Transcript], counts: dict[int, dict[str, int]]
) -> dict[str, Any]:
    kept = transcripts.get(space.pk)
    lines = speaker_lines.find_own_lines(user, space.participants.all(), counts[kept.pk] if kept else None)
    urls = [(ending, reverse("own-lines", args=[space.pk, ending])) for ending in ENDINGS]
    return {"space": space, "own": lines, "downloads": urls if lines.lines else []}


@login_required
@require_safe
@never_cache
def own_lines(request: HttpRequest, space_id: UUID, ending: str) -> HttpResponse:
    """What this user said, as text or WebVTT."""
    user = current_user(request)
    space = find_own_lines_space(user, space_id).space
    kept = space.transcripts.last()
    said = speaker_lines.own_cues(user, space.participants.all(), kept) if kept else []
    if kept is None or not said or ending not in ENDINGS:
        raise Http404
    with transaction.atomic():
        log.record(
            events.CONTENT_DOWNLOADED, space_id=space.pk, actor=Actor.of(user), key=kept.key, own_lines=len(said)
        )
    content_type, write = cues.FORMS[ending]
    response = HttpResponse(write(said), content_type=content_type)
    name = f"{safe(space.title)}-{space.ended_at:%Y-%m-%d}.my-words.{kept.language}.{ending}"
    response["Content-Disposition"] = content_disposition("attachment", name)
    return response


@login_required
@require_POST
def account(request: HttpRequest, space_id: UUID, participant_id: int) -> HttpResponse:
    """Link an account to somebody who spoke, or unlink it (no name)."""
    user = current_user(request)
    found = find_space(user, space_id)
    if not found.may_play:
        raise Http404
    typed = request.POST.get("account", "")
    try:
        speaker_lines.link(found.space.pk, participant_id, typed, Actor.of(user))
    except Participant.DoesNotExist:
        raise Http404 from None
    except Refused as error:
        messages.error(request, str(error))
        found = find_space(user, space_id)  # as it is by now: it may be gone
        context = {**detail(request, found), "account_of": participant_id, "account_typed": typed}
        return render(request, "spaces/detail.html", context, status=422)
    return redirect(f"{reverse('space', args=[space_id])}#who-spoke")
