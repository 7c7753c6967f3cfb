"""The automatic transcript of a Space: request it, and follow its progress."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from archive.errors import Refused
from archive.intake.transcription import enqueue
from archive.log import Actor
from portal.access import find_space
from portal.http import SignedInRequest
from portal.presenters.panels import transcription_panel
from portal.section_messages import add_error


@require_http_methods(["GET", "HEAD", "POST"])
def transcription(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """GET: the panel (htmx polls it while the transcript is being written). POST: request a transcript."""
    space = find_space(request.user, space_id, content=True).space
    if request.method == "POST":
        try:
            enqueue.ask(space.pk, Actor.of(request.user))
        except Refused as error:
            add_error(request, "speech", _("{error} Nothing was lost.").format(error=error))
    if not request.htmx:
        return redirect(f"{reverse('space', args=[space.pk])}#speech")
    work = enqueue.current(space)  # before the transcript: a worker may finish in between
    panel = transcription_panel(work, space.transcripts.last())
    return render(request, "spaces/transcription.html", {"space": space, "speech": panel})
