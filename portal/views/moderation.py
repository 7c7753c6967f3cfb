"""For admins: Spaces to look at, flagging with evidence, lifting, several at once."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive import cues, dbtime, formatting, tasks
from archive.display import space as space_display
from archive.errors import Refused
from archive.models import Appeal, Hold, Space, User
from archive.moderation import holds, violations
from archive.moderation.evidence import MOST_LINES, Lines, parse
from portal.access import VisibleSpace, current_user, find_space
from portal.presenters import clock as clock_presenter
from portal.presenters.moderation_queue import ASKED, ORDERS, queue
from portal.presenters.player import player
from portal.presenters.violations import describe_change, flags, rules
from portal.views.spaces import detail, moves

ANOTHER = "Another hold stands, so there is no deadline still."
MOST_AT_ONCE = 50  # Spaces that one address can name


def require_admin(user: User) -> User:
    if not user.is_admin:
        raise Http404
    return user


def tabs() -> dict[str, Any]:
    """What the three pages of moderation share."""
    return {
        "open_appeals": Appeal.objects.filter(state=Appeal.State.OPEN).count(),
        "standing_holds": Hold.objects.filter(state=Hold.State.STANDING).count(),
    }


@login_required
@require_safe
@never_cache
def moderation(request: HttpRequest) -> HttpResponse:
    """Spaces to look at: the newest, the most listened to, those in which something was said."""
    require_admin(current_user(request))
    context = {"queue": queue(request.GET.dict(), dbtime.now()), "orders": ORDERS.items(), **tabs()}
    return render(request, "moderation/queue.html", context)


@login_required
@require_safe
@never_cache
def moderate(request: HttpRequest, space_id: UUID) -> HttpResponse:
    """One Space, to hear, to read, and to flag by its lines; beside it the queue."""
    return render(request, "moderation/space.html", _one(request, _found(request, space_id)))


def _one(request: HttpRequest, found: VisibleSpace) -> dict[str, Any]:
    space, now, user = found.space, found.now, current_user(request)
    recording, transcript = space.recordings.first(), space.transcripts.last()
    standing = list(space.violations.select_related("rule", "appeal"))
    served = space.is_served(now)
    context: dict[str, Any] = {
        "queue": queue(request.GET.dict(), now),
        "orders": ORDERS.items(),
        "space": space,
        "face": clock_presenter.clock_face(space, now),
        "recording": recording,
        "length": clock_presenter.length(recording),
        "violations": flags(space, standing, now, content=served),
        "rules": rules(),
        "holds": held(space, user),
        "hold_until": describe_change(space.expires_at, holds.if_held(space)),
        "from_moderation": True,
        "may_play": True,
        "may_appeal": space.host_id == user.pk,
        **moves(space, now, standing),
        **tabs(),
    }
    if served and recording:
        context |= player(space)
    if served and transcript:
        context |= {
            "cues": space_display.cue_rows(cues.load(transcript.cues)),
            "transcript_number": transcript.number,
            "ticks": True,
            "most_lines": MOST_LINES,
        }
    return context


def held(space: Space, user: User) -> list[dict[str, Any]]:
    """The holds that stand, each with whether this admin may release it, and what that would do."""
    standing = list(space.holds.filter(state=Hold.State.STANDING).select_related("placed_by"))
    now = dbtime.now()
    until = describe_change(space.expires_at, holds.if_released(space), now) if len(standing) == 1 else ANOTHER
    return [{"hold": hold, "may": holds.may_release(hold, user), "until": until} for hold in standing]


@login_required
@require_POST
def flag(request: HttpRequest, space_id: UUID) -> HttpResponse:
    found = _found(request, space_id)
    code, reason = request.POST.get("rule", ""), request.POST.get("reason", "")
    try:
        violations.flag(found.space.pk, code, reason, current_user(request), _evidence(request))
    except Refused as error:
        typed = {"flag_rule": code, "flag_reason": reason, "flag_lines": _lines(request), "ticked": _ticked(request)}
        return refused(request, found, error, typed)
    tasks.wake_notices(space_id)
    messages.success(request, f"Flagged. {kept(found.space)}")
    return back(request, space_id)


@login_required
@require_POST
def lift(request: HttpRequest, space_id: UUID) -> HttpResponse:
    found = _found(request, space_id)
    reason = request.POST.get("reason", "")
    try:
        violations.lift(found.space.pk, reason, current_user(request))
    except Refused as error:
        return refused(request, found, error, {"lift_reason": reason})
    tasks.wake_notices(space_id)
    messages.success(request, f"Lifted. {kept(found.space)}")
    return back(request, space_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def flag_several(request: HttpRequest) -> HttpResponse:
    """Those chosen in the queue: what would happen to each; a POST does it."""
    user = require_admin(current_user(request))
    asked = request.POST if request.method == "POST" else request.GET
    chosen = _chosen(asked.getlist("space"))
    typed = {"flag_rule": asked.get("rule", ""), "flag_reason": asked.get("reason", "")}
    if request.method == "POST":
        try:
            outcomes = violations.flag_each((s.pk for s in chosen), typed["flag_rule"], typed["flag_reason"], user)
        except Refused as error:
            messages.error(request, str(error))
            return _several(request, chosen, typed, status=422)
        titles = {space.pk: str(space) for space in chosen}
        if done := sum(outcome.violation is not None for outcome in outcomes):
            messages.success(request, f"Flagged {formatting.format_count(done, 'Space')}.")
        for outcome in outcomes:
            if outcome.refusal:
                messages.error(request, f"{titles[outcome.space_id]} was not flagged. {outcome.refusal}")
        return redirect("moderation")
    return _several(request, chosen, typed)


def _several(request: HttpRequest, chosen: list[Space], typed: dict[str, str], status: int = 200) -> HttpResponse:
    now = dbtime.now()
    rows = [
        {"space": space, "until": describe_change(space.expires_at, violations.preview_flag(space, now)[0])}
        for space in chosen
    ]
    return render(request, "moderation/several.html", {"rows": rows, "rules": rules(), **typed}, status=status)


def _chosen(ids: list[str]) -> list[Space]:
    """Those of them that there are and that are not gone, at most MOST_AT_ONCE."""
    wanted = []
    for text in ids[:MOST_AT_ONCE]:
        try:
            wanted.append(UUID(text))
        except ValueError:
            continue
    now = dbtime.now()
    found = Space.objects.select_related("host").prefetch_related("violations", "holds").in_bulk(wanted)
    return [found[pk] for pk in dict.fromkeys(wanted) if pk in found and not found[pk].is_gone(now)]


def refused(request: HttpRequest, found: VisibleSpace, error: Refused, typed: dict[str, Any]) -> HttpResponse:
    """The same page with what was typed still in it, and the reason above it."""
    messages.error(request, str(error))
    found = _found(request, found.space.pk)  # as it is by now: it may be gone
    if "from_moderation" in request.POST:
        return render(request, "moderation/space.html", {**_one(request, found), **typed}, status=422)
    return render(request, "spaces/detail.html", {**detail(request, found), **typed}, status=422)


def back(request: HttpRequest, space_id: UUID) -> HttpResponse:
    """To the page on which it was done."""
    if "from_moderation" not in request.POST:
        return redirect("space", space_id)
    query = urlencode({name: request.GET[name] for name in ASKED if request.GET.get(name)})
    return redirect(f"{reverse('moderate', args=[space_id])}{'?' if query else ''}{query}")


def _lines(request: HttpRequest) -> str:
    return request.POST.get("lines", "")


def _ticked(request: HttpRequest) -> set[int]:
    """Line numbers as they came, for the page that comes back."""
    return {int(text) for text in request.POST.getlist("line") if text.isascii() and text.isdigit() and len(text) < 7}


def _evidence(request: HttpRequest) -> Lines | None:
    """The lines that were ticked and those that were typed. Raises Refused."""
    numbers = parse(",".join([_lines(request), *request.POST.getlist("line")]))
    transcript = request.POST.get("transcript", "")
    known = transcript.isascii() and transcript.isdigit() and len(transcript) < 5
    return Lines(int(transcript) if known else 0, numbers) if numbers else None


def _found(request: HttpRequest, space_id: UUID) -> VisibleSpace:
    found = find_space(current_user(request), space_id)
    if not found.may_flag:
        raise Http404
    return found


def kept(space: Space) -> str:
    space.refresh_from_db()
    if space.expires_at is None:
        return "No deadline while a legal hold stands."
    return f"The Space is kept until {formatting.format_time(space.expires_at)}."
