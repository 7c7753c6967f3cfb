"""Serve content: log each issue (archive/content_access.py), and sign URLs that end with the Space."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect

from archive import dbtime
from archive.content_access import Grantee, Kind, record_access
from archive.models import Space
from archive.storage import store
from portal.access import Gone


def redirect_to_object(
    kind: Kind,
    spaces: Sequence[Space],
    by: Grantee,
    key: str,
    filename: str,
    content_type: str,
    until: datetime | None,
) -> HttpResponse:
    """Log the access to `spaces`, and redirect to a signed URL of the object that has their content.

    Also for HEAD and Range: the URL serves all of the object, whatever the request was. It works for min(5 minutes,
    time left `until`). Raises StorageError; Gone, of the first Space.
    """
    inline = kind == Kind.PLAYED
    if not inline:
        store().head(key)  # a download of a lost object, or from a store that is down, ends at our error page
    lifetime = signed_url_lifetime(spaces[0], until)
    url = store().signed_url(key, expires=lifetime, filename=filename, content_type=content_type, inline=inline)
    record_access(kind, spaces, by, key=key)  # last: an answer that is refused is no access
    return HttpResponseRedirect(url)


def signed_url_lifetime(space: Space, until: datetime | None) -> timedelta:
    """min(5 minutes, time left `until`). Call it after the store answered: waiting takes time too. Raises Gone."""
    lifetime = timedelta(seconds=settings.SIGNED_URL_SECONDS)
    if until is not None:
        lifetime = min(lifetime, until - dbtime.now())
    if lifetime < timedelta(seconds=1):
        raise Gone(space, space.host)
    return lifetime
