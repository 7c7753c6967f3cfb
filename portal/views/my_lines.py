"""A speaker's own lines, for that speaker only; and accounts of participants, for hosts."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from archive import cues, dbtime
from archive import own_lines as speaker_lines
from archive.bundles.names import safe
from archive.content_access import Kind, record_access
from archive.errors import Refused
from archive.log import Actor
from archive.models import Participant, Space, Transcript, User
from archive.storage.s3 import content_disposition
from portal.access import find_own_lines_space, find_space_to_change, spaces_spoken_in
from portal.forms.requests import ParticipantAccountForm
from portal.http import SignedInRequest
from portal.paging import page_of
from portal.presenters import clock as clock_presenter
from portal.responses import render_space
from portal.section_messages import add_success

PAGE = 10
ENDINGS = ("txt", "vtt")


@require_safe
def my_lines(request: SignedInRequest) -> HttpResponse:
    """List the Spaces in which the user spoke, the nearest deadline first."""
    user, now = request.user, dbtime.now()
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
    transcript = transcripts.get(space.pk)
    counted = counts[transcript.pk] if transcript else None
    lines = speaker_lines.find_own_lines(user, space.participants.all(), counted)
    urls = [(ending, reverse("own-lines", args=[space.pk, ending])) for ending in ENDINGS]
    return {"space": space, "own": lines, "downloads": urls if lines.lines else []}


@require_safe
def own_lines(request: SignedInRequest, space_id: UUID, ending: str) -> HttpResponse:
    """Download the user's lines of one Space, as text or WebVTT."""
    user = request.user
    space = find_own_lines_space(user, space_id).space
    transcript = space.transcripts.last()
    lines = speaker_lines.own_cues(user, space.participants.all(), transcript) if transcript else []
    if transcript is None or not lines or ending not in ENDINGS:
        raise Http404
    record_access(Kind.DOWNLOADED, [space], user, key=transcript.key, own_lines=len(lines))
    content_type, write = cues.FORMS[ending]
    response = HttpResponse(write(lines), content_type=content_type)
    name = f"{safe(space.title)}-{space.ended_at:%Y-%m-%d}.my-words.{transcript.language}.{ending}"
    response["Content-Disposition"] = content_disposition("attachment", name)
    return response


@require_POST
def account(request: SignedInRequest, space_id: UUID, participant_id: int) -> HttpResponse:
    """Link an account to a participant, or unlink it (no name)."""
    space = find_space_to_change(request.user, space_id)
    form = ParticipantAccountForm(request.POST)
    try:
        if form.is_valid():
            speaker_lines.link(space.pk, participant_id, form.cleaned_data["account"], Actor.of(request.user))
    except Participant.DoesNotExist:
        raise Http404 from None
    except Refused as error:
        form.add_error("account", str(error))
    if form.errors:
        form.show_problems(request, section="accounts")
        return render_space(request, space_id, status=422, account_of=participant_id, account_form=form)
    if form.cleaned_data["account"]:
        text = _("Saved. If this account exists, it can download its lines. Ask the speaker whether it can.")
        add_success(request, "accounts", text)
    return redirect(f"{reverse('space', args=[space_id])}#accounts")
