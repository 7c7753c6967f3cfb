"""The upload page, and its requests to inspect small files.

The page's script talks to /api/v1, as recorders do, and sends the recording straight to the store. Only what fills in
the form comes here: small sidecar files, and the head of a recording.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from archive import error_messages
from archive.errors import InspectionFailed, Refused, TooManyRequests
from archive.intake import importers
from archive.intake.bounded import run_bounded
from archive.intake.dismiss import dismiss_rejected
from archive.intake.importers.sniff import SNIFFED_BYTES
from archive.intake.request import find_end_problem
from archive.intake.transcription import enqueue
from archive.intake.transcripts.speakers import find_speaker_names
from archive.intake.twins import find_twin
from archive.intake.uploads import clean_up
from archive.intake.uploads.sessions import Uploader
from archive.models import Participant, Space, UploadSession, User
from portal.access import find_space, find_space_to_change, may_have_content, only
from portal.forms.requests import TwinForm
from portal.http import SignedInRequest
from portal.limits import count_request
from portal.presenters.intake_progress import intake_status
from portal.presenters.upload_config import MAX_SORTED_FILES, upload_config

MAX_INSPECTED_FILES = 5
MAX_INSPECTED_BYTES = 8 * 1024**2  # for all files of one request; the page sends far less

# Suggestions for the language field, which accepts any BCP 47 tag.
LANGUAGES = (
    *("ar", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "ko"),
    *("nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sv", "sw", "ta", "th", "tr", "uk", "ur", "vi", "zh"),
)


@require_safe
@only(may_have_content)
def upload(request: SignedInRequest) -> HttpResponse:
    """Show the page. With `?space=ID`, files are added to that Space: its recording if it has none, or a transcript."""
    space = _space_to_add_to(request)
    if space is not None and space.state == Space.State.REJECTED:
        return redirect("space", space.pk)
    return render(request, "upload/page.html", _page(request.user, space))


def _space_to_add_to(request: SignedInRequest) -> Space | None:
    """Return the Space of `?space=`, if the URL has one. Raises Http404, Gone."""
    if "space" not in request.GET:
        return None
    try:
        space_id = UUID(request.GET["space"])
    except ValueError:
        raise Http404 from None
    return find_space_to_change(request.user, space_id)


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
        "upload_config": upload_config(),
        "keep_days": settings.RETENTION_DAYS,
        "cohosts": Participant.SEATS[Participant.Role.COHOST],
        "speakers": Participant.SEATS[Participant.Role.SPEAKER],
    }


def open_uploads(user: User) -> QuerySet[UploadSession]:
    """Return the uploads that this user started and can resume, the newest first."""
    return (
        UploadSession.objects.filter(created_by=user, recorder=None, state=UploadSession.State.OPEN)
        .filter(space__state__in=Space.KEPT)
        .select_related("space")
        .order_by("-created_at")
    )


@require_POST
@only(may_have_content)
def inspect(request: SignedInRequest) -> HttpResponse:
    """Return the facts in small files about their Space, as JSON. `recording` names the file that is the head of the
    recording; `transcript` is the transcript or its beginning. Stores nothing.

    The answer has the facts; `transcript_speakers`, the names in the transcript; `end_problem`, why no recording with
    this end can be accepted, and `end_problem_code`, "" if it can; `twin`, {title, url} of the host's Space that has
    the same title and end, or null. `title`, `ended_at` and `host` (a user name, from admins) are what was typed, which
    counts for the twin in place of the facts.
    """
    uploaded = [*request.FILES.getlist("file"), *request.FILES.getlist("transcript")]
    if len(uploaded) > MAX_INSPECTED_FILES or sum(file.size or 0 for file in uploaded) > MAX_INSPECTED_BYTES:
        return JsonResponse({"detail": _("These files are too large to be inspected.")}, status=413)
    files = {file.name or "file": file.read() for file in request.FILES.getlist("file")}
    transcript = b"".join(file.read() for file in request.FILES.getlist("transcript")[:1])
    recording = request.POST.get("recording", "")
    return _answer_bounded(
        request,
        lambda: _inspect(files, recording, transcript),
        lambda facts: _add_twin(request, _add_end_problem(facts)),
        has_files=bool(uploaded),
    )


def _inspect(files: dict[str, bytes], recording: str, transcript: bytes) -> dict[str, Any]:
    names = find_speaker_names(transcript) if transcript else []
    return importers.inspect(files, recording).as_json() | {"transcript_speakers": names}


def _add_end_problem(facts: dict[str, Any]) -> dict[str, Any]:
    ended_at = datetime.fromisoformat(facts["ended_at"]) if facts["ended_at"] else None
    problem = find_end_problem(ended_at) if ended_at else {}
    text = error_messages.render(problem)
    return facts | {"end_problem": text, "end_problem_code": problem.get("code", "")}


def _add_twin(request: SignedInRequest, facts: dict[str, Any]) -> dict[str, Any]:
    form = TwinForm(request.POST)
    typed = form.cleaned_data if form.is_valid() else {}
    found = datetime.fromisoformat(facts["ended_at"]) if facts["ended_at"] else None
    title, ended_at = typed.get("title") or facts["title"], typed.get("ended_at") or found
    host = request.user
    if request.user.is_admin and typed.get("host"):
        host = User.objects.filter(username=typed["host"]).first() or host
    twin = find_twin(host, title, ended_at) if title and ended_at else None
    return facts | {"twin": twin and {"title": str(twin), "url": reverse("space", args=[twin.pk])}}


@require_POST
@only(may_have_content)
def sort(request: SignedInRequest) -> HttpResponse:
    """Classify each chosen file by its name, size and first bytes; returns JSON. Stores nothing.

    `files` is JSON: [{name, size, head: bytes of `heads` that are its own, fault}]; `heads` has all first bytes, one
    after the other, since a folder may have hundreds of files.
    """
    uploaded = request.FILES.get("heads")
    if uploaded and (uploaded.size or 0) > MAX_SORTED_FILES * SNIFFED_BYTES:
        return JsonResponse({"detail": _("These are too many files to inspect at once.")}, status=413)
    try:
        heads = read_heads(request.POST.get("files", "[]"), uploaded.read() if uploaded else b"")
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return JsonResponse(
            {"detail": _("The server does not understand what the page sent. Reload the page.")}, status=400
        )
    if len(heads) > MAX_SORTED_FILES:
        limit = {"limit": MAX_SORTED_FILES}
        return JsonResponse({"detail": _("These are more than %(limit)d files. Choose fewer.") % limit}, status=413)
    return _answer_bounded(request, lambda: _sort(heads))


def _sort(heads: list[importers.Head]) -> dict[str, Any]:
    files, left_out = importers.sort_heads(heads)
    return {"files": [one.as_json() for one in files], "left_out": [one.as_json() for one in left_out]}


def _answer_bounded(
    request: SignedInRequest,
    work: Callable[[], dict[str, Any]],
    finish: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    *,
    has_files: bool = True,
) -> JsonResponse:
    """Run `work` on untrusted files in a process with limits, and return its answer. `finish` adds the parts that need
    the database, which that process can't use."""
    try:
        count_request(request, "inspect")
        return JsonResponse(finish(run_bounded(work) if has_files else work()))
    except TooManyRequests as error:
        return JsonResponse({"detail": str(error)}, status=429, headers={"Retry-After": str(error.retry_after)})
    except Refused as error:
        return JsonResponse({"detail": str(error)}, status=422)
    except InspectionFailed as error:
        return JsonResponse({"detail": str(error)}, status=500)


def read_heads(description: str, data: bytes) -> list[importers.Head]:
    """Parse the page's description of files; if there are too many, return one more than the limit. Raises ValueError,
    TypeError, KeyError, RecursionError or OverflowError if the description is invalid."""
    given = json.loads(description)
    if not isinstance(given, list):
        raise TypeError("no list of files")
    heads, start = [], 0
    for one in given[: MAX_SORTED_FILES + 1]:
        name, size, given_length, fault = str(one["name"]), int(one["size"]), int(one["head"]), str(one["fault"])
        length = max(0, given_length)  # a negative size would select nearly all of `data`, for each file again
        heads.append(importers.Head(name[:1000], size, data[start : start + min(length, SNIFFED_BYTES)], fault))
        start += length
    return heads


@require_safe
def progress(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Show the progress of the intake, for htmx; when it is over, the page is reloaded."""
    visible = find_space(request.user, space_id)
    if not request.htmx:
        return redirect("space", space_id)
    status = intake_status(visible.space)
    context = {"space": visible.space, "may_play": visible.may_play, "waiting": status}
    answer = render(request, "spaces/intake_status.html", context)
    if not status.polling:
        answer["HX-Refresh"] = "true"
    return answer


@require_POST
def dismiss(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Remove a rejected recording from the host's list."""
    space = find_space(request.user, space_id).space
    if space.host_id != request.user.pk:
        raise Http404
    try:
        dismiss_rejected(space_id, request.user)
    except Refused as error:
        messages.error(request, str(error))
        return redirect("space", space_id)
    messages.success(request, _("Removed from your list."))
    return redirect("spaces")


@require_POST
def accept_partial(request: SignedInRequest, space_id: UUID, upload_id: UUID) -> HttpResponse:
    """Import a broken transcript again, without the lines that can't be read."""
    space = find_space_to_change(request.user, space_id)
    upload = get_object_or_404(space.uploads, pk=upload_id)
    try:
        clean_up.accept_partial(upload, Uploader(user=request.user))
    except Refused as error:
        messages.error(request, str(error))
    return redirect("space", space_id)
