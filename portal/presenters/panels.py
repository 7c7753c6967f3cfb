"""Parts of the page of a Space: single files, the bundle, the automatic transcript. Plain values for templates."""

import shlex
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from archive import cues, feeds, formatting
from archive.bundles import build, maintain
from archive.intake.transcription import enqueue
from archive.models import Bundle, Recording, Space, Transcript, Transcription, User
from archive.models.downloaded import last_download_of
from portal.downloads import download_path, link_ends_at
from portal.feed_links import podcast_url


def single_files(space: Space, recording: Recording | None, transcript: Transcript | None) -> list[dict[str, Any]]:
    """The rows of "Single files": the recording, and the transcript in each format."""
    rows: list[dict[str, Any]] = []
    if recording is not None:
        url = reverse("recording", args=[space.pk])
        rows.append({"name": _("Recording"), "note": recording.extension, "size": recording.size, "url": url})
    for ending in cues.FORMS if transcript is not None else ():
        url = reverse("transcript", args=[space.pk, ending])
        name = _("Transcript as {format}").format(format=ending.upper())
        rows.append({"name": name, "note": ending, "size": None, "url": url})
    return rows


def bundle_panel(space: Space, user: User) -> dict[str, Any]:
    """The context of spaces/bundle.html."""
    bundle = build.current(space)
    context: dict[str, Any] = {"space": space, "bundle": bundle, "polling": False, "verifying": False}
    if space.host_id == user.pk:
        context["downloaded_at"] = last_download_of(space.pk)
    if bundle is None:
        context["is_outdated"] = build.has_live(space)
        return context
    context["verifying"] = maintain.awaits_verification(bundle)
    context["polling"] = bundle.state in Bundle.AT_WORK or context["verifying"]
    if bundle.state == Bundle.State.READY:
        url = f"{settings.SITE_URL}{download_path(bundle, user)}"
        context["bundle_url"] = url
        context["link_ends_at"] = min(filter(None, (link_ends_at(), space.expires_at)))  # nothing is served after it
        context["bundle_command"] = f"curl -L -C - -o {shlex.quote(bundle.name)} {shlex.quote(url)}"
    return context


def bundle_progress(space: Space, user: User) -> dict[str, Any]:
    """Return the progress of a download for a script: `state` (of the bundle, or "none"), `percent`, `text`, and the
    `url` of a ready bundle."""
    bundle = build.current(space)
    if bundle is None:
        return {"state": "none", "percent": 0, "text": "", "url": ""}
    ready = bundle.state == Bundle.State.READY
    return {
        "state": bundle.state,
        "percent": bundle.percent,
        "text": _progress_text(bundle),
        "url": download_path(bundle, user) if ready else "",
    }


def _progress_text(bundle: Bundle) -> str:
    match bundle.state:
        case Bundle.State.REQUESTED:
            return _("Waiting")
        case Bundle.State.BUILDING if bundle.bytes_done == 0:
            return _("Preparing the files")
        case Bundle.State.BUILDING:
            return _("Packing: {percent} %").format(percent=bundle.percent)
        case Bundle.State.FAILED:
            return _("{error} Nothing was lost.").format(error=bundle.problem_text)
    return ""


def podcast_panel(space: Space, user: User) -> dict[str, Any]:
    """The context of spaces/podcast.html. Only the host of a Space can publish it."""
    if space.host_id != user.pk:
        return {"may_hand_over": False}
    feed = feeds.podcast_of(user, space)
    return {"may_hand_over": True, "podcast_url": podcast_url(feed) if feed else ""}


def transcription_panel(work: Transcription | None, transcript: Transcript | None) -> dict[str, Any]:
    """The context of spaces/transcription.html.

    `work` must be read before `transcript`, the one on the page: a worker may finish in between. `state` is "made"
    (`transcript` is an automatic one), "" (it is not, so there is nothing to show), "waiting", "running", "failed",
    "ask" (can be requested) or "off".
    """
    if transcript is not None:
        automatic = transcript.source == Transcript.Source.AUTOMATIC
        return {"state": "made" if automatic else "", "polling": False}
    if not enqueue.enabled():
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
        "problem_text": work.problem_text,
    }
