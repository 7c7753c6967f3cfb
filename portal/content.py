"""Serve content: signed addresses that end with the Space, and the log entry of each download."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from archive import dbtime, log
from archive.log import Actor, events
from archive.models import Space
from archive.storage import store
from portal.access import Gone


def redirect_to_object(
    key: str, filename: str, content_type: str, space: Space, until: datetime | None, *, inline: bool = False
) -> HttpResponse:
    """Redirect to a signed address that works for min(5 minutes, time left `until`). Raises StorageError; Gone, of
    `space`."""
    if not inline:
        store().head(key)  # a download of a lost object, or from a store that is down, ends at our error page
    address = store().signed_url(
        key, expires=signed_url_lifetime(space, until), filename=filename, content_type=content_type, inline=inline
    )
    return HttpResponseRedirect(address)


def signed_url_lifetime(space: Space, until: datetime | None) -> timedelta:
    """min(5 minutes, time left `until`). Call it last: waiting for the store takes time too. Raises Gone."""
    lifetime = timedelta(seconds=settings.SIGNED_URL_SECONDS)
    if until is not None:
        lifetime = min(lifetime, until - dbtime.now())
    if lifetime < timedelta(seconds=1):
        raise Gone(space, space.host)
    return lifetime


def is_download_start(request: HttpRequest) -> bool:
    """Whether a download starts with this request: not a HEAD, and not a resumed range."""
    first_range = request.headers.get("Range", "bytes=0-")
    return request.method == "GET" and first_range.startswith("bytes=0-")


def record_download(spaces: Iterable[Space], actor: Actor, key: str, **detail: str | int) -> None:
    """Log the download of one object for each Space whose content is in it."""
    with transaction.atomic():
        log.record_all(events.CONTENT_DOWNLOADED, [(space.pk, {"key": key, **detail}) for space in spaces], actor=actor)
