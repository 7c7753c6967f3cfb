"""Bringing in a Space: the page that sends files straight to the store, and what it is told of small ones.

The page's script talks to /api/v1, as recorders do; the payload never comes here. What comes here is what is needed to
fill the form in: small sidecar files, and of a recording its head.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from archive.errors import Refused
from archive.intake import importers
from archive.intake.transcription import enqueue
from archive.intake.uploads import clean_up
from archive.intake.uploads.sessions import Uploader
from archive.models import Participant, Space, UploadSession, User
from portal.access import VisibleSpace, current_user, find_space
from portal.api.uploads import wake
from portal.presenters.intake_progress import intake_status

LOOK_FILES = 5
LOOK_BYTES = 16 * 1024**2  # of all that one look is given; the page sends far less

# What people speak most, for the field; any other BCP 47 tag can be written in its place.
LANGUAGES = (
    *("ar", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "ko"),
    *("nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sv", "sw", "ta", "th", "tr", "uk", "ur", "vi", "zh"),
)


@login_required
@require_safe
@never_cache
def upload(request: HttpRequest) -> HttpResponse:
    """The page. With `?space=ID` for a Space that is here: its recording if it still waits for one, a transcript."""
    user = current_user(request)
    space = _named(request, user)
    if space is not None and space.state == Space.State.REJECTED:
        return redirect("space", space.pk)
    return render(request, "upload/page.html", _page(user, space))


def _named(request: HttpRequest, user: User) -> Space | None:
    """The Space of `?space=`, if there is one. Raises Http404 for whoever may not bring anything to it."""
    if user.is_auditor and not user.is_admin:
        raise Http404
    if "space" not in request.GET:
        return None
    try:
        wanted = UUID(request.GET["space"])
    except ValueError:
        raise Http404 from None
    return _may_bring(find_space(user, wanted))


def _may_bring(found: VisibleSpace) -> Space:
    if not found.may_play:
        raise Http404
    return found.space


def _page(user: User, space: Space | None) -> dict[str, Any]:
    unfinished = open_uploads(user)
    return {
        "space": space,
        "wants_recording": space is None or space.state == Space.State.RECEIVING,
        "unfinished": unfinished if space is None else unfinished.filter(space=space),
        "speech": enqueue.enabled(),
        "languages": LANGUAGES,
        "audiences": Space.Audience.choices,
        "max_bytes": settings.MAX_UPLOAD_BYTES,
        "keep_days": settings.RETENTION_DAYS,
        "cohosts": Participant.SEATS[Participant.Role.COHOST],
        "speakers": Participant.SEATS[Participant.Role.SPEAKER],
    }


def open_uploads(user: User) -> QuerySet[UploadSession]:
    """What this user began to upload and may go on with, the newest first."""
    return (
        UploadSession.objects.filter(created_by=user, recorder=None, state=UploadSession.State.OPEN)
        .filter(space__state__in=Space.KEPT)
        .select_related("space")
        .order_by("-created_at")
    )


@login_required
@require_POST
@never_cache
def inspect(request: HttpRequest) -> JsonResponse:
    """What small files say of their Space, as JSON. The one named by `recording` is the head of it. Stores nothing."""
    if current_user(request).is_auditor and not current_user(request).is_admin:
        raise Http404
    given = request.FILES.getlist("file")
    if len(given) > LOOK_FILES or sum(file.size or 0 for file in given) > LOOK_BYTES:
        return JsonResponse({"detail": "These files are too big to be looked into."}, status=413)
    files = {file.name or "file": file.read() for file in given}
    return JsonResponse(importers.inspect(files, request.POST.get("recording", "")).as_json())


@login_required
@require_safe
@never_cache
def progress(request: HttpRequest, space_id: UUID) -> HttpResponse:
    """What is being done with what was brought, for htmx; the page itself is loaded anew when that is over."""
    found = find_space(current_user(request), space_id)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("space", space_id)
    waits = intake_status(found.space)
    context = {"space": found.space, "may_play": found.may_play, "waiting": waits}
    answer = render(request, "spaces/intake_status.html", context)
    if not waits.polling:
        answer["HX-Refresh"] = "true"
    return answer


@login_required
@require_POST
def accept_partial(request: HttpRequest, space_id: UUID, upload_id: UUID) -> HttpResponse:
    """Have a broken transcript read again, and keep every line of it that can be read."""
    user = current_user(request)
    space = _may_bring(find_space(user, space_id))
    upload = get_object_or_404(space.uploads, pk=upload_id)
    try:
        wake(clean_up.accept_partial(upload, Uploader(user=user)))
    except Refused as error:
        messages.error(request, str(error))
    return redirect("space", space_id)
