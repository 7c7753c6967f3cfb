"""Feeds for other programs: create and revoke them, and serve them at their signed URLs."""

from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from archive import dbtime, feeds, rate_limits
from archive.content_access import Kind, record_access
from archive.display.chapters import chapters_json
from archive.models import Feed, Space
from portal.access import find_space
from portal.content import file_stem, redirect_to_object, serve_transcript
from portal.feed_links import FeedAddress, podcast_url
from portal.http import SignedInRequest
from portal.presenters.calendar import render_calendar
from portal.presenters.podcast import render_podcast
from portal.presenters.podcast_facts import collect_podcast, playable_file
from portal.reauthentication import require_reauthentication
from portal.section_messages import add_success

MAX_EVENTS = 1000  # the nearest deadlines; a calendar program reads all of them each hour


@require_POST
@require_reauthentication
def create_calendar(request: SignedInRequest) -> HttpResponse:
    feeds.create_calendar(request.user)
    add_success(request, "calendar", _("Add this address to your calendar program as a subscription."))
    return redirect(f"{reverse('account')}#calendar")


@require_POST
@require_reauthentication
def revoke_calendar(request: SignedInRequest) -> HttpResponse:
    feed = feeds.calendar_of(request.user)
    if feed is not None and feeds.revoke(feed, request.user):
        add_success(request, "calendar", _("The address of your calendar no longer works."))
    return redirect(f"{reverse('account')}#calendar")


@require_POST
@require_reauthentication
def create_podcast(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    space = _own_space(request, space_id)
    feeds.create_podcast(request.user, space)
    add_success(request, "podcast", _("Give this address to your podcast host."))
    return redirect(f"{reverse('space', args=[space.pk])}#podcast")


@require_POST
@require_reauthentication
def revoke_podcast(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    space = _own_space(request, space_id)
    feed = feeds.podcast_of(request.user, space)
    if feed is not None and feeds.revoke(feed, request.user):
        add_success(request, "podcast", _("The podcast address no longer works."))
    return redirect(f"{reverse('space', args=[space.pk])}#podcast")


@login_not_required  # the signed URL names its user
@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """Serve the deadlines of the user's Spaces. Deleted Spaces, and those on hold, are not in the calendar."""
    address = _load(token, Feed.Kind.CALENDAR)
    spaces = Space.objects.served().filter(host=address.user, expires_at__isnull=False)
    text = render_calendar(spaces.order_by("expires_at", "id")[:MAX_EVENTS], dbtime.now())
    return _no_index(HttpResponse(text, content_type="text/calendar; charset=utf-8"))


@login_not_required
@require_safe
def podcast(request: HttpRequest, token: str) -> HttpResponse:
    """Serve one Space as RSS. Its files have URLs of their own; downloading them is logged."""
    address = _load(token, Feed.Kind.PODCAST)
    found = collect_podcast(address.find(), address.feed, podcast_url(address.feed))
    return _no_index(HttpResponse(render_podcast(found), content_type="application/rss+xml; charset=utf-8"))


@login_not_required
@require_safe
def recording(request: HttpRequest, token: str, ending: str) -> HttpResponse:
    """Redirect to the recording in the store."""
    address = _load(token, Feed.Kind.PODCAST)
    space = address.find()
    stored = playable_file(space)
    if stored is None or stored.key.rpartition(".")[2] != ending:
        raise Http404
    name = f"{file_stem(space)}.{ending}"
    return redirect_to_object(
        Kind.DOWNLOADED, [space], address.user, stored.key, name, stored.content_type, space.expires_at
    )


@login_not_required
@require_safe
def transcript(request: HttpRequest, token: str, ending: str) -> HttpResponse:
    """Serve the newest transcript as vtt, srt or json (Podcasting 2.0)."""
    address = _load(token, Feed.Kind.PODCAST)
    return _no_index(serve_transcript(address.find(), address.user, ending))


@login_not_required
@require_safe
def chapters(request: HttpRequest, token: str) -> HttpResponse:
    """Serve the chapters of the recording as a Podcasting 2.0 file. 404 if there are none."""
    address = _load(token, Feed.Kind.PODCAST)
    space = address.find()
    stored = space.recordings.first()
    if stored is None or not stored.chapters:
        raise Http404
    record_access(Kind.DOWNLOADED, [space], address.user, key=stored.key)
    return _no_index(HttpResponse(chapters_json(stored), content_type="application/json+chapters"))


def _load(token: str, kind: Feed.Kind) -> FeedAddress:
    """Load the feed of a signed URL. Raises Http404, Gone, TooManyRequests."""
    address = FeedAddress.load(token, kind)
    rate_limits.count("feed", rate_limits.Caller("feed", str(address.feed.pk)))
    return address


def _own_space(request: SignedInRequest, space_id: UUID) -> Space:
    """Return the user's own Space. Raises Http404 for everybody but the host, even admins; Gone after the deadline."""
    space = find_space(request.user, space_id, content=True).space
    if space.host_id != request.user.pk:
        raise Http404
    return space


def _no_index(response: HttpResponse) -> HttpResponse:
    response["X-Robots-Tag"] = "noindex"
    return response
