"""An automatic transcript: watching it being written, and asking for it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from archive import formatting, tasks
from archive.errors import Refused
from archive.intake.transcription import enqueue as automatic
from archive.log import Actor
from archive.models import Transcript, Transcription
from portal.access import current_user, find_space


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def transcription(request: HttpRequest, space_id: UUID) -> HttpResponse:
    """GET: the panel as it stands (htmx asks again while it is being written). POST: ask for a transcript."""
    user = current_user(request)
    space = find_space(user, space_id, content=True).space
    if request.method == "POST":
        try:
            automatic.ask(space.pk, Actor.of(user))
            tasks.wake_transcripts(space.pk)
        except Refused as error:
            messages.error(request, f"{error} Nothing was lost.")
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(f"{reverse('space', args=[space.pk])}#speech")
    work = automatic.current(space)
    return render(
        request, "spaces/transcription.html", {"space": space, "speech": panel(work, space.transcripts.last())}
    )


def panel(work: Transcription | None, shown: Transcript | None) -> dict[str, Any]:
    """Build the context of spaces/transcription.html.

    `work` must be read before `shown`, the transcript on the page: a worker may finish in between. `state` is "made"
    (`shown` is an automatic transcript), "" (it is not, so there is nothing to show), "waiting", "running", "failed",
    "ask" (can be requested) or "off".
    """
    if shown is not None:
        made = shown.source == Transcript.Source.AUTOMATIC
        return {"state": "made" if made else "", "polling": False}
    if not automatic.enabled():
        return {"state": "off", "polling": False}
    if work is None or work.state == Transcription.State.DONE:
        return {"state": "ask", "polling": False}
    states = {Transcription.State.REQUESTED: "waiting", Transcription.State.RUNNING: "running"}
    return {
        "state": states.get(Transcription.State(work.state), "failed"),
        "polling": work.state in Transcription.LIVE,
        "percent": work.percent,
        "heard": formatting.format_duration(work.done_ms / 1000),
        "total": formatting.format_duration(work.total_ms / 1000) if work.total_ms else "",
        "problem": work.problem,
    }
